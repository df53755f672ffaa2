// ReplicationControllers: the kind's declaration.

import { setReplicationControllerDefaults } from "@picokube/api/core/defaults";
import { type ReplicationController, replicationcontrollers } from "@picokube/api/core/v1";
import { validateReplicaSetStatus } from "../apps/workload-status-validation.js";
import { ageColumn, column, containerColumns, formatLabels, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateReplicationController } from "./replication-controller-validation.js";

/** The definition of replicationcontrollers. */
export const replicationControllerDefinition = define<ReplicationController>({
  resource: replicationcontrollers,
  storagePrefix: "controllers",
  applyDefaults: setReplicationControllerDefaults,
  hasStatus: true,
  hasGeneration: true,
  prepareForCreate(controller) {
    controller.status = { replicas: 0 };
  },
  validate: validateReplicationController,
  validateStatusUpdate: validateReplicaSetStatus,
  validateUpdate: validateReplicationController,
  scale: {
    specReplicas: "spec.replicas",
    statusReplicas: "status.replicas",
    selector(object) {
      const selector = (object as ReplicationController).spec?.selector ?? {};
      return Object.entries(selector)
        .map(([key, value]) => `${key}=${value}`)
        .sort()
        .join(",");
    },
  },
  selectableFields: { "status.replicas": (controller) => String(controller.status?.replicas ?? 0) },
  columns: [
    nameColumn,
    column("Desired", (controller) => controller.spec?.replicas ?? 0, {
      type: "integer",
      field: "core.v1.ReplicationControllerSpec.replicas",
    }),
    column("Current", (controller) => controller.status?.replicas ?? 0, {
      type: "integer",
      field: "core.v1.ReplicationControllerStatus.replicas",
    }),
    column("Ready", (controller) => controller.status?.readyReplicas ?? 0, {
      type: "integer",
      field: "core.v1.ReplicationControllerStatus.readyReplicas",
    }),
    ageColumn,
    ...containerColumns<ReplicationController>((controller) => controller.spec?.template?.spec),
    column("Selector", (controller) => formatLabels(controller.spec?.selector), {
      wide: true,
      field: "core.v1.ReplicationControllerSpec.selector",
    }),
  ],
});
