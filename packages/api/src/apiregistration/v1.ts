// Group "apiregistration.k8s.io" version v1: the types and names of its kinds.

import type { IAPIService } from "kubernetes-models/apiregistration.k8s.io/v1/APIService";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type APIService = Kind<IAPIService>;
export const apiservices: Resource<APIService> = {
  group: "apiregistration.k8s.io",
  version: "v1",
  kind: "APIService",
  resource: "apiservices",
  singular: "apiservice",
  namespaced: false,
  shortNames: [],
  categories: ["api-extensions"],
};
