// Group "apps" version v1: the types and names of its kinds.

import type { IControllerRevision } from "kubernetes-models/apps/v1/ControllerRevision";
import type { IDaemonSet } from "kubernetes-models/apps/v1/DaemonSet";
import type { IDeployment } from "kubernetes-models/apps/v1/Deployment";
import type { IDeploymentCondition } from "kubernetes-models/apps/v1/DeploymentCondition";
import type { IDeploymentSpec } from "kubernetes-models/apps/v1/DeploymentSpec";
import type { IDeploymentStatus } from "kubernetes-models/apps/v1/DeploymentStatus";
import type { IReplicaSet } from "kubernetes-models/apps/v1/ReplicaSet";
import type { IReplicaSetCondition } from "kubernetes-models/apps/v1/ReplicaSetCondition";
import type { IReplicaSetSpec } from "kubernetes-models/apps/v1/ReplicaSetSpec";
import type { IReplicaSetStatus } from "kubernetes-models/apps/v1/ReplicaSetStatus";
import type { IStatefulSet } from "kubernetes-models/apps/v1/StatefulSet";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type Deployment = Kind<IDeployment>;
export const deployments: Resource<Deployment> = {
  group: "apps",
  version: "v1",
  kind: "Deployment",
  resource: "deployments",
  singular: "deployment",
  namespaced: true,
  shortNames: ["deploy"],
  categories: ["all"],
};

export type ReplicaSet = Kind<IReplicaSet>;
export const replicasets: Resource<ReplicaSet> = {
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  resource: "replicasets",
  singular: "replicaset",
  namespaced: true,
  shortNames: ["rs"],
  categories: ["all"],
};

export type StatefulSet = Kind<IStatefulSet>;
export const statefulsets: Resource<StatefulSet> = {
  group: "apps",
  version: "v1",
  kind: "StatefulSet",
  resource: "statefulsets",
  singular: "statefulset",
  namespaced: true,
  shortNames: ["sts"],
  categories: ["all"],
};

export type DaemonSet = Kind<IDaemonSet>;
export const daemonsets: Resource<DaemonSet> = {
  group: "apps",
  version: "v1",
  kind: "DaemonSet",
  resource: "daemonsets",
  singular: "daemonset",
  namespaced: true,
  shortNames: ["ds"],
  categories: ["all"],
};

export type ControllerRevision = Kind<IControllerRevision>;
export const controllerrevisions: Resource<ControllerRevision> = {
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  resource: "controllerrevisions",
  singular: "controllerrevision",
  namespaced: true,
  shortNames: [],
  categories: [],
};
export type DeploymentSpec = IDeploymentSpec;
export type DeploymentStatus = IDeploymentStatus;
export type DeploymentCondition = IDeploymentCondition;
export type ReplicaSetSpec = IReplicaSetSpec;
export type ReplicaSetStatus = IReplicaSetStatus;
export type ReplicaSetCondition = IReplicaSetCondition;
