// PersistentVolumeClaims: the kind's declaration.

import { setPersistentVolumeClaimDefaults } from "@picokube/api/core/defaults";
import { type PersistentVolumeClaim, persistentvolumeclaims } from "@picokube/api/core/v1";
import { ageColumn, column, formatAccessModes, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column } from "../resource-definition.js";
import { validatePersistentVolumeClaim, validatePersistentVolumeClaimUpdate } from "./claim-validation.js";
import { validatePersistentVolumeClaimStatus } from "./status-validation.js";

const betaStorageClass = "volume.beta.kubernetes.io/storage-class";

function isBound(claim: PersistentVolumeClaim): boolean {
  return Boolean(claim.spec?.volumeName);
}

const columns: Column<PersistentVolumeClaim>[] = [
  nameColumn,
  column("Status", (claim) => (claim.metadata.deletionTimestamp ? "Terminating" : (claim.status?.phase ?? "")), {
    field: "core.v1.PersistentVolumeClaimStatus.phase",
  }),
  column("Volume", (claim) => claim.spec?.volumeName ?? "", { field: "core.v1.PersistentVolumeClaimSpec.volumeName" }),
  column("Capacity", (claim) => (isBound(claim) ? String(claim.status?.capacity?.storage ?? "0") : ""), {
    field: "core.v1.PersistentVolumeClaimStatus.capacity",
  }),
  column("Access Modes", (claim) => (isBound(claim) ? formatAccessModes(claim.status?.accessModes) : ""), {
    field: "core.v1.PersistentVolumeClaimStatus.accessModes",
  }),
  column(
    "StorageClass",
    (claim) => claim.metadata.annotations?.[betaStorageClass] ?? claim.spec?.storageClassName ?? "",
    { description: "StorageClass of the pvc" },
  ),
  column("VolumeAttributesClass", (claim) => claim.spec?.volumeAttributesClassName ?? "<unset>", {
    description: "VolumeAttributesClass of the pvc",
  }),
  ageColumn,
  column("VolumeMode", (claim) => claim.spec?.volumeMode ?? "<unset>", {
    wide: true,
    field: "core.v1.PersistentVolumeClaimSpec.volumeMode",
  }),
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
