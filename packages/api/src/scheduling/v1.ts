// Group "scheduling.k8s.io" version v1: the types and names of its kinds.

import type { IPriorityClass } from "kubernetes-models/scheduling.k8s.io/v1/PriorityClass";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type PriorityClass = Kind<IPriorityClass>;
export const priorityclasses: Resource<PriorityClass> = {
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  resource: "priorityclasses",
  singular: "priorityclass",
  namespaced: false,
  shortNames: ["pc"],
  categories: [],
};
