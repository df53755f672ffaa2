// Group "" version v1: the types and names of its kinds.

import type { IAffinity } from "kubernetes-models/v1/Affinity";
import type { IBinding } from "kubernetes-models/v1/Binding";
import type { IComponentStatus } from "kubernetes-models/v1/ComponentStatus";
import type { IConfigMap } from "kubernetes-models/v1/ConfigMap";
import type { IContainer } from "kubernetes-models/v1/Container";
import type { IContainerImage } from "kubernetes-models/v1/ContainerImage";
import type { IContainerPort } from "kubernetes-models/v1/ContainerPort";
import type { IContainerState } from "kubernetes-models/v1/ContainerState";
import type { IContainerStatus } from "kubernetes-models/v1/ContainerStatus";
import type { IEndpointAddress } from "kubernetes-models/v1/EndpointAddress";
import type { IEndpointPort } from "kubernetes-models/v1/EndpointPort";
import type { IEndpointSubset } from "kubernetes-models/v1/EndpointSubset";
import type { IEndpoints } from "kubernetes-models/v1/Endpoints";
import type { IEnvFromSource } from "kubernetes-models/v1/EnvFromSource";
import type { IEnvVar } from "kubernetes-models/v1/EnvVar";
import type { IEnvVarSource } from "kubernetes-models/v1/EnvVarSource";
import type { IEphemeralContainer } from "kubernetes-models/v1/EphemeralContainer";
import type { IEvent } from "kubernetes-models/v1/Event";
import type { IEventSource } from "kubernetes-models/v1/EventSource";
import type { IExecAction } from "kubernetes-models/v1/ExecAction";
import type { IHTTPGetAction } from "kubernetes-models/v1/HTTPGetAction";
import type { IKeyToPath } from "kubernetes-models/v1/KeyToPath";
import type { ILifecycle } from "kubernetes-models/v1/Lifecycle";
import type { ILifecycleHandler } from "kubernetes-models/v1/LifecycleHandler";
import type { ILimitRange } from "kubernetes-models/v1/LimitRange";
import type { ILocalObjectReference } from "kubernetes-models/v1/LocalObjectReference";
import type { INamespace } from "kubernetes-models/v1/Namespace";
import type { INode } from "kubernetes-models/v1/Node";
import type { INodeAddress } from "kubernetes-models/v1/NodeAddress";
import type { INodeAffinity } from "kubernetes-models/v1/NodeAffinity";
import type { INodeCondition } from "kubernetes-models/v1/NodeCondition";
import type { INodeSelector } from "kubernetes-models/v1/NodeSelector";
import type { INodeSelectorRequirement } from "kubernetes-models/v1/NodeSelectorRequirement";
import type { INodeSelectorTerm } from "kubernetes-models/v1/NodeSelectorTerm";
import type { INodeSpec } from "kubernetes-models/v1/NodeSpec";
import type { INodeStatus } from "kubernetes-models/v1/NodeStatus";
import type { INodeSystemInfo } from "kubernetes-models/v1/NodeSystemInfo";
import type { IObjectFieldSelector } from "kubernetes-models/v1/ObjectFieldSelector";
import type { IObjectReference } from "kubernetes-models/v1/ObjectReference";
import type { IPersistentVolume } from "kubernetes-models/v1/PersistentVolume";
import type { IPersistentVolumeClaim } from "kubernetes-models/v1/PersistentVolumeClaim";
import type { IPersistentVolumeClaimSpec } from "kubernetes-models/v1/PersistentVolumeClaimSpec";
import type { IPersistentVolumeSpec } from "kubernetes-models/v1/PersistentVolumeSpec";
import type { IPod } from "kubernetes-models/v1/Pod";
import type { IPodAffinityTerm } from "kubernetes-models/v1/PodAffinityTerm";
import type { IPodCondition } from "kubernetes-models/v1/PodCondition";
import type { IPodSecurityContext } from "kubernetes-models/v1/PodSecurityContext";
import type { IPodSpec } from "kubernetes-models/v1/PodSpec";
import type { IPodStatus } from "kubernetes-models/v1/PodStatus";
import type { IPodTemplate } from "kubernetes-models/v1/PodTemplate";
import type { IPodTemplateSpec } from "kubernetes-models/v1/PodTemplateSpec";
import type { IProbe } from "kubernetes-models/v1/Probe";
import type { IReplicationController } from "kubernetes-models/v1/ReplicationController";
import type { IResourceFieldSelector } from "kubernetes-models/v1/ResourceFieldSelector";
import type { IResourceQuota } from "kubernetes-models/v1/ResourceQuota";
import type { IResourceRequirements } from "kubernetes-models/v1/ResourceRequirements";
import type { ISecret } from "kubernetes-models/v1/Secret";
import type { ISecurityContext } from "kubernetes-models/v1/SecurityContext";
import type { IService } from "kubernetes-models/v1/Service";
import type { IServiceAccount } from "kubernetes-models/v1/ServiceAccount";
import type { IServicePort } from "kubernetes-models/v1/ServicePort";
import type { IServiceSpec } from "kubernetes-models/v1/ServiceSpec";
import type { IServiceStatus } from "kubernetes-models/v1/ServiceStatus";
import type { ITaint } from "kubernetes-models/v1/Taint";
import type { ITCPSocketAction } from "kubernetes-models/v1/TCPSocketAction";
import type { IToleration } from "kubernetes-models/v1/Toleration";
import type { ITopologySpreadConstraint } from "kubernetes-models/v1/TopologySpreadConstraint";
import type { IVolume } from "kubernetes-models/v1/Volume";
import type { IVolumeMount } from "kubernetes-models/v1/VolumeMount";
import type { IWeightedPodAffinityTerm } from "kubernetes-models/v1/WeightedPodAffinityTerm";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type Pod = Kind<IPod>;
export const pods: Resource<Pod> = {
  group: "",
  version: "v1",
  kind: "Pod",
  resource: "pods",
  singular: "pod",
  namespaced: true,
  shortNames: ["po"],
  categories: ["all"],
};

