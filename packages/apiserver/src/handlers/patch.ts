// PATCH of an object or of one of its subresources: the patch is applied to the current object anew at each attempt.

import { conflict, invalid } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { forbiddenField } from "@picokube/api/validation/field-error";
import { decodeValue, fieldValidationOf } from "../decode/decode-object.js";
import { notAnObject, patcherOf } from "../patch/apply-patch.js";
import type { RequestContext } from "../registry/resource-definition.js";
import { ownershipSchema } from "../storage/field-tracking.js";
import type { Written } from "../storage/resource-writer.js";
import type { ServedStorage } from "../storage/storage-registry.js";
import { applier, applyOptionsOf, isApply, readConfiguration } from "./apply.js";
import { contextOf, dryRunOf, type Handler, type HandlerDependencies } from "./dependencies.js";
import { type Exchange, readBody } from "./exchange.js";
import { fieldManagerOf } from "./field-manager-option.js";
import { representationOf, sendObject } from "./represent.js";
import { checkName } from "./update.js";

export const handlePatch: Handler = async (exchange, target, dependencies) => {
  const { info } = exchange;
  representationOf(exchange);
  const context = contextOf(exchange, dependencies, dryRunOf(info.query.getAll("dryRun"), "PatchOptions"));
  const written = isApply(exchange)
    ? await applyPatch(exchange, target, { dependencies, context })
    : await changeByPatch(exchange, target, { dependencies, context });
  const { bytes } = written;
  await sendObject(exchange, {
    code: written.created ? 201 : 200,
    served: target.served,
    object: () => written.object,
    bytes,
    nowMs: context.now(),
  });
};

interface Patching {
  readonly dependencies: HandlerDependencies;
  readonly context: RequestContext;
}

async function applyPatch(
  exchange: Exchange,
  { served, writer }: ServedStorage,
  { dependencies, context }: Patching,
): Promise<Written> {
  const { info, request } = exchange;
  fieldValidationOf(info.query);
  const options = applyOptionsOf(exchange);
  const config = await readConfiguration(await readBody(request), {
    kind: served.resource,
    schema: ownershipSchema(served),
  });
  const namespace = served.resource.namespaced ? info.namespace : "";
  const { subresource, name } = info;
  const apply = applier(config, { served, subresource, context, options });
  const applied = (live: KubernetesObject | undefined) => {
    const object = apply(live);
    checkName(object, info, namespace);
    return object;
  };
  return writer.update({
    namespace,
    name,
    subresource,
    context,
    admission: dependencies.admission,
    transform: applied,
    create:
      subresource === ""
        ? () => {
            dependencies.authorizeCreate(exchange);
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
  { dependencies, context }: Patching,
): Promise<Written> {
  const { request, info } = exchange;
  const fieldValidation = fieldValidationOf(info.query);
  if (info.query.has("force")) {
    const fault = forbiddenField("force", "may not be specified for non-apply patch");
    throw invalid({ group: "meta.k8s.io", kind: "PatchOptions" }, "", [fault]);
  }
  const fieldManager = fieldManagerOf(exchange, "PatchOptions");
  const patch = patcherOf(await readBody(request), request.headers["content-type"], served.resource);
  const namespace = served.resource.namespaced ? info.namespace : "";
  return writer.update({
    namespace,
    name: info.name,
    subresource: info.subresource,
    context: { ...context, fieldManager },
    admission: dependencies.admission,
    transform(current: KubernetesObject) {
      const { resourceVersion } = current.metadata;
      const patched = patch(current as unknown as { [field: string]: unknown });
      if (typeof patched !== "object" || patched === null) throw notAnObject(served.resource, info.name);
      const object = decodeValue(patched, {
        kind: served.resource,
        custom: served.definition.custom,
        fieldValidation,
        warn: (message) => exchange.warn(message),
      });
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
