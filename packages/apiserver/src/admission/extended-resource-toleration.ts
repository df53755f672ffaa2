// ExtendedResourceToleration: a pod that asks for an extended resource tolerates the taint of nodes kept for it.

import { type Pod, pods } from "@picokube/api/core/v1";
import type { AdmissionPlugin } from "./admission.js";
import { concerns } from "./forbidden.js";

/** Named with a domain that is not Kubernetes' own (upstream: IsExtendedResourceName). */
export function isExtendedResource(name: string): boolean {
  return name.includes("/") && !name.includes("kubernetes.io/") && !name.startsWith("requests.");
}

export function extendedResourceToleration(): AdmissionPlugin {
  return {
    name: "ExtendedResourceToleration",
    admit(attributes) {
      if (!concerns(attributes, pods)) return;
      if (attributes.operation !== "CREATE" && attributes.operation !== "UPDATE") return;
      const { spec } = attributes.object as Pod;
      if (!spec) return;
      const containers = [...spec.containers, ...(spec.initContainers ?? [])];
      const names = containers.flatMap(({ resources }) => Object.keys(resources?.requests ?? {}));
      for (const key of [...new Set(names.filter(isExtendedResource))].sort()) {
        const isThere = spec.tolerations?.some(
          (own) => own.key === key && own.operator === "Exists" && !own.effect && !own.value,
        );
        if (!isThere) spec.tolerations = [...(spec.tolerations ?? []), { key, operator: "Exists" }];
      }
    },
  };
}