export type Service = Kind<IService>;
export const services: Resource<Service> = {
  group: "",
  version: "v1",
  kind: "Service",
  resource: "services",
  singular: "service",
  namespaced: true,
  shortNames: ["svc"],
  categories: ["all"],
};

export type ReplicationController = Kind<IReplicationController>;
export const replicationcontrollers: Resource<ReplicationController> = {
  group: "",
  version: "v1",
  kind: "ReplicationController",
  resource: "replicationcontrollers",
  singular: "replicationcontroller",
  namespaced: true,
  shortNames: ["rc"],
  categories: ["all"],
};

export type Namespace = Kind<INamespace>;
export const namespaces: Resource<Namespace> = {
  group: "",
  version: "v1",
  kind: "Namespace",
  resource: "namespaces",
  singular: "namespace",
  namespaced: false,
  shortNames: ["ns"],
  categories: [],
};

export type Node = Kind<INode>;
export const nodes: Resource<Node> = {
  group: "",
  version: "v1",
  kind: "Node",
  resource: "nodes",
  singular: "node",
  namespaced: false,
  shortNames: ["no"],
  categories: [],
};

export type ConfigMap = Kind<IConfigMap>;
export const configmaps: Resource<ConfigMap> = {
  group: "",
  version: "v1",
  kind: "ConfigMap",
  resource: "configmaps",
  singular: "configmap",
  namespaced: true,
  shortNames: ["cm"],
  categories: [],
};

export type Secret = Kind<ISecret>;
export const secrets: Resource<Secret> = {
  group: "",
  version: "v1",
  kind: "Secret",
  resource: "secrets",
  singular: "secret",
  namespaced: true,
  shortNames: [],
  categories: [],
};

export type ServiceAccount = Kind<IServiceAccount>;
export const serviceaccounts: Resource<ServiceAccount> = {
  group: "",
  version: "v1",
  kind: "ServiceAccount",
  resource: "serviceaccounts",
  singular: "serviceaccount",
  namespaced: true,
  shortNames: ["sa"],
  categories: [],
};

export type Endpoints = Kind<IEndpoints>;
export const endpoints: Resource<Endpoints> = {
  group: "",
  version: "v1",
  kind: "Endpoints",
  resource: "endpoints",
  singular: "endpoints",
  namespaced: true,
  shortNames: ["ep"],
  categories: [],
};

export type Event = Kind<IEvent>;
export const events: Resource<Event> = {
  group: "",
  version: "v1",
  kind: "Event",
  resource: "events",
  singular: "event",
  namespaced: true,
  shortNames: ["ev"],
  categories: [],
};

export type PersistentVolume = Kind<IPersistentVolume>;
export const persistentvolumes: Resource<PersistentVolume> = {
  group: "",
  version: "v1",
  kind: "PersistentVolume",
  resource: "persistentvolumes",
  singular: "persistentvolume",
  namespaced: false,
  shortNames: ["pv"],
  categories: [],
};

