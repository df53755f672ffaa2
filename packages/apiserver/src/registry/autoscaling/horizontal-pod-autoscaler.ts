// HorizontalPodAutoscalers in autoscaling/v1 and v2: one store, in the shape of v2.

import {
  setHorizontalPodAutoscalerV1Defaults,
  setHorizontalPodAutoscalerV2Defaults,
} from "@picokube/api/autoscaling/defaults";
import {
  type HorizontalPodAutoscaler as V1,
  horizontalpodautoscalers as v1Resource,
} from "@picokube/api/autoscaling/v1";
import {
  type HorizontalPodAutoscaler as V2,
  horizontalpodautoscalers as v2Resource,
} from "@picokube/api/autoscaling/v2";
import { ageColumn, column, columnLike, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column } from "../resource-definition.js";
import {
  validateHorizontalPodAutoscaler,
  validateHorizontalPodAutoscalerStatus,
} from "./horizontal-pod-autoscaler-validation.js";
import { formatMetrics } from "./metrics-column.js";
import { fromV2, toV2 } from "./v1-conversion.js";

const columns: Column<V2>[] = [
  nameColumn,
  column("Reference", ({ spec }) => `${spec?.scaleTargetRef?.kind}/${spec?.scaleTargetRef?.name}`, {
    field: "autoscaling.v2.HorizontalPodAutoscalerSpec.scaleTargetRef",
  }),
  column("Targets", formatMetrics, { field: "autoscaling.v2.HorizontalPodAutoscalerSpec.metrics" }),
  column("MinPods", ({ spec }) => String(spec?.minReplicas ?? "<unset>"), {
    field: "autoscaling.v2.HorizontalPodAutoscalerSpec.minReplicas",
  }),
  column("MaxPods", ({ spec }) => spec?.maxReplicas ?? 0, {
    field: "autoscaling.v2.HorizontalPodAutoscalerSpec.maxReplicas",
  }),
  column("Replicas", ({ status }) => status?.currentReplicas ?? 0, {
    field: "autoscaling.v2.HorizontalPodAutoscalerStatus.currentReplicas",
  }),
  ageColumn,
];

/** The definition of autoscaling/v2. */
export const horizontalPodAutoscalerV2Definition = define<V2>({
  resource: v2Resource,
  storagePrefix: "horizontalpodautoscalers",
  applyDefaults: setHorizontalPodAutoscalerV2Defaults,
  hasStatus: true,
  hasGeneration: false,
  validate: validateHorizontalPodAutoscaler,
  validateUpdate: validateHorizontalPodAutoscaler,
  validateStatusUpdate: validateHorizontalPodAutoscalerStatus,
  columns,
});

/** The definition of autoscaling/v1. */
export const horizontalPodAutoscalerV1Definition = define<V1>({
  resource: v1Resource,
  storagePrefix: "horizontalpodautoscalers",
  applyDefaults: setHorizontalPodAutoscalerV1Defaults,
  hasStatus: true,
  hasGeneration: false,
  validate: (autoscaler) => validateHorizontalPodAutoscaler(toV2(autoscaler)),
  validateUpdate: (autoscaler) => validateHorizontalPodAutoscaler(toV2(autoscaler)),
  validateStatusUpdate: (autoscaler) => validateHorizontalPodAutoscalerStatus(toV2(autoscaler)),
  columns: columns.map((each) => columnLike(each, { cell: (object, now) => each.cell(toV2(object), now) })),
  storedAs: { resource: v2Resource, toStored: toV2, fromStored: (object) => fromV2(object as V2) },
});
