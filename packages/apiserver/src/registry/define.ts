// Makes a ResourceDefinition out of a kind's declaration: adds what all kinds with a /status, or with a pod spec, share.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import { cloneJson } from "../storage/clone-json.js";
import { dropDisabledPodFields, podSpecOf } from "./core/disabled-pod-fields.js";
import { isOwnWrite } from "./own-write.js";
import type { ResourceDefinition } from "./resource-definition.js";

interface WithStatus {
  status?: unknown;
}

/** Declares a kind. With hasStatus, a create drops the status that the client sent and an update of the main resource keeps the old one, unless the apiserver itself writes. */
export function define<T extends KubernetesObject>(
  definition: ResourceDefinition<T> & {
    /** A create keeps the status that the client sent (nodes). */
    readonly keepsStatusOnCreate?: boolean;
  },
): ResourceDefinition {
  const { keepsStatusOnCreate, ...declared } = definition;
  const rest = withoutDisabledFields(declared);
  if (!rest.hasStatus) return rest as unknown as ResourceDefinition;
  const withStatus: ResourceDefinition<T> = {
    ...rest,
    async prepareForCreate(object, context) {
      if (!keepsStatusOnCreate) (object as WithStatus).status = {};
      await rest.prepareForCreate?.(object, context);
    },
    async prepareForUpdate(object, old, context) {
      const status = (old as WithStatus).status;
      if (isOwnWrite(context)) return rest.prepareForUpdate?.(object, old, context);
      if (status === undefined) delete (object as WithStatus).status;
      else (object as WithStatus).status = cloneJson(status);
      await rest.prepareForUpdate?.(object, old, context);
    },
  };
  return withStatus as unknown as ResourceDefinition;
}

/** Kinds with a pod spec lose the fields that feature gates switch off. */
function withoutDisabledFields<T extends KubernetesObject>(definition: ResourceDefinition<T>): ResourceDefinition<T> {
  const specOf = podSpecOf(definition.resource);
  if (!specOf) return definition;
  return {
    ...definition,
    prepareForCreate(object, context) {
      dropDisabledPodFields(specOf(object));
      return definition.prepareForCreate?.(object, context);
    },
    prepareForUpdate(object, old, context) {
      dropDisabledPodFields(specOf(object), specOf(old));
      return definition.prepareForUpdate?.(object, old, context);
    },
  };
}
