// Group "apiextensions.k8s.io" version v1: the types and names of its kinds.

import type { ICustomResourceDefinition } from "kubernetes-models/apiextensions.k8s.io/v1/CustomResourceDefinition";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type CustomResourceDefinition = Kind<ICustomResourceDefinition>;
export const customresourcedefinitions: Resource<CustomResourceDefinition> = {
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  resource: "customresourcedefinitions",
  singular: "customresourcedefinition",
  namespaced: false,
  shortNames: ["crd", "crds"],
  categories: ["api-extensions"],
};
