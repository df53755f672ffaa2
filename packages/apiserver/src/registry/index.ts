// The list of all built-in kinds. A new kind is a folder's file and a line here.

import {
  validatingAdmissionPolicyBindingDefinition,
  validatingAdmissionPolicyDefinition,
} from "./admissionregistration/policies.js";
import {
  mutatingWebhookConfigurationDefinition,
  validatingWebhookConfigurationDefinition,
} from "./admissionregistration/webhooks.js";
import { customResourceDefinitionDefinition } from "./apiextensions/custom-resource-definition.js";
import { apiServiceDefinition } from "./apiregistration/api-service.js";
import { controllerRevisionDefinition } from "./apps/controller-revision.js";
import { daemonSetDefinition } from "./apps/daemon-set.js";
import { deploymentDefinition } from "./apps/deployment.js";
import { replicaSetDefinition } from "./apps/replica-set.js";
import { statefulSetDefinition } from "./apps/stateful-set.js";
import {
  horizontalPodAutoscalerV1Definition,
  horizontalPodAutoscalerV2Definition,
} from "./autoscaling/horizontal-pod-autoscaler.js";
import { cronJobDefinition } from "./batch/cron-job.js";
import { jobDefinition } from "./batch/job.js";
import { certificateSigningRequestDefinition } from "./certificates/certificate-signing-request.js";
import { leaseDefinition } from "./coordination/lease.js";
import { type ComponentCheck, componentStatusDefinition } from "./core/component-status.js";
import { configMapDefinition } from "./core/config-map.js";
import { endpointsDefinition } from "./core/endpoints.js";
import { coreEventDefinition, newEventDefinition } from "./core/event.js";
import { limitRangeDefinition } from "./core/limit-range.js";
import { namespaceDefinition } from "./core/namespace.js";
import { nodeDefinition } from "./core/node.js";
import { persistentVolumeDefinition } from "./core/persistent-volume.js";
import { persistentVolumeClaimDefinition } from "./core/persistent-volume-claim.js";
import { podDefinition } from "./core/pod.js";
import { podTemplateDefinition } from "./core/pod-template.js";
import { replicationControllerDefinition } from "./core/replication-controller.js";
import { resourceQuotaDefinition } from "./core/resource-quota.js";
import { secretDefinition } from "./core/secret.js";
import { serviceDefinition } from "./core/service.js";
import { serviceAccountDefinition } from "./core/service-account.js";
import { serviceAllocator } from "./core/service-allocator.js";
import { endpointSliceDefinition } from "./discovery/endpoint-slice.js";
import { flowSchemaDefinition } from "./flowcontrol/flow-schema.js";
import { priorityLevelConfigurationDefinition } from "./flowcontrol/priority-level-configuration.js";
import { ingressDefinition } from "./networking/ingress.js";
import { ingressClassDefinition } from "./networking/ingress-class.js";
import { ipAddressDefinition } from "./networking/ip-address.js";
import { networkPolicyDefinition } from "./networking/network-policy.js";
import { serviceCidrDefinition } from "./networking/service-cidr.js";
import { runtimeClassDefinition } from "./node/runtime-class.js";
import { podDisruptionBudgetDefinition } from "./policy/pod-disruption-budget.js";
import { clusterRoleDefinition, roleDefinition } from "./rbac/role.js";
import { clusterRoleBindingDefinition, roleBindingDefinition } from "./rbac/role-binding.js";
import type { ConnectHandler, ResourceDefinition } from "./resource-definition.js";
import { priorityClassDefinition } from "./scheduling/priority-class.js";
import { csiDriverDefinition, csiNodeDefinition, csiStorageCapacityDefinition } from "./storage/csi.js";
import { storageClassDefinition } from "./storage/storage-class.js";
import { volumeAttachmentDefinition } from "./storage/volume-attachment.js";
import { virtualDefinitions } from "./virtual.js";

/** Names of the handlers that connect/ provides: "resource/subresource", or a virtual resource. */
export type ConnectKey =
  | "pods/binding"
  | "pods/eviction"
  | "serviceaccounts/token"
  | "bindings"
  | "tokenreviews"
  | "selfsubjectreviews"
  | "subjectaccessreviews"
  | "localsubjectaccessreviews"
  | "selfsubjectaccessreviews"
  | "selfsubjectrulesreviews";

export interface BuiltinOptions {
  /** One CIDR, or one of each IP family; the first one's family is the cluster's primary. */
  readonly serviceCidrs: readonly string[];
  /** Both ends included. */
  readonly nodePortRange: { readonly from: number; readonly to: number };
  /** What ComponentStatuses tell of. */
  readonly componentChecks?: readonly ComponentCheck[];
  /** What is left out is not served. */
  readonly connect: { readonly [key in ConnectKey]?: ConnectHandler };
}

function subresourcesOf(
  resource: string,
  connect: BuiltinOptions["connect"],
): { [subresource: string]: ConnectHandler } {
  const own = Object.entries(connect).filter(([key]) => key.startsWith(`${resource}/`));
  return Object.fromEntries(own.map(([key, handler]) => [key.slice(resource.length + 1), handler]));
}

/** Every built-in kind, in each version that is served. */
export function builtinDefinitions(options: BuiltinOptions): ResourceDefinition[] {
  return [
    podDefinition(subresourcesOf("pods", options.connect)),
    podTemplateDefinition,
    serviceDefinition(serviceAllocator(options)),
    endpointsDefinition,
    nodeDefinition,
    namespaceDefinition,
    configMapDefinition,
    secretDefinition,
    serviceAccountDefinition(subresourcesOf("serviceaccounts", options.connect)),
    coreEventDefinition,
    newEventDefinition,
    persistentVolumeDefinition,
    persistentVolumeClaimDefinition,
    replicationControllerDefinition,
    resourceQuotaDefinition,
    limitRangeDefinition,
    componentStatusDefinition(options.componentChecks ?? []),
    deploymentDefinition,
    replicaSetDefinition,
    statefulSetDefinition,
    daemonSetDefinition,
    controllerRevisionDefinition,
    jobDefinition,
    cronJobDefinition,
    horizontalPodAutoscalerV2Definition,
    horizontalPodAutoscalerV1Definition,
    ingressDefinition,
    ingressClassDefinition,
    networkPolicyDefinition,
    ipAddressDefinition,
    serviceCidrDefinition,
    podDisruptionBudgetDefinition,
    roleDefinition,
    clusterRoleDefinition,
    roleBindingDefinition,
    clusterRoleBindingDefinition,
    storageClassDefinition,
    volumeAttachmentDefinition,
    csiDriverDefinition,
    csiNodeDefinition,
    csiStorageCapacityDefinition,
    priorityClassDefinition,
    leaseDefinition,
    endpointSliceDefinition,
    certificateSigningRequestDefinition,
    runtimeClassDefinition,
    mutatingWebhookConfigurationDefinition,
    validatingWebhookConfigurationDefinition,
    validatingAdmissionPolicyDefinition,
    validatingAdmissionPolicyBindingDefinition,
    customResourceDefinitionDefinition,
    apiServiceDefinition,
    flowSchemaDefinition,
    priorityLevelConfigurationDefinition,
    ...virtualDefinitions(options.connect),
  ];
}
