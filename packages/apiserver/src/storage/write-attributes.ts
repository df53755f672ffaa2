// A write as admission sees it. Admits nothing itself.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { AdmissionAttributes } from "../admission/admission.js";
import type { RequestContext } from "../registry/resource-definition.js";
import type { ServedResource } from "./served-resource.js";

/** The attributes of a write; object is left out for a delete, oldObject for a create. */
export function attributesOf<T extends KubernetesObject>(
  { resource: { group, version, kind, resource } }: ServedResource<T>,
  {
    operation,
    object,
    oldObject,
    context,
    subresource,
  }: {
    operation: AdmissionAttributes["operation"];
    object?: T;
    oldObject?: T;
    context: RequestContext;
    subresource: string;
  },
): AdmissionAttributes {
  const { namespace = "", name = "" } = (object ?? oldObject)!.metadata;
  return {
    operation,
    resource: { group, version, resource },
    kind: { group, version, kind },
    subresource,
    namespace: resource === "namespaces" && group === "" ? name : namespace,
    name,
    user: context.user,
    dryRun: context.dryRun,
    object,
    oldObject,
    warn: (message) => context.warn(message),
    annotate: (key, value) => context.annotate?.(key, value),
  };
}
