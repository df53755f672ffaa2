// PATCH with application/apply-patch+yaml: server-side apply, of an object or of its status or scale. Makes the object
// when there is none.

import { badRequest, type FieldError, invalid } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { type GroupVersionKind, parseApiVersion } from "@picokube/api/resource";
import { definitionNameOf } from "@picokube/api/schema/load";
import { required } from "@picokube/api/validation/field-error";
import { configFault } from "../apply/check-config.js";
import { applyConfiguration, ownershipSchema } from "../apply/field-manager.js";
import { isJsonObject, type JsonObject } from "../apply/field-type.js";
import { parseJson, parseYaml } from "../decode/decode-object.js";
import { decodeTyped } from "../decode/typed-decoder.js";
import type { RequestContext } from "../registry/resource-definition.js";
import type { ServedResource } from "../storage/served-resource.js";
import type { Exchange } from "./exchange.js";
import { managerFaults } from "./field-manager-option.js";

export const APPLY_PATCH = "application/apply-patch+yaml";

/** True for a request that applies a configuration. */
export function isApply({ request }: Exchange): boolean {
  return (request.headers["content-type"] ?? "").split(";")[0]!.trim().toLowerCase() === APPLY_PATCH;
}

export interface ApplyOptions {
  readonly manager: string;
  readonly force: boolean;
}

/** Reads fieldManager and force; throws 422 for a missing manager and 400 for no boolean. */
export function applyOptionsOf({ info }: Exchange): ApplyOptions {
  const manager = info.query.get("fieldManager") ?? "";
  const faults: FieldError[] = [
    ...(manager === "" ? [required("fieldManager", "is required for apply patch")] : []),
    ...managerFaults(manager),
  ];
  if (faults.length > 0) throw invalid({ group: "meta.k8s.io", kind: "PatchOptions" }, "", faults);
  const force = info.query.get("force") ?? "";
  return { manager, force: force !== "" && force !== "false" && force !== "0" };
}

/** A configuration as it came, its kind checked. Throws 400. */
export async function readConfiguration(body: Buffer, kind: GroupVersionKind): Promise<JsonObject> {
  const config = await parseConfiguration(body.toString());
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
  const fault = configFault(config, ownershipSchema(kind));
  if (fault !== undefined) {
    const name = `${String(metadata.namespace ?? "")}/${String(metadata.name ?? "")}`;
    throw badRequest(`failed to create typed patch object (${name}; ${found}): ${fault}`);
  }
  return config;
}

async function parseConfiguration(text: string): Promise<unknown> {
  try {
    if (text.trimStart().startsWith("{")) return parseJson(text).value;
  } catch {
    // What is no JSON may still be YAML in flow style.
  }
  try {
    return (await parseYaml(text)) ?? {};
  } catch (error) {
    throw badRequest(`error decoding YAML: ${(error as Error).message}`, { cause: error });
  }
}

function kindText({ group, version, kind }: GroupVersionKind): string {
  return `${group}/${version}, Kind=${kind}`;
}

/** Decodes a configuration that was checked; throws 400 for a value of the right type that is none (a quantity "x"). */
export function decodeConfiguration(config: JsonObject, kind: GroupVersionKind): JsonObject & KubernetesObject {
  const name = definitionNameOf(kind);
  if (name === undefined) return structuredClone(config) as JsonObject & KubernetesObject;
  try {
    const { value } = decodeTyped(config, name);
    const object = value as JsonObject & KubernetesObject;
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

/** What an apply through the subresource may speak of; the rest of the configuration is passed over, as upstream does. */
export function configurationFor(
  { metadata, status, ...rest }: JsonObject & KubernetesObject,
  { served, subresource }: { served: ServedResource; subresource: string },
): JsonObject {
  if (subresource !== "status") {
    const isKept = subresource !== "" || !served.definition.hasStatus || status === undefined;
    return isKept && status !== undefined ? { ...rest, metadata, status } : { ...rest, metadata };
  }
  const { apiVersion, kind } = rest;
  const { name, namespace, uid, resourceVersion } = metadata;
  const identity = Object.fromEntries(
    Object.entries({ name, namespace, uid, resourceVersion }).filter(([, value]) => value !== undefined),
  );
  const keepsMetadata = kind === "Pod" || kind === "Node";
  return {
    apiVersion,
    kind,
    metadata: keepsMetadata ? metadata : identity,
    ...(status === undefined ? {} : { status }),
  };
}

/** Makes the function that applies the configuration to the current object, or to none. */
export function applier(
  sent: JsonObject,
  {
    served,
    subresource,
    context,
    options,
  }: { served: ServedResource; subresource: string; context: RequestContext; options: ApplyOptions },
): (live: KubernetesObject | undefined) => KubernetesObject {
  const { resource, apiVersion } = served;
  return (live) =>
    applyConfiguration(live, {
      kind: resource,
      apiVersion,
      subresource,
      nowMs: context.now(),
      ignoreStatus: subresource === "" && served.definition.hasStatus,
      manager: options.manager,
      force: options.force,
      sent,
      // Decoded anew each time: what is made of it is changed by defaulting.
      config: configurationFor(decodeConfiguration(sent, resource), { served, subresource }),
      decode(value) {
        try {
          return decodeConfiguration(value, resource);
        } catch {
          return undefined;
        }
      },
    });
}
