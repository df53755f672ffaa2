// Group "autoscaling" version v1: the types and names of its kinds.

import type { IHorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v1/HorizontalPodAutoscaler";
import type { IScale } from "kubernetes-models/autoscaling/v1/Scale";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type HorizontalPodAutoscaler = Kind<IHorizontalPodAutoscaler>;
export const horizontalpodautoscalers: Resource<HorizontalPodAutoscaler> = {
  group: "autoscaling",
  version: "v1",
  kind: "HorizontalPodAutoscaler",
  resource: "horizontalpodautoscalers",
  singular: "horizontalpodautoscaler",
  namespaced: true,
  shortNames: ["hpa"],
  categories: ["all"],
};

export type Scale = Kind<IScale>;
export const scales: Resource<Scale> = {
  group: "autoscaling",
  version: "v1",
  kind: "Scale",
  resource: "scales",
  singular: "scale",
  namespaced: true,
  shortNames: [],
  categories: [],
};
