// PersistentVolumes: the kind's declaration.

import { setPersistentVolumeDefaults } from "@picokube/api/core/defaults";
import { type PersistentVolume, persistentvolumes } from "@picokube/api/core/v1";
import { ageColumn, column, formatAccessModes, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column } from "../resource-definition.js";
import { validatePersistentVolume, validatePersistentVolumeUpdate } from "./persistent-volume-validation.js";

const betaStorageClass = "volume.beta.kubernetes.io/storage-class";

function claim({ spec }: PersistentVolume): string {
  return spec?.claimRef ? `${spec.claimRef.namespace}/${spec.claimRef.name}` : "";
}

const columns: Column<PersistentVolume>[] = [
  nameColumn,
  column("Capacity", (volume) => String(volume.spec?.capacity?.storage ?? "0"), {
    field: "core.v1.PersistentVolumeSpec.capacity",
  }),
  column("Access Modes", (volume) => formatAccessModes(volume.spec?.accessModes), {
    field: "core.v1.PersistentVolumeSpec.accessModes",
  }),
  column("Reclaim Policy", (volume) => volume.spec?.persistentVolumeReclaimPolicy ?? "", {
    field: "core.v1.PersistentVolumeSpec.persistentVolumeReclaimPolicy",
  }),
  column("Status", (volume) => (volume.metadata.deletionTimestamp ? "Terminating" : (volume.status?.phase ?? "")), {
    field: "core.v1.PersistentVolumeStatus.phase",
  }),
  column("Claim", claim, { field: "core.v1.PersistentVolumeSpec.claimRef" }),
  column(
    "StorageClass",
    (volume) => volume.metadata.annotations?.[betaStorageClass] ?? volume.spec?.storageClassName ?? "",
    { description: "StorageClass of the pv" },
  ),
  column("VolumeAttributesClass", (volume) => volume.spec?.volumeAttributesClassName ?? "<unset>", {
    description: "VolumeAttributesClass of the pv",
  }),
  column("Reason", (volume) => volume.status?.reason ?? "", { field: "core.v1.PersistentVolumeStatus.reason" }),
  ageColumn,
  column("VolumeMode", (volume) => volume.spec?.volumeMode ?? "<unset>", {
    wide: true,
    field: "core.v1.PersistentVolumeSpec.volumeMode",
  }),
];

/** The definition of persistentvolumes. */
export const persistentVolumeDefinition = define<PersistentVolume>({
  resource: persistentvolumes,
  storagePrefix: "persistentvolumes",
  applyDefaults: setPersistentVolumeDefaults,
  hasStatus: true,
  hasGeneration: false,
  prepareForCreate(volume) {
    volume.status = { phase: "Pending" };
  },
  validate: validatePersistentVolume,
  validateUpdate: validatePersistentVolumeUpdate,
  columns,
});
