// Group "discovery.k8s.io" version v1: the types and names of its kinds.

import type { IEndpoint } from "kubernetes-models/discovery.k8s.io/v1/Endpoint";
import type { IEndpointConditions } from "kubernetes-models/discovery.k8s.io/v1/EndpointConditions";
import type { IEndpointSlice } from "kubernetes-models/discovery.k8s.io/v1/EndpointSlice";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type EndpointSlice = Kind<IEndpointSlice>;
export const endpointslices: Resource<EndpointSlice> = {
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  resource: "endpointslices",
  singular: "endpointslice",
  namespaced: true,
  shortNames: [],
  categories: [],
};
export type Endpoint = IEndpoint;
export type EndpointConditions = IEndpointConditions;
