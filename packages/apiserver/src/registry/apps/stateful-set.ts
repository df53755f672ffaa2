// StatefulSets: the kind's declaration.

import { setStatefulSetDefaults } from "@picokube/api/apps/defaults";
import { type StatefulSet, statefulsets } from "@picokube/api/apps/v1";
import { ageColumn, column, containerColumns, labelSelectorString, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateStatefulSet, validateStatefulSetUpdate } from "./stateful-set-validation.js";
import { validateStatefulSetStatus } from "./workload-status-validation.js";

/** The definition of statefulsets. */
export const statefulSetDefinition = define<StatefulSet>({
  resource: statefulsets,
  storagePrefix: "statefulsets",
  applyDefaults: setStatefulSetDefaults,
  hasStatus: true,
  hasGeneration: true,
  prepareForCreate(statefulSet) {
    statefulSet.status = { replicas: 0, availableReplicas: 0 };
  },
  validate: validateStatefulSet,
  validateStatusUpdate: validateStatefulSetStatus,
  validateUpdate: validateStatefulSetUpdate,
  scale: {
    specReplicas: "spec.replicas",
    statusReplicas: "status.replicas",
    selector: (object) => labelSelectorString((object as StatefulSet).spec?.selector),
  },
  columns: [
    nameColumn,
    column("Ready", ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`, {
      description: "Number of the pod with ready state",
    }),
    ageColumn,
    ...containerColumns<StatefulSet>(({ spec }) => spec?.template?.spec),
  ],
});
