// StorageClasses: the kind's declaration.

import { setStorageClassDefaults } from "@picokube/api/storage/defaults";
import { type StorageClass, storageclasses } from "@picokube/api/storage/v1";
import { ageColumn, column, columnLike, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column } from "../resource-definition.js";
import { validateStorageClass, validateStorageClassUpdate } from "./storage-class-validation.js";

function isDefault({ metadata }: StorageClass): boolean {
  const annotations = metadata.annotations ?? {};
  return (
    annotations["storageclass.kubernetes.io/is-default-class"] === "true" ||
    annotations["storageclass.beta.kubernetes.io/is-default-class"] === "true"
  );
}

const columns: Column<StorageClass>[] = [
  columnLike(nameColumn, { cell: (object) => object.metadata.name + (isDefault(object) ? " (default)" : "") }),
  column("Provisioner", ({ provisioner }) => provisioner, { field: "storage.v1.StorageClass.provisioner" }),
  column("ReclaimPolicy", ({ reclaimPolicy }) => reclaimPolicy ?? "Delete", {
    field: "storage.v1.StorageClass.reclaimPolicy",
  }),
  column("VolumeBindingMode", ({ volumeBindingMode }) => volumeBindingMode ?? "Immediate", {
    field: "storage.v1.StorageClass.volumeBindingMode",
  }),
  column("AllowVolumeExpansion", ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false, {
    field: "storage.v1.StorageClass.allowVolumeExpansion",
  }),
  ageColumn,
];

/** The definition of storageclasses. */
export const storageClassDefinition = define<StorageClass>({
  resource: storageclasses,
  storagePrefix: "storageclasses",
  applyDefaults: setStorageClassDefaults,
  hasStatus: false,
  hasGeneration: false,
  validate: validateStorageClass,
  validateUpdate: validateStorageClassUpdate,
  columns,
});
