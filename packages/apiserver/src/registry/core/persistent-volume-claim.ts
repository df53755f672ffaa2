// PersistentVolumeClaims: the kind's declaration.

import { setPersistentVolumeClaimDefaults } from "@picokube/api/core/defaults";
import { type PersistentVolumeClaim, persistentvolumeclaims } from "@picokube/api/core/v1";
import { ageColumn, column, formatAccessModes, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column } from "../resource-definition.js";
import { validatePersistentVolumeClaim, validatePersistentVolumeClaimUpdate } from "./persistent-volume-validation.js";
import { validatePersistentVolumeClaimStatus } from "./status-validation.js";

const betaStorageClass = "volume.beta.kubernetes.io/storage-class";

function isBound(claim: PersistentVolumeClaim): boolean {
  return Boolean(claim.spec?.volumeName);
}

const columns: Column<PersistentVolumeClaim>[] = [
  nameColumn,
  column("Status", (claim) => (claim.metadata.deletionTimestamp ? "Terminating" : (claim.status?.phase ?? ""))),
  column("Volume", (claim) => claim.spec?.volumeName ?? ""),
  column("Capacity", (claim) => (isBound(claim) ? String(claim.status?.capacity?.storage ?? "0") : "")),
  column("Access Modes", (claim) => (isBound(claim) ? formatAccessModes(claim.status?.accessModes) : "")),
  column(
    "StorageClass",
    (claim) => claim.metadata.annotations?.[betaStorageClass] ?? claim.spec?.storageClassName ?? "",
  ),
  column("VolumeAttributesClass", (claim) => claim.spec?.volumeAttributesClassName ?? "<unset>"),
  ageColumn,
  column("VolumeMode", (claim) => claim.spec?.volumeMode ?? "<unset>", { wide: true }),
];

/** The definition of persistentvolumeclaims. */
export const persistentVolumeClaimDefinition = define<PersistentVolumeClaim>({
  resource: persistentvolumeclaims,
  storagePrefix: "persistentvolumeclaims",
  applyDefaults: setPersistentVolumeClaimDefaults,
  hasStatus: true,
  hasGeneration: false,
  prepareForCreate(claim) {
    claim.status = { phase: "Pending" };
  },
  validate: validatePersistentVolumeClaim,
  validateStatusUpdate: validatePersistentVolumeClaimStatus,
  validateUpdate: validatePersistentVolumeClaimUpdate,
  columns,
});
