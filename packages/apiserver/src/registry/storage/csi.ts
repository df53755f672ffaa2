// CSIDrivers, CSINodes and CSIStorageCapacities: the kinds' declarations.

import { setCsiDriverDefaults } from "@picokube/api/storage/defaults";
import {
  type CSIDriver,
  type CSINode,
  type CSIStorageCapacity,
  csidrivers,
  csinodes,
  csistoragecapacities,
} from "@picokube/api/storage/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateCsiDriver, validateCsiDriverUpdate } from "./csi-driver-validation.js";
import { validateCsiNode, validateCsiNodeUpdate } from "./csi-node-validation.js";
import { validateCsiStorageCapacity, validateCsiStorageCapacityUpdate } from "./csi-storage-capacity-validation.js";

/** The definition of csidrivers. */
export const csiDriverDefinition = define<CSIDriver>({
  resource: csidrivers,
  storagePrefix: "csidrivers",
  applyDefaults: setCsiDriverDefaults,
  hasStatus: false,
  hasGeneration: false,
  validate: validateCsiDriver,
  validateUpdate: validateCsiDriverUpdate,
  columns: [
    nameColumn,
    column("AttachRequired", ({ spec }) => spec?.attachRequired ?? true, {
      type: "boolean",
      field: "storage.v1.CSIDriverSpec.attachRequired",
    }),
    column("PodInfoOnMount", ({ spec }) => spec?.podInfoOnMount ?? false, {
      type: "boolean",
      field: "storage.v1.CSIDriverSpec.podInfoOnMount",
    }),
    column("StorageCapacity", ({ spec }) => spec?.storageCapacity ?? false, {
      type: "boolean",
      field: "storage.v1.CSIDriverSpec.storageCapacity",
    }),
    column("TokenRequests", ({ spec }) => spec?.tokenRequests?.map(({ audience }) => audience).join(",") ?? "<unset>", {
      field: "storage.v1.CSIDriverSpec.tokenRequests",
    }),
    column("RequiresRepublish", ({ spec }) => spec?.requiresRepublish ?? false, {
      type: "boolean",
      field: "storage.v1.CSIDriverSpec.requiresRepublish",
    }),
    column("Modes", ({ spec }) => (spec?.volumeLifecycleModes ?? []).join(",") || "<none>", {
      field: "storage.v1.CSIDriverSpec.volumeLifecycleModes",
    }),
    ageColumn,
  ],
});

/** The definition of csinodes. */
export const csiNodeDefinition = define<CSINode>({
  resource: csinodes,
  storagePrefix: "csinodes",
  hasStatus: false,
  hasGeneration: false,
  validate: validateCsiNode,
  validateUpdate: validateCsiNodeUpdate,
  columns: [
    nameColumn,
    column("Drivers", ({ spec }) => (spec?.drivers ?? []).length, {
      type: "integer",
      description: "Drivers indicates the number of CSI drivers registered on the node",
    }),
    ageColumn,
  ],
});

/** The definition of csistoragecapacities. */
export const csiStorageCapacityDefinition = define<CSIStorageCapacity>({
  resource: csistoragecapacities,
  storagePrefix: "csistoragecapacities",
  hasStatus: false,
  hasGeneration: false,
  validate: validateCsiStorageCapacity,
  validateUpdate: validateCsiStorageCapacityUpdate,
  columns: [
    nameColumn,
    column("StorageClassName", ({ storageClassName }) => storageClassName, {
      field: "storage.v1.CSIStorageCapacity.storageClassName",
    }),
    column("Capacity", ({ capacity }) => String(capacity ?? "<unset>"), {
      field: "storage.v1.CSIStorageCapacity.capacity",
    }),
  ],
});
