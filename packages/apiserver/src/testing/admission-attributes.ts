// What admission plugins are asked, for their tests: a request of alice's in the namespace dev. Data only.

import type { Pod } from "@picokube/api/core/v1";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { Resource } from "@picokube/api/resource";
import type { AdmissionAttributes } from "../admission/admission.js";

export type AttributeFields = Partial<Omit<AdmissionAttributes, "object" | "oldObject">> & {
  readonly object?: unknown;
  readonly oldObject?: unknown;
};

/** A CREATE unless the fields say otherwise. */
export function attributesOf(resource: Resource, fields: AttributeFields): AdmissionAttributes {
  const object = fields.object as KubernetesObject | undefined;
  return {
    operation: "CREATE",
    resource,
    kind: resource,
    subresource: "",
    namespace: resource.namespaced ? "dev" : "",
    name: object?.metadata?.name ?? "",
    user: { name: "alice", groups: ["system:authenticated"] },
    dryRun: false,
    oldObject: undefined,
    warn: () => {},
    ...fields,
    object,
  } as AdmissionAttributes;
}

/** A pod named web with one container named c. */
export const podOf = (spec: object = {}, metadata: object = {}) =>
  ({
    metadata: { name: "web", namespace: "dev", ...metadata },
    spec: { containers: [{ name: "c", image: "nginx" }], ...spec },
  }) as unknown as Pod;
