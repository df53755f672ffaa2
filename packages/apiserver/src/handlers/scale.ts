// The /scale subresource: autoscaling/v1 Scale as a view of an object that has replicas.

import { invalid, methodNotAllowed } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { definition, definitionNameOf } from "@picokube/api/schema/load";
import { invalidValue } from "@picokube/api/validation/field-error";
import { setEntries } from "../apply/managed-fields.js";
import { entriesAfterScale, entriesAfterScaleApply, type ScaleWrite } from "../apply/scale-ownership.js";
import { decodeObject } from "../decode/decode-object.js";
import { readPatch } from "../patch/apply-patch.js";
import { patchedObject } from "../patch/patched-object.js";
import { fieldWriteOf } from "../storage/field-tracking.js";
import type { Transform } from "../storage/resource-writer.js";
import type { ServedResource } from "../storage/served-resource.js";
import type { ServedStorage } from "../storage/storage-registry.js";
import { decodeMerged, isApply, readConfiguration } from "./apply.js";
import { currentItem, type Handler } from "./dependencies.js";
import { type Exchange, readBody } from "./exchange.js";
import { sendPlain } from "./represent.js";
import { checkName } from "./update.js";
import { decodingOf, type WriteOptions, writeOptionsOf } from "./write-options.js";

const SCALE = { group: "autoscaling", version: "v1", kind: "Scale" };

/** A Scale is a Scale whatever it is of. */
const SCALE_DECODING = { kind: SCALE, custom: undefined };

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
  const applies = isPatch && isApply(exchange);
  const kind = isPatch ? "PatchOptions" : "UpdateOptions";
  const options = writeOptionsOf(exchange, dependencies, { kind, isApply: applies });
  const transform = applies
    ? await applying(exchange, target, options)
    : await changing(exchange, target, { options, isPatch });
  const written = await writer.update({
    namespace: info.namespace,
    name: info.name,
    subresource: "scale",
    context: options.context,
    admission: dependencies.admission,
    transform,
  });
  await sendPlain(exchange, 200, scaleOf(served, written.object));
};

/** Lays a Scale that the client sends, whole or as a patch, over the object. */
async function changing(
  exchange: Exchange,
  { served }: ServedStorage,
  { options, isPatch }: { options: WriteOptions; isPatch: boolean },
): Promise<Transform<KubernetesObject>> {
  const { info, request } = exchange;
  const decoding = { ...decodingOf(exchange, { served, options }), ...SCALE_DECODING };
  const write = scaleWrite(served, options);
  const body = await readBody(request);
  const patch = isPatch ? readPatch(body, decoding) : undefined;
  const wanted = patch ? undefined : await decodeObject<Scale>(body, decoding);
  return (current) => {
    const before = scaleOf(served, current);
    const document = structuredClone(before) as unknown as { [field: string]: unknown };
    const scale = wanted ?? patchedObject<Scale>(document, patch!, decoding);
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
  options: WriteOptions,
): Promise<Transform<KubernetesObject>> {
  const { info, request } = exchange;
  const schema = definition(definitionNameOf(SCALE)!);
  const decoding = { ...decodingOf(exchange, { served, options }), ...SCALE_DECODING, schema };
  const config = await readConfiguration(await readBody(request), decoding);
  const scale = decodeMerged(config, SCALE) as Scale;
  checkName(scale, info, info.namespace);
  const write = scaleWrite(served, options);
  const { force } = options;
  return (current) => {
    const before = scaleOf(served, current).spec!.replicas!;
    const replicas = scale.spec?.replicas ?? before;
    if (scale.spec?.replicas !== undefined) {
      setEntries(current, entriesAfterScaleApply(current, write, { isChange: replicas !== before, force }));
    }
    return scaled(current, { scale, replicas, served });
  };
}

function scaleWrite(served: ServedResource, { manager, context }: WriteOptions): ScaleWrite {
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
