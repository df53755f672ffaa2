// Our context in a person's own kubeconfig. Everything else in that file, comments included, stays as it is.

import { statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { ConfigError } from "@picokube/component-base/config-error";
import { Document, isMap, isSeq, parseDocument, YAMLSeq } from "yaml";
import { formatKubeconfig, type KubeconfigEntries, kubeconfigEntries } from "./kubeconfig.js";
import { readIfPresent, writeWhole } from "./pem.js";

const LISTS = ["clusters", "contexts", "users"] as const;

/** The file that kubectl writes to: the first of KUBECONFIG, else ~/.kube/config. */
export function userKubeconfigPath(environment: NodeJS.ProcessEnv = process.env): string {
  const first = environment.KUBECONFIG?.split(delimiter).find((path) => path !== "");
  return first ?? join(environment.HOME ?? homedir(), ".kube", "config");
}

function parse(text: string, path: string): Document {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error) throw new ConfigError(`${path}: ${error.message.split("\n")[0]}; it is left as it is`);
  if (document.contents === null) return new Document({ apiVersion: "v1", kind: "Config" });
  if (!isMap(document.contents)) throw new ConfigError(`${path}: not a kubeconfig; it is left as it is`);
  return document;
}

function sequenceOf(document: Document, list: string): YAMLSeq {
  const found = document.get(list);
  if (isSeq(found)) return found as YAMLSeq;
  const made = new YAMLSeq();
  document.set(list, made);
  return made;
}

function indexOf(sequence: YAMLSeq, name: string): number {
  return sequence.items.findIndex((item) => isMap(item) && item.get("name") === name);
}

/** The kubeconfig's text with our entries put in or replaced, and our context made the current one. */
export function mergeKubeconfig(text: string | undefined, entries: KubeconfigEntries, path = "kubeconfig"): string {
  if (text === undefined || text.trim() === "") return formatKubeconfig(entries);
  const document = parse(text, path);
  const { cluster, context, user } = kubeconfigEntries(entries);
  for (const [list, entry] of [
    ["clusters", cluster],
    ["contexts", context],
    ["users", user],
  ] as const) {
    const sequence = sequenceOf(document, list);
    sequence.flow = false;
    const node = document.createNode(entry);
    const index = indexOf(sequence, entry.name);
    if (index < 0) sequence.add(node);
    else sequence.set(index, node);
  }
  document.set("current-context", entries.contextName);
  return document.toString({ lineWidth: 0 });
}

/** The kubeconfig's text without the cluster's context and what only it used. */
export function withoutContext(text: string, contextName: string, path = "kubeconfig"): string {
  const document = parse(text, path);
  const contexts = sequenceOf(document, "contexts");
  const index = indexOf(contexts, contextName);
  if (index < 0) return text;
  const [removed] = contexts.items.splice(index, 1);
  const names = (removed as { toJSON(): { context?: { cluster?: string; user?: string } } }).toJSON().context ?? {};
  const left = contexts.toJSON() as { context?: { cluster?: string; user?: string } }[];
  for (const [list, field] of [
    ["clusters", "cluster"],
    ["users", "user"],
  ] as const) {
    const name = names[field];
    if (name === undefined || left.some(({ context }) => context?.[field] === name)) continue;
    const sequence = sequenceOf(document, list);
    const at = indexOf(sequence, name);
    if (at >= 0) sequence.items.splice(at, 1);
  }
  if (document.get("current-context") === contextName) document.set("current-context", "");
  for (const list of LISTS) sequenceOf(document, list).flow = sequenceOf(document, list).items.length === 0;
  return document.toString({ lineWidth: 0 });
}

function keptMode(path: string): number {
  return (statSync(path, { throwIfNoEntry: false })?.mode ?? 0o600) & 0o777;
}

/** Puts the entries into the person's kubeconfig and makes their context the current one. */
export async function mergeIntoUserKubeconfig(
  entries: KubeconfigEntries,
  { path = userKubeconfigPath() }: { path?: string } = {},
): Promise<void> {
  const text = readIfPresent(path);
  const merged = mergeKubeconfig(text, entries, path);
  if (merged !== text) writeWhole(path, merged, keptMode(path));
}

/** Takes the context out of the person's kubeconfig again. */
export async function removeFromUserKubeconfig(
  contextName: string,
  { path = userKubeconfigPath() }: { path?: string } = {},
): Promise<void> {
  const text = readIfPresent(path);
  if (text === undefined || text.trim() === "") return;
  const left = withoutContext(text, contextName, path);
  if (left !== text) writeWhole(path, left, keptMode(path));
}
