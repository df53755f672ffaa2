// The way from client-side to server-side apply: what kubectl's annotation lets kubectl take over without a conflict,
// and the annotation kept in step afterwards (apimachinery managedfields lastappliedmanager.go, lastappliedupdater.go).

import type { KubernetesObject } from "@picokube/api/meta/v1";
import { appliedSet } from "./applied-set.js";
import { configFault } from "./check-config.js";
import { compare } from "./compare.js";
import { difference, EMPTY, type FieldSet } from "./field-set.js";
import { isJsonObject, type JsonObject } from "./field-type.js";
import type { Versioning } from "./versions.js";

const ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";
const TOTAL_ANNOTATIONS_BYTES = 256 * 1024;

/** The one manager that was a client-side applier before. */
export const KUBECTL = "kubectl";

/** Fields whose live value is still what client-side apply last wrote. */
export function allowedByLastApplied(
  live: KubernetesObject,
  { apiVersion, schemaIn }: Pick<Versioning, "apiVersion" | "schemaIn">,
): FieldSet {
  const text = live.metadata.annotations?.[ANNOTATION];
  if (text === undefined) return EMPTY;
  const lastApplied = parsed(text);
  const schema = schemaIn(apiVersion);
  if (lastApplied?.apiVersion !== apiVersion || configFault(lastApplied, schema) !== undefined) return EMPTY;
  const { changed, removed } = compare(lastApplied, live, schema);
  return difference(difference(appliedSet(lastApplied, schema), changed), removed);
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Writes the configuration into the annotation of an object that has one. In place. */
export function syncLastApplied({ metadata }: KubernetesObject, config: JsonObject): void {
  if (!metadata.annotations?.[ANNOTATION]) return;
  const { [ANNOTATION]: _old, ...others } = metadata.annotations;
  const text = `${goJson(withoutAnnotation(config))}\n`;
  const sizes = Object.entries(others).map(([key, value]) => Buffer.byteLength(key) + Buffer.byteLength(value));
  const size = sizes.reduce((sum, each) => sum + each, ANNOTATION.length + Buffer.byteLength(text));
  metadata.annotations = size > TOTAL_ANNOTATIONS_BYTES ? others : { ...others, [ANNOTATION]: text };
}

/** The configuration with annotations, if none but an empty map of them, as kubectl writes it. */
function withoutAnnotation(config: JsonObject): JsonObject {
  const metadata = isJsonObject(config.metadata) ? config.metadata : {};
  const { [ANNOTATION]: _old, ...annotations } = isJsonObject(metadata.annotations) ? metadata.annotations : {};
  return { ...config, metadata: { ...metadata, annotations } };
}

/** JSON as Go writes maps: fields in order, and nothing in it that HTML would read. */
function goJson(value: unknown): string {
  const text = JSON.stringify(value, sortedFields);
  return text.replace(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function sortedFields(_name: string, value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
