// Group "policy" version v1: the types and names of its kinds.

import type { IEviction } from "kubernetes-models/policy/v1/Eviction";
import type { IPodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type PodDisruptionBudget = Kind<IPodDisruptionBudget>;
export const poddisruptionbudgets: Resource<PodDisruptionBudget> = {
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  resource: "poddisruptionbudgets",
  singular: "poddisruptionbudget",
  namespaced: true,
  shortNames: ["pdb"],
  categories: [],
};

export type Eviction = Kind<IEviction>;
export const evictions: Resource<Eviction> = {
  group: "policy",
  version: "v1",
  kind: "Eviction",
  resource: "evictions",
  singular: "eviction",
  namespaced: true,
  shortNames: [],
  categories: [],
};
