// DefaultStorageClass: a claim that names no class gets the default one; a claim that names "" wants none.

import { type PersistentVolumeClaim, persistentvolumeclaims } from "@picokube/api/core/v1";
import { storageclasses } from "@picokube/api/storage/v1";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { AdmissionPlugin } from "./admission.js";
import { defaultClass } from "./default-class.js";
import { concerns } from "./forbidden.js";

const ANNOTATION = "storageclass.kubernetes.io/is-default-class";
const LEGACY_CLASS = "volume.beta.kubernetes.io/storage-class";

export function defaultStorageClass(storage: StorageRegistry): AdmissionPlugin {
  return {
    name: "DefaultStorageClass",
    admit(attributes) {
      if (attributes.operation !== "CREATE" || !concerns(attributes, persistentvolumeclaims)) return;
      const claim = attributes.object as PersistentVolumeClaim;
      if (!claim.spec || claim.spec.storageClassName !== undefined) return;
      if (claim.metadata.annotations?.[LEGACY_CLASS] !== undefined) return;
      const found = defaultClass(storage.for(storageclasses).list(), ANNOTATION);
      if (found) claim.spec.storageClassName = found.metadata.name;
    },
  };
}
