// PATCH with application/apply-patch+yaml: server-side apply, of an object or of one of its subresources. Makes the
// object when there is none.

import { badRequest } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { type GroupVersionKind, parseApiVersion } from "@picokube/api/resource";
import { definitionNameOf } from "@picokube/api/schema/load";
import type { Schema } from "@picokube/api/schema/schema";
import { configFault } from "../apply/check-config.js";
import { applyConfiguration } from "../apply/field-manager.js";
import { isJsonObject, type JsonObject } from "../apply/field-type.js";
import { type DecodeOptions, parseJson, parseYaml } from "../decode/decode-object.js";
import { findDuplicates } from "../decode/json-scanner.js";
import { decodeTyped } from "../decode/typed-decoder.js";
import type { CustomKind } from "../registry/resource-definition.js";
import { fieldWriteOf } from "../storage/field-tracking.js";
import type { ServedResource } from "../storage/served-resource.js";
import type { Exchange } from "./exchange.js";
import type { WriteOptions } from "./write-options.js";

export const APPLY_PATCH = "application/apply-patch+yaml";

/** True for a request that applies a configuration. */
export function isApply({ request }: Exchange): boolean {
  return (request.headers["content-type"] ?? "").split(";")[0]!.trim().toLowerCase() === APPLY_PATCH;
}

/** A configuration as it came, its kind checked and its fields judged by the schema of ownership. Throws 400. */
export async function readConfiguration(
  body: Buffer,
  {
    kind,
    schema,
    fieldValidation,
    warn,
  }: Pick<DecodeOptions, "kind" | "fieldValidation" | "warn"> & { schema: Schema },
): Promise<JsonObject> {
  const { value: config, repeated } = await parseConfiguration(body.toString());
  if (!isJsonObject(config)) {
    const word = Array.isArray(config) ? "array" : typeof config;
    throw badRequest(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${word} into Go value of type map[string]interface {}`,
    );
  }
  const { group, version } = parseApiVersion(typeof config.apiVersion === "string" ? config.apiVersion : "");
  const found = kindText({ group, version, kind: typeof config.kind === "string" ? config.kind : "" });
  if (found !== kindText(kind)) throw badRequest(`invalid object type: ${found}`);
  const metadata = isJsonObject(config.metadata) ? config.metadata : {};
  if (metadata.managedFields != null) throw badRequest("metadata.managedFields must be nil");
  const fault = configFault(config, schema);
  if (fault !== undefined) {
    const name = `${String(metadata.namespace ?? "")}/${String(metadata.name ?? "")}`;
    throw badRequest(`failed to create typed patch object (${name}; ${found}): ${fault}`);
  }
  if (repeated && fieldValidation === "Strict") throw badRequest(`error strict decoding YAML: ${repeated}`);
  if (repeated && fieldValidation === "Warn") warn(repeated);
  return config;
}

/** repeated: upstream's words for fields that stand twice, of which the last counts. */
async function parseConfiguration(text: string): Promise<{ value: unknown; repeated?: string | undefined }> {
  try {
    if (text.trimStart().startsWith("{")) return { value: parseJson(text).value, repeated: repeatedIn(text) };
  } catch {
    // What is no JSON may still be YAML in flow style.
  }
  try {
    return { value: (await parseYaml(text)) ?? {} };
  } catch (error) {
    throw badRequest(`error decoding YAML: ${(error as Error).message}`, { cause: error });
  }
}

function repeatedIn(json: string): string | undefined {
  const lines = findDuplicates(json).map(({ key, at }) => {
    const line = json.slice(0, at).split("\n").length;
    return `  line ${line}: key ${JSON.stringify(key)} already set in map`;
  });
  return lines.length > 0 ? ["error converting YAML to JSON: yaml: unmarshal errors:", ...lines].join("\n") : undefined;
}

function kindText({ group, version, kind }: GroupVersionKind): string {
  return `${group}/${version}, Kind=${kind}`;
}

/** Decodes what a configuration was merged into; throws 400 for a value of the right type that is none (a quantity "x"). */
export function decodeMerged(merged: JsonObject, kind: GroupVersionKind, custom?: CustomKind): KubernetesObject {
  const name = custom ? "" : definitionNameOf(kind);
  if (name === undefined) return structuredClone(merged) as unknown as KubernetesObject;
  try {
    const { value } = custom ? custom.decode(structuredClone(merged)) : decodeTyped(merged, name);
    const object = value as KubernetesObject;
    object.metadata ??= {} as KubernetesObject["metadata"];
    return object;
  } catch (error) {
    const { version } = kind;
    throw badRequest(
      `${kind.kind} in version "${version}" cannot be handled as a ${kind.kind}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** Makes the function that applies the configuration to the current object, or to none. */
export function applier(
  config: JsonObject,
  { served, subresource, options }: { served: ServedResource; subresource: string; options: WriteOptions },
): (live: KubernetesObject | undefined) => KubernetesObject {
  const { manager, force, context } = options;
  return (live) =>
    applyConfiguration(live, {
      ...fieldWriteOf(served, { manager, subresource, nowMs: context.now() }),
      config,
      force,
      decode: (merged) => decodeMerged(merged, served.resource, served.definition.custom),
    });
}
