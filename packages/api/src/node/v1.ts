// Group "node.k8s.io" version v1: the types and names of its kinds.

import type { IRuntimeClass } from "kubernetes-models/node.k8s.io/v1/RuntimeClass";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type RuntimeClass = Kind<IRuntimeClass>;
export const runtimeclasses: Resource<RuntimeClass> = {
  group: "node.k8s.io",
  version: "v1",
  kind: "RuntimeClass",
  resource: "runtimeclasses",
  singular: "runtimeclass",
  namespaced: false,
  shortNames: [],
  categories: [],
};
