// YAML files as Kubernetes reads them (YAML 1.1 through JSON), with faults told as file:line:column.
// Knows no component's settings.

import { readFile } from "node:fs/promises";
import { type Document, isAlias, LineCounter, parseAllDocuments, stringify, type Tags, visit } from "yaml";
import { ConfigError } from "./config-error.js";

// What JSON cannot hold is read as the text that it looks like.
const unwanted = new Set(["timestamp", "binary", "set", "omap", "pairs"].map((name) => `tag:yaml.org,2002:${name}`));

function plainTags(tags: Tags): Tags {
  return tags.filter(
    (tag) => typeof tag === "string" || !(unwanted.has(tag.tag) || ("format" in tag && tag.format === "TIME")),
  );
}

/** All documents of a text, empty ones left out; faults are ConfigErrors that begin with source:line:column. */
export function parseYamlDocuments(text: string, { source }: { source: string }): unknown[] {
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, { version: "1.1", merge: true, customTags: plainTags, lineCounter });
  const values: unknown[] = [];
  for (const document of documents as Document.Parsed[]) {
    const fault = document.errors[0];
    if (fault) {
      const { line, col } = lineCounter.linePos(fault.pos[0]);
      throw new ConfigError(
        `${source}:${line}:${col}: ${fault.message.split("\n")[0]!.replace(/ at line \d+.*$/, "")}`,
      );
    }
    const value = toPlain(document, source);
    if (value !== null && value !== undefined) values.push(value);
  }
  return values;
}

function toPlain(document: Document.Parsed, source: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    let aliased = false;
    visit(document, (_, node) => {
      aliased ||= isAlias(node);
    });
    throw new ConfigError(`${source}: ${aliased ? "too many aliases" : "cannot be read"}`, { cause: error });
  }
}

/** The one document of a YAML or JSON file. */
export async function loadYaml(path: string): Promise<unknown> {
  const documents = parseYamlDocuments(await readText(path), { source: path });
  if (documents.length > 1) throw new ConfigError(`${path}: holds ${documents.length} documents, one is wanted`);
  return documents[0];
}

/** A component's configuration file; its apiVersion and kind must be those asked for. */
export async function readConfigFile(
  path: string,
  { apiVersion, kind }: { apiVersion: string; kind: string },
): Promise<Record<string, unknown>> {
  const value = await loadYaml(path);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ConfigError(`${path}: is no ${kind}`);
  const document = value as Record<string, unknown>;
  if (document.kind !== kind || document.apiVersion !== apiVersion)
    throw new ConfigError(
      `${path}: no kind ${JSON.stringify(document.kind ?? "")} is registered for version ${JSON.stringify(document.apiVersion ?? "")}: want ${apiVersion} ${kind}`,
    );
  return document;
}

/** The text of a configuration, as parseYamlDocuments and upstream read it. */
export function formatYaml(value: unknown): string {
  return stringify(value, { compat: "yaml-1.1" });
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new ConfigError(`open ${path}: ${systemWords(error)}`, { cause: error });
  }
}

function systemWords(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT") return "no such file or directory";
  if (code === "EACCES") return "permission denied";
  if (code === "EISDIR") return "is a directory";
  return (error as Error).message;
}
