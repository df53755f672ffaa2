// The /scale subresource: autoscaling/v1 Scale as a view of an object that has replicas.

import { invalid, methodNotAllowed } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { definition, definitionNameOf } from "@picokube/api/schema/load";
import { invalidValue } from "@picokube/api/validation/field-error";
import { setEntries } from "../apply/managed-fields.js";
import { entriesAfterScale, entriesAfterScaleApply, type ScaleWrite } from "../apply/scale-ownership.js";
import { decodeObject, decodeValue, fieldValidationOf } from "../decode/decode-object.js";
import { patcherOf } from "../patch/apply-patch.js";
import type { RequestContext } from "../registry/resource-definition.js";
import { fieldWriteOf } from "../storage/field-tracking.js";
import type { Transform } from "../storage/resource-writer.js";
import type { ServedResource } from "../storage/served-resource.js";
import type { ServedStorage } from "../storage/storage-registry.js";
import { applyOptionsOf, decodeMerged, isApply, readConfiguration } from "./apply.js";
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
  const transform =
    isPatch && isApply(exchange)
      ? await applying(exchange, target, context)
      : await changing(exchange, target, { context, options });
  const written = await writer.update({
    namespace: info.namespace,
    name: info.name,
    subresource: "scale",
    context,
    admission: dependencies.admission,
    transform,
  });
  await sendPlain(exchange, 200, scaleOf(served, written.object));
};

/** Lays a Scale that the client sends, whole or as a patch, over the object. */
async function changing(
  exchange: Exchange,
  { served }: ServedStorage,
  { context, options }: { context: RequestContext; options: "PatchOptions" | "UpdateOptions" },
): Promise<Transform<KubernetesObject>> {
  const { info, request } = exchange;
  const fieldValidation = fieldValidationOf(info.query);
  const decode = { kind: SCALE, fieldValidation, warn: (message: string) => exchange.warn(message) };
  const contentType = request.headers["content-type"];
  const write = scaleWrite(served, { manager: fieldManagerOf(exchange, options), context });
  const body = await readBody(request);
  const patch = options === "PatchOptions" ? patcherOf(body, contentType, SCALE) : undefined;
  const wanted = patch ? undefined : await decodeObject<Scale>(body, { ...decode, contentType });
  return (current) => {
    const before = scaleOf(served, current);
    const scale = wanted ?? decodeValue<Scale>(patch!(before as unknown as { [field: string]: unknown }), decode);
    checkName(scale, info, info.namespace);
    const replicas = scale.spec?.replicas ?? 0;
    if (replicas !== before.spec!.replicas) setEntries(current, entriesAfterScale(current, write));
    return scaled(current, { scale, replicas, served });
  };
}

/** Applies the one field of a Scale that means something; a Scale that does not speak of it changes nothing. */
async function applying(
  exchange: Exchange,
  { served }: ServedStorage,
  context: RequestContext,
): Promise<Transform<KubernetesObject>> {
  const { info, request } = exchange;
  const { manager, force } = applyOptionsOf(exchange);
  const schema = definition(definitionNameOf(SCALE)!);
  const config = await readConfiguration(await readBody(request), { kind: SCALE, schema });
  const scale = decodeMerged(config, SCALE) as Scale;
  checkName(scale, info, info.namespace);
  const write = scaleWrite(served, { manager, context });
  return (current) => {
    const before = scaleOf(served, current).spec!.replicas!;
    const replicas = scale.spec?.replicas ?? before;
    if (scale.spec?.replicas !== undefined) {
      setEntries(current, entriesAfterScaleApply(current, write, { isChange: replicas !== before, force }));
    }
    return scaled(current, { scale, replicas, served });
  };
}

function scaleWrite(
  served: ServedResource,
  { manager, context }: { manager: string; context: RequestContext },
): ScaleWrite {
  const write = fieldWriteOf(served, { manager, subresource: "scale", nowMs: context.now() });
  return { ...write, path: served.definition.scale!.specReplicas };
}

/** The object with the replicas of the Scale, under the preconditions that its metadata states. In place. */
function scaled(
  current: KubernetesObject,
  { scale, replicas, served }: { scale: Scale; replicas: number; served: ServedResource },
): KubernetesObject {
  if (replicas < 0) {
    const fault = invalidValue("spec.replicas", replicas, "must be greater than or equal to 0");
    throw invalid(SCALE, current.metadata.name, [fault]);
  }
  setPath(current, served.definition.scale!.specReplicas, replicas);
  const { resourceVersion, uid } = scale.metadata;
  current.metadata.resourceVersion = resourceVersion || current.metadata.resourceVersion;
  if (uid) current.metadata.uid = uid;
  return current;
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
