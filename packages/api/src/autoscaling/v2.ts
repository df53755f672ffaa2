// Group "autoscaling" version v2: the types and names of its kinds.

import type { IHorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type HorizontalPodAutoscaler = Kind<IHorizontalPodAutoscaler>;
export const horizontalpodautoscalers: Resource<HorizontalPodAutoscaler> = {
  group: "autoscaling",
  version: "v2",
  kind: "HorizontalPodAutoscaler",
  resource: "horizontalpodautoscalers",
  singular: "horizontalpodautoscaler",
  namespaced: true,
  shortNames: ["hpa"],
  categories: ["all"],
};
