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
  column("Capacity", (volume) => String(volume.spec?.capacity?.storage ?? "0")),
  column("Access Modes", (volume) => formatAccessModes(volume.spec?.accessModes)),
  column("Reclaim Policy", (volume) => volume.spec?.persistentVolumeReclaimPolicy ?? ""),
  column("Status", (volume) => (volume.metadata.deletionTimestamp ? "Terminating" : (volume.status?.phase ?? ""))),
  column("Claim", claim),
  column(
    "StorageClass",
    (volume) => volume.metadata.annotations?.[betaStorageClass] ?? volume.spec?.storageClassName ?? "",
  ),
  column("VolumeAttributesClass", (volume) => volume.spec?.volumeAttributesClassName ?? "<unset>"),
  column("Reason", (volume) => volume.status?.reason ?? ""),
  ageColumn,
  column("VolumeMode", (volume) => volume.spec?.volumeMode ?? "<unset>", { wide: true }),
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
