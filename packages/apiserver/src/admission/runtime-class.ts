// RuntimeClass: gives a pod the overhead and the scheduling rules of the runtime class that it names.

import { type Pod, type PodSpec, pods } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { type RuntimeClass, runtimeclasses } from "@picokube/api/node/v1";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { AdmissionAttributes, AdmissionPlugin } from "./admission.js";
import { admissionForbidden, concerns } from "./forbidden.js";

function refuseOverhead(attributes: AdmissionAttributes, { overhead }: PodSpec): void {
  if (Object.keys(overhead ?? {}).length === 0) return;
  throw admissionForbidden(
    attributes,
    "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
  );
}

function setOverhead(attributes: AdmissionAttributes, spec: PodSpec, { overhead }: RuntimeClass): void {
  if (!overhead?.podFixed) {
    refuseOverhead(attributes, spec);
    return;
  }
  if (spec.overhead && !semanticDeepEqual(spec.overhead, overhead.podFixed)) {
    throw admissionForbidden(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
  }
  spec.overhead = structuredClone(overhead.podFixed);
}

function setScheduling(attributes: AdmissionAttributes, spec: PodSpec, { scheduling }: RuntimeClass): void {
  if (!scheduling) return;
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    const own = spec.nodeSelector?.[key];
    if (own !== undefined && own !== value) {
      const words = `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`;
      throw admissionForbidden(attributes, words);
    }
    spec.nodeSelector = { ...spec.nodeSelector, [key]: value };
  }
  for (const toleration of scheduling.tolerations ?? []) {
    if (spec.tolerations?.some((own) => semanticDeepEqual(own, toleration))) continue;
    spec.tolerations = [...(spec.tolerations ?? []), { ...toleration }];
  }
}

export function runtimeClass(storage: StorageRegistry): AdmissionPlugin {
  return {
    name: "RuntimeClass",
    admit(attributes) {
      if (attributes.operation !== "CREATE" || !concerns(attributes, pods)) return;
      const { spec } = attributes.object as Pod;
      if (!spec) return;
      if (!spec.runtimeClassName) return refuseOverhead(attributes, spec);
      const found = storage.for(runtimeclasses).get("", spec.runtimeClassName);
      if (!found) {
        throw admissionForbidden(attributes, `pod rejected: RuntimeClass "${spec.runtimeClassName}" not found`);
      }
      setOverhead(attributes, spec, found);
      setScheduling(attributes, spec, found);
    },
  };
}
