// LimitRanger: gives containers the namespace's default requests and limits, and refuses what is out of its bounds.

import { limitranges, type PersistentVolumeClaim, type Pod, persistentvolumeclaims, pods } from "@picokube/api/core/v1";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { AdmissionAttributes, AdmissionPlugin } from "./admission.js";
import { admissionForbidden, aggregateWords, concerns } from "./forbidden.js";
import {
  applyContainerDefaults,
  askedBy,
  containerDefaults,
  type LimitItem,
  limitFaults,
  podLimitFaults,
} from "./limit-range-check.js";

const ANNOTATION = "kubernetes.io/limit-ranger";

/** What the range's items would set where the pod says nothing; tells what was set. */
function applyDefaults(pod: Pod, items: readonly LimitItem[]): string[] {
  const groups = [
    { word: "container", containers: pod.spec?.containers ?? [] },
    { word: "init container", containers: pod.spec?.initContainers ?? [] },
  ];
  const defaults = containerDefaults(items);
  const notes: string[] = [];
  for (const { word, containers } of groups) {
    for (const container of containers) {
      const { requests, limits } = applyContainerDefaults(defaults, container);
      if (requests.length > 0) notes.push(`${requests.sort().join(", ")} request for ${word} ${container.name}`);
      if (limits.length > 0) notes.push(`${limits.sort().join(", ")} limit for ${word} ${container.name}`);
    }
  }
  return notes;
}

export function limitRanger(storage: StorageRegistry): AdmissionPlugin {
  const rangesOf = (namespace: string): LimitItem[][] =>
    storage
      .for(limitranges)
      .list(namespace)
      .map(({ spec }) => (spec?.limits ?? []) as unknown as LimitItem[]);

  function isRelevant(attributes: AdmissionAttributes): boolean {
    const { operation, namespace, object, oldObject } = attributes;
    if (namespace === "" || !object || oldObject?.metadata.deletionTimestamp) return false;
    if (concerns(attributes, pods, ["resize"])) return operation === "UPDATE";
    // A pod's resources change by a resize alone; those of a claim may grow.
    if (concerns(attributes, pods)) return operation === "CREATE";
    return concerns(attributes, persistentvolumeclaims) && (operation === "CREATE" || operation === "UPDATE");
  }

  return {
    name: "LimitRanger",
    admit(attributes) {
      if (!isRelevant(attributes) || attributes.resource.resource !== "pods") return;
      const pod = attributes.object as Pod;
      for (const items of rangesOf(attributes.namespace)) {
        const notes = applyDefaults(pod, items);
        if (notes.length === 0) continue;
        const value = `LimitRanger plugin set: ${notes.join("; ")}`;
        pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATION]: value };
      }
    },
    validate(attributes) {
      if (!isRelevant(attributes)) return;
      // The first range that is not kept speaks, as upstream.
      for (const items of rangesOf(attributes.namespace)) {
        const faults = items.flatMap((item) => {
          if (attributes.resource.resource === "pods") return podLimitFaults(item, attributes.object as Pod);
          if (item.type !== "PersistentVolumeClaim") return [];
          const { spec } = attributes.object as PersistentVolumeClaim;
          return limitFaults(item, askedBy({ resources: { requests: spec?.resources?.requests as never } }));
        });
        if (faults.length > 0) throw admissionForbidden(attributes, aggregateWords(faults));
      }
    },
  };
}
