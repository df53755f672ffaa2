// PATCH of an object or of one of its subresources: the patch is applied to the current object anew at each attempt.

import { conflict } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { readPatch } from "../patch/apply-patch.js";
import { patchedObject } from "../patch/patched-object.js";
import { ownershipSchema } from "../storage/field-tracking.js";
import type { Written } from "../storage/resource-writer.js";
import type { ServedStorage } from "../storage/storage-registry.js";
import { applier, isApply, readConfiguration } from "./apply.js";
import type { Handler, HandlerDependencies } from "./dependencies.js";
import { type Exchange, readBody } from "./exchange.js";
import { representationOf } from "./represent.js";
import { checkName } from "./update.js";
import { decodingOf, type WriteOptions, writeOptionsOf } from "./write-options.js";
import { sendWritten } from "./written.js";

export const handlePatch: Handler = async (exchange, target, dependencies) => {
  representationOf(exchange);
  const applies = isApply(exchange);
  const options = writeOptionsOf(exchange, dependencies, { kind: "PatchOptions", isApply: applies });
  const write = applies ? applyPatch : changeByPatch;
  const written = await write(exchange, target, { dependencies, options });
  await sendWritten(exchange, { written, served: target.served, nowMs: options.context.now() });
};

interface Patching {
  readonly dependencies: HandlerDependencies;
  readonly options: WriteOptions;
}

async function applyPatch(
  exchange: Exchange,
  { served, writer }: ServedStorage,
  { dependencies, options }: Patching,
): Promise<Written> {
  const { info, request } = exchange;
  const config = await readConfiguration(await readBody(request), {
    ...decodingOf(exchange, { served, options }),
    schema: ownershipSchema(served),
  });
  const namespace = served.resource.namespaced ? info.namespace : "";
  const { subresource, name } = info;
  const apply = applier(config, { served, subresource, options });
  const applied = (live: KubernetesObject | undefined) => {
    const object = apply(live);
    checkName(object, info, namespace);
    return object;
  };
  return writer.update({
    namespace,
    name,
    subresource,
    context: options.context,
    admission: dependencies.admission,
    transform: applied,
    create:
      subresource === ""
        ? async () => {
            await dependencies.authorizeCreate(exchange);
            const object = applied(undefined);
            const { uid } = object.metadata;
            if (uid) throw conflict(served.resource, name, uidMismatch(uid));
            return object;
          }
        : undefined,
  });
}

async function changeByPatch(
  exchange: Exchange,
  { served, writer }: ServedStorage,
  { dependencies, options }: Patching,
): Promise<Written> {
  const { request, info } = exchange;
  const decoding = decodingOf(exchange, { served, options });
  const patch = readPatch(await readBody(request), decoding);
  const namespace = served.resource.namespaced ? info.namespace : "";
  return writer.update({
    namespace,
    name: info.name,
    subresource: info.subresource,
    context: options.context,
    admission: dependencies.admission,
    transform(current: KubernetesObject) {
      const { resourceVersion } = current.metadata;
      const document = current as unknown as { [field: string]: unknown };
      const object = patchedObject(document, patch, decoding);
      checkName(object, info, namespace);
      // A patch that does not speak of the resourceVersion applies to whatever is current.
      object.metadata.resourceVersion ||= resourceVersion;
      return object;
    },
  });
}

function uidMismatch(uid: string): string {
  return `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
}
