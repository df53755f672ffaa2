// The /scale subresource: autoscaling/v1 Scale as a view of an object that has replicas.

import { invalid, methodNotAllowed } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { invalidValue } from "@picokube/api/validation/field-error";
import type { JsonObject } from "../apply/field-type.js";
import { decodeObject, decodeValue, fieldValidationOf } from "../decode/decode-object.js";
import { patcherOf } from "../patch/apply-patch.js";
import type { RequestContext } from "../registry/resource-definition.js";
import type { Transform } from "../storage/resource-writer.js";
import type { ServedResource } from "../storage/served-resource.js";
import type { ServedStorage } from "../storage/storage-registry.js";
import { applier, applyOptionsOf, isApply, readConfiguration } from "./apply.js";
import { contextOf, currentItem, dryRunOf, type Handler } from "./dependencies.js";
import { type Exchange, readBody } from "./exchange.js";
import { fieldManagerOf } from "./field-manager-option.js";
import { sendPlain } from "./represent.js";
import { checkName } from "./update.js";

const SCALE = { group: "autoscaling", version: "v1", kind: "Scale" };

interface Scale extends KubernetesObject {
  spec?: { replicas?: number };
  status?: { replicas: number; selector?: string };
}

export const handleScale: Handler = async (exchange, target, dependencies) => {
  const { served, writer } = target;
  const { info } = exchange;
  if (info.verb === "get") {
    const scale = scaleOf(served, served.objectOf(currentItem(target, exchange)));
    return sendPlain(exchange, 200, scale);
  }
  if (info.verb !== "update" && info.verb !== "patch") throw methodNotAllowed(served.resource, info.verb);
  const isPatch = info.verb === "patch";
  const options = isPatch ? "PatchOptions" : "UpdateOptions";
  const context = contextOf(exchange, dependencies, dryRunOf(info.query.getAll("dryRun"), options));
  fieldValidationOf(info.query);
  const isApplied = isPatch && isApply(exchange);
  const transform = isApplied
    ? await applying(exchange, target, context)
    : await changing(exchange, target, { isPatch });
  const written = await writer.update({
    namespace: info.namespace,
    name: info.name,
    subresource: "scale",
    context: isApplied ? context : { ...context, fieldManager: fieldManagerOf(exchange, options) },
    admission: dependencies.admission,
    transform,
  });
  await sendPlain(exchange, 200, scaleOf(served, written.object));
};

/** Lays a Scale that the client sends, whole or as a patch, over the object. */
async function changing(
  exchange: Exchange,
  { served }: ServedStorage,
  { isPatch }: { isPatch: boolean },
): Promise<Transform<KubernetesObject>> {
  const { info, request } = exchange;
  const fieldValidation = fieldValidationOf(info.query);
  const decode = { kind: SCALE, fieldValidation, warn: (message: string) => exchange.warn(message) };
  const contentType = request.headers["content-type"];
  const body = await readBody(request);
  const patch = isPatch ? patcherOf(body, contentType, SCALE) : undefined;
  const wanted = patch ? undefined : await decodeObject<Scale>(body, { ...decode, contentType });
  return (current) => {
    const before = scaleOf(served, current);
    const scale = wanted ?? decodeValue<Scale>(patch!(before as unknown as { [field: string]: unknown }), decode);
    checkName(scale, info, info.namespace);
    const replicas = scale.spec?.replicas ?? 0;
    checkReplicas(replicas, info.name);
    setPath(current, served.definition.scale!.specReplicas, replicas);
    current.metadata.resourceVersion = scale.metadata.resourceVersion || current.metadata.resourceVersion;
    if (scale.metadata.uid) current.metadata.uid = scale.metadata.uid;
    return current;
  };
}

/** Applies the one field of a Scale that means something as that field of the object itself. */
async function applying(
  exchange: Exchange,
  { served }: ServedStorage,
  context: RequestContext,
): Promise<Transform<KubernetesObject>> {
  const { info, request } = exchange;
  const options = applyOptionsOf(exchange);
  const scale = (await readConfiguration(await readBody(request), SCALE)) as JsonObject & Partial<Scale>;
  const { name, namespace, uid, resourceVersion } = (scale.metadata ?? {}) as KubernetesObject["metadata"];
  const metadata = Object.fromEntries(
    Object.entries({ name, namespace, uid, resourceVersion }).filter(([, value]) => value != null),
  );
  checkName({ metadata: { ...metadata, name } } as KubernetesObject, info, info.namespace);
  const config: JsonObject = { apiVersion: served.apiVersion, kind: served.kind, metadata };
  const replicas = scale.spec?.replicas;
  if (replicas != null) {
    checkReplicas(replicas, info.name);
    setPath(config, served.definition.scale!.specReplicas, replicas);
  }
  return applier(config, { served, subresource: "scale", context, options });
}

function checkReplicas(replicas: number, name: string): void {
  if (replicas >= 0) return;
  throw invalid(SCALE, name, [invalidValue("spec.replicas", replicas, "must be greater than or equal to 0")]);
}

function scaleOf(served: ServedResource, object: KubernetesObject): Scale {
  const paths = served.definition.scale!;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = paths.selector(object);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, ...(namespace ? { namespace } : {}), uid, resourceVersion, creationTimestamp },
    spec: { replicas: numberAt(object, paths.specReplicas) },
    status: { replicas: numberAt(object, paths.statusReplicas), ...(selector ? { selector } : {}) },
  };
}

function numberAt(object: object, path: string): number {
  let value: unknown = object;
  for (const field of path.split(".")) value = (value as Record<string, unknown> | undefined)?.[field];
  return typeof value === "number" ? value : 0;
}

function setPath(object: object, path: string, value: number): void {
  const fields = path.split(".");
  let at = object as Record<string, unknown>;
  for (const field of fields.slice(0, -1)) {
    at[field] ??= {};
    at = at[field] as Record<string, unknown>;
  }
  at[fields[fields.length - 1]!] = value;
}
