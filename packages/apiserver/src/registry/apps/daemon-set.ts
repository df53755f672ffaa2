// DaemonSets: the kind's declaration.

import { setDaemonSetDefaults } from "@picokube/api/apps/defaults";
import { type DaemonSet, daemonsets } from "@picokube/api/apps/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { ageColumn, column, containerColumns, formatLabelSelector, formatLabels, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateDaemonSet, validateDaemonSetUpdate } from "./daemon-set-validation.js";
import { validateDaemonSetStatus } from "./workload-status-validation.js";

// The template's own generation, which group extensions had as a field and pods still carry as a label.
const generationAnnotation = "deprecated.daemonset.template.generation";

function setTemplateGeneration({ metadata }: DaemonSet, generation: number): void {
  metadata.annotations = { ...metadata.annotations, [generationAnnotation]: String(generation) };
}

const templateGeneration = ({ metadata }: DaemonSet) => Number(metadata.annotations?.[generationAnnotation]) || 0;

/** The definition of daemonsets. */
export const daemonSetDefinition = define<DaemonSet>({
  resource: daemonsets,
  storagePrefix: "daemonsets",
  applyDefaults: setDaemonSetDefaults,
  hasStatus: true,
  hasGeneration: true,
  prepareForCreate(daemonSet) {
    daemonSet.status = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 };
    setTemplateGeneration(daemonSet, Math.max(1, templateGeneration(daemonSet)));
  },
  prepareForUpdate(daemonSet, old) {
    const changed = !semanticDeepEqual(daemonSet.spec?.template, old.spec?.template);
    setTemplateGeneration(daemonSet, templateGeneration(old) + (changed ? 1 : 0));
  },
  validate: validateDaemonSet,
  validateStatusUpdate: validateDaemonSetStatus,
  validateUpdate: validateDaemonSetUpdate,
  columns: [
    nameColumn,
    column("Desired", ({ status }) => status?.desiredNumberScheduled ?? 0, {
      type: "integer",
      field: "apps.v1.DaemonSetStatus.desiredNumberScheduled",
    }),
    column("Current", ({ status }) => status?.currentNumberScheduled ?? 0, {
      type: "integer",
      field: "apps.v1.DaemonSetStatus.currentNumberScheduled",
    }),
    column("Ready", ({ status }) => status?.numberReady ?? 0, {
      type: "integer",
      field: "apps.v1.DaemonSetStatus.numberReady",
    }),
    column("Up-to-date", ({ status }) => status?.updatedNumberScheduled ?? 0, {
      type: "integer",
      field: "apps.v1.DaemonSetStatus.updatedNumberScheduled",
    }),
    column("Available", ({ status }) => status?.numberAvailable ?? 0, {
      type: "integer",
      field: "apps.v1.DaemonSetStatus.numberAvailable",
    }),
    column("Node Selector", ({ spec }) => formatLabels(spec?.template?.spec?.nodeSelector), {
      field: "core.v1.PodSpec.nodeSelector",
    }),
    ageColumn,
    ...containerColumns<DaemonSet>(({ spec }) => spec?.template?.spec),
    column("Selector", ({ spec }) => formatLabelSelector(spec?.selector), {
      wide: true,
      field: "apps.v1.DaemonSetSpec.selector",
    }),
  ],
});
