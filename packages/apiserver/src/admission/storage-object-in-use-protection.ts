// StorageObjectInUseProtection: marks volumes and claims so that they stay while something uses them. The protection
// controllers take the mark away.

import { persistentvolumeclaims, persistentvolumes } from "@picokube/api/core/v1";
import type { AdmissionPlugin } from "./admission.js";
import { concerns } from "./forbidden.js";

export function storageObjectInUseProtection(): AdmissionPlugin {
  return {
    name: "StorageObjectInUseProtection",
    admit(attributes) {
      if (attributes.operation !== "CREATE" || !attributes.object) return;
      const finalizer = concerns(attributes, persistentvolumeclaims)
        ? "kubernetes.io/pvc-protection"
        : concerns(attributes, persistentvolumes)
          ? "kubernetes.io/pv-protection"
          : undefined;
      const { metadata } = attributes.object;
      if (finalizer === undefined || metadata.finalizers?.includes(finalizer)) return;
      metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
    },
  };
}
