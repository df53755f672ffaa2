// The way from client-side to server-side apply: what kubectl's annotation lets kubectl take over without a conflict,
// and the annotation kept in step afterwards (apimachinery managedfields lastappliedmanager.go, lastappliedupdater.go).

import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { Schema } from "@picokube/api/schema/schema";
import { appliedSet } from "./applied-set.js";
import { compare } from "./compare.js";
import { difference, EMPTY, type FieldSet } from "./field-set.js";
import { isJsonObject, type JsonObject } from "./field-type.js";

const ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";
const TOTAL_ANNOTATIONS_BYTES = 256 * 1024;

/** The one manager that was a client-side applier before. */
export const KUBECTL = "kubectl";

/** Fields whose live value is still what client-side apply last wrote. */
export function allowedByLastApplied(
  live: KubernetesObject,
  {
    apiVersion,
    schema,
    decode,
  }: { apiVersion: string; schema: Schema; decode: (value: JsonObject) => object | undefined },
): FieldSet {
  const text = live.metadata.annotations?.[ANNOTATION];
  if (text === undefined) return EMPTY;
  const lastApplied = parsed(text);
  if (lastApplied?.apiVersion !== apiVersion) return EMPTY;
  const decoded = decode(lastApplied);
  if (decoded === undefined) return EMPTY;
  const { changed, removed } = compare(decoded, live, schema);
  return difference(difference(appliedSet(decoded, schema), changed), removed);
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
  if (metadata.annotations?.[ANNOTATION] === undefined) return;
  const { [ANNOTATION]: _old, ...others } = metadata.annotations;
  const text = `${JSON.stringify(withoutAnnotation(config), sortedFields)}\n`;
  const length = Object.entries(others).reduce((sum, [key, value]) => sum + key.length + value.length, text.length);
  metadata.annotations = length > TOTAL_ANNOTATIONS_BYTES ? others : { ...others, [ANNOTATION]: text };
}

function withoutAnnotation(config: JsonObject): JsonObject {
  const metadata = isJsonObject(config.metadata) ? config.metadata : {};
  if (!isJsonObject(metadata.annotations)) return config;
  const { [ANNOTATION]: _old, ...annotations } = metadata.annotations;
  return { ...config, metadata: { ...metadata, annotations } };
}

/** Go writes the fields of maps in order. */
function sortedFields(_name: string, value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
