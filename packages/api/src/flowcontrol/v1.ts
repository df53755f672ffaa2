// Group "flowcontrol.apiserver.k8s.io" version v1: the types and names of its kinds.

import type { IFlowSchema } from "kubernetes-models/flowcontrol.apiserver.k8s.io/v1/FlowSchema";
import type { IPriorityLevelConfiguration } from "kubernetes-models/flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type FlowSchema = Kind<IFlowSchema>;
export const flowschemas: Resource<FlowSchema> = {
  group: "flowcontrol.apiserver.k8s.io",
  version: "v1",
  kind: "FlowSchema",
  resource: "flowschemas",
  singular: "flowschema",
  namespaced: false,
  shortNames: [],
  categories: [],
};

export type PriorityLevelConfiguration = Kind<IPriorityLevelConfiguration>;
export const prioritylevelconfigurations: Resource<PriorityLevelConfiguration> = {
  group: "flowcontrol.apiserver.k8s.io",
  version: "v1",
  kind: "PriorityLevelConfiguration",
  resource: "prioritylevelconfigurations",
  singular: "prioritylevelconfiguration",
  namespaced: false,
  shortNames: [],
  categories: [],
};