export type PersistentVolumeClaim = Kind<IPersistentVolumeClaim>;
export const persistentvolumeclaims: Resource<PersistentVolumeClaim> = {
  group: "",
  version: "v1",
  kind: "PersistentVolumeClaim",
  resource: "persistentvolumeclaims",
  singular: "persistentvolumeclaim",
  namespaced: true,
  shortNames: ["pvc"],
  categories: [],
};

export type ResourceQuota = Kind<IResourceQuota>;
export const resourcequotas: Resource<ResourceQuota> = {
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  resource: "resourcequotas",
  singular: "resourcequota",
  namespaced: true,
  shortNames: ["quota"],
  categories: [],
};

export type LimitRange = Kind<ILimitRange>;
export const limitranges: Resource<LimitRange> = {
  group: "",
  version: "v1",
  kind: "LimitRange",
  resource: "limitranges",
  singular: "limitrange",
  namespaced: true,
  shortNames: ["limits"],
  categories: [],
};

export type PodTemplate = Kind<IPodTemplate>;
export const podtemplates: Resource<PodTemplate> = {
  group: "",
  version: "v1",
  kind: "PodTemplate",
  resource: "podtemplates",
  singular: "podtemplate",
  namespaced: true,
  shortNames: [],
  categories: [],
};

export type Binding = Kind<IBinding>;
export const bindings: Resource<Binding> = {
  group: "",
  version: "v1",
  kind: "Binding",
  resource: "bindings",
  singular: "binding",
  namespaced: true,
  shortNames: [],
  categories: [],
};

export type ComponentStatus = Kind<IComponentStatus>;
export const componentstatuses: Resource<ComponentStatus> = {
  group: "",
  version: "v1",
  kind: "ComponentStatus",
  resource: "componentstatuses",
  singular: "componentstatus",
  namespaced: false,
  shortNames: ["cs"],
  categories: [],
};
export type PodSpec = IPodSpec;
export type PodStatus = IPodStatus;
export type PodCondition = IPodCondition;
export type PodTemplateSpec = IPodTemplateSpec;
export type PodSecurityContext = IPodSecurityContext;
export type PodAffinityTerm = IPodAffinityTerm;
export type WeightedPodAffinityTerm = IWeightedPodAffinityTerm;
export type Affinity = IAffinity;
export type NodeAffinity = INodeAffinity;
export type NodeSelector = INodeSelector;
export type NodeSelectorTerm = INodeSelectorTerm;
export type NodeSelectorRequirement = INodeSelectorRequirement;
export type Container = IContainer;
export type ContainerPort = IContainerPort;
export type ContainerState = IContainerState;
export type ContainerStatus = IContainerStatus;
export type EphemeralContainer = IEphemeralContainer;
export type EnvVar = IEnvVar;
export type EnvVarSource = IEnvVarSource;
export type EnvFromSource = IEnvFromSource;
export type Probe = IProbe;
export type Lifecycle = ILifecycle;
export type LifecycleHandler = ILifecycleHandler;
export type HTTPGetAction = IHTTPGetAction;
export type ExecAction = IExecAction;
export type TCPSocketAction = ITCPSocketAction;
export type ResourceRequirements = IResourceRequirements;
export type SecurityContext = ISecurityContext;
export type Volume = IVolume;
export type VolumeMount = IVolumeMount;
export type KeyToPath = IKeyToPath;
export type ObjectFieldSelector = IObjectFieldSelector;
export type ResourceFieldSelector = IResourceFieldSelector;
export type Toleration = IToleration;
export type Taint = ITaint;
export type TopologySpreadConstraint = ITopologySpreadConstraint;
export type NodeSpec = INodeSpec;
export type NodeStatus = INodeStatus;
export type NodeCondition = INodeCondition;
export type NodeAddress = INodeAddress;
export type NodeSystemInfo = INodeSystemInfo;
export type ContainerImage = IContainerImage;
export type ServiceSpec = IServiceSpec;
export type ServicePort = IServicePort;
export type ServiceStatus = IServiceStatus;
export type EndpointSubset = IEndpointSubset;
export type EndpointAddress = IEndpointAddress;
export type EndpointPort = IEndpointPort;
export type ObjectReference = IObjectReference;
export type LocalObjectReference = ILocalObjectReference;
export type EventSource = IEventSource;
export type PersistentVolumeClaimSpec = IPersistentVolumeClaimSpec;
export type PersistentVolumeSpec = IPersistentVolumeSpec;
