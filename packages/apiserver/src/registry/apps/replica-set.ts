// ReplicaSets: the kind's declaration.

import { setReplicaSetDefaults } from "@picokube/api/apps/defaults";
import { type ReplicaSet, replicasets } from "@picokube/api/apps/v1";
import {
  ageColumn,
  column,
  containerColumns,
  formatLabelSelector,
  labelSelectorString,
  nameColumn,
} from "../columns.js";
import { define } from "../define.js";
import { validateReplicaSet, validateReplicaSetUpdate } from "./replica-set-validation.js";
import { validateReplicaSetStatus } from "./workload-status-validation.js";

/** The definition of replicasets. */
export const replicaSetDefinition = define<ReplicaSet>({
  resource: replicasets,
  storagePrefix: "replicasets",
  applyDefaults: setReplicaSetDefaults,
  hasStatus: true,
  hasGeneration: true,
  prepareForCreate(replicaSet) {
    replicaSet.status = { replicas: 0 };
  },
  validate: validateReplicaSet,
  validateStatusUpdate: validateReplicaSetStatus,
  validateUpdate: validateReplicaSetUpdate,
  scale: {
    specReplicas: "spec.replicas",
    statusReplicas: "status.replicas",
    selector: (object) => labelSelectorString((object as ReplicaSet).spec?.selector),
  },
  selectableFields: { "status.replicas": ({ status }) => String(status?.replicas ?? 0) },
  columns: [
    nameColumn,
    column("Desired", ({ spec }) => spec?.replicas ?? 0, { type: "integer", field: "apps.v1.ReplicaSetSpec.replicas" }),
    column("Current", ({ status }) => status?.replicas ?? 0, {
      type: "integer",
      field: "apps.v1.ReplicaSetStatus.replicas",
    }),
    column("Ready", ({ status }) => status?.readyReplicas ?? 0, {
      type: "integer",
      field: "apps.v1.ReplicaSetStatus.readyReplicas",
    }),
    ageColumn,
    ...containerColumns<ReplicaSet>(({ spec }) => spec?.template?.spec),
    column("Selector", ({ spec }) => formatLabelSelector(spec?.selector), {
      wide: true,
      field: "apps.v1.ReplicaSetSpec.selector",
    }),
  ],
});
