// Every built-in resource, in the order in which discovery shows their groups, and ways to find one. CustomResources are
// the apiserver's to know.

import * as admissionregistrationV1 from "./admissionregistration/v1.js";
import * as apiextensionsV1 from "./apiextensions/v1.js";
import * as apiregistrationV1 from "./apiregistration/v1.js";
import * as appsV1 from "./apps/v1.js";
import * as authenticationV1 from "./authentication/v1.js";
import * as authorizationV1 from "./authorization/v1.js";
import * as autoscalingV1 from "./autoscaling/v1.js";
import * as autoscalingV2 from "./autoscaling/v2.js";
import * as batchV1 from "./batch/v1.js";
import * as certificatesV1 from "./certificates/v1.js";
import * as coordinationV1 from "./coordination/v1.js";
import * as coreV1 from "./core/v1.js";
import * as discoveryV1 from "./discovery/v1.js";
import * as eventsV1 from "./events/v1.js";
import * as flowcontrolV1 from "./flowcontrol/v1.js";
import * as networkingV1 from "./networking/v1.js";
import * as nodeV1 from "./node/v1.js";
import * as policyV1 from "./policy/v1.js";
import * as rbacV1 from "./rbac/v1.js";
import type { GroupResource, GroupVersionKind, Resource } from "./resource.js";
import * as schedulingV1 from "./scheduling/v1.js";
import * as storageV1 from "./storage/v1.js";

/** All of them; a later version of a group stands before an earlier one. */
export const builtinResources: readonly Resource[] = [
  coreV1.pods,
  coreV1.services,
  coreV1.replicationcontrollers,
  coreV1.namespaces,
  coreV1.nodes,
  coreV1.configmaps,
  coreV1.secrets,
  coreV1.serviceaccounts,
  coreV1.endpoints,
  coreV1.events,
  coreV1.persistentvolumes,
  coreV1.persistentvolumeclaims,
  coreV1.resourcequotas,
  coreV1.limitranges,
  coreV1.podtemplates,
  coreV1.bindings,
  coreV1.componentstatuses,
  apiregistrationV1.apiservices,
  appsV1.deployments,
  appsV1.replicasets,
  appsV1.statefulsets,
  appsV1.daemonsets,
  appsV1.controllerrevisions,
  eventsV1.events,
  authenticationV1.tokenreviews,
  authenticationV1.selfsubjectreviews,
  authenticationV1.tokenrequests,
  authorizationV1.subjectaccessreviews,
  authorizationV1.localsubjectaccessreviews,
  authorizationV1.selfsubjectaccessreviews,
  authorizationV1.selfsubjectrulesreviews,
  autoscalingV2.horizontalpodautoscalers,
  autoscalingV1.horizontalpodautoscalers,
  autoscalingV1.scales,
  batchV1.jobs,
  batchV1.cronjobs,
  certificatesV1.certificatesigningrequests,
  networkingV1.ingresses,
  networkingV1.ingressclasses,
  networkingV1.networkpolicies,
  networkingV1.ipaddresses,
  networkingV1.servicecidrs,
  policyV1.poddisruptionbudgets,
  policyV1.evictions,
  rbacV1.roles,
  rbacV1.rolebindings,
  rbacV1.clusterroles,
  rbacV1.clusterrolebindings,
  storageV1.storageclasses,
  storageV1.volumeattachments,
  storageV1.csidrivers,
  storageV1.csinodes,
  storageV1.csistoragecapacities,
  admissionregistrationV1.mutatingwebhookconfigurations,
  admissionregistrationV1.validatingwebhookconfigurations,
  admissionregistrationV1.validatingadmissionpolicies,
  admissionregistrationV1.validatingadmissionpolicybindings,
  apiextensionsV1.customresourcedefinitions,
  schedulingV1.priorityclasses,
  coordinationV1.leases,
  nodeV1.runtimeclasses,
  discoveryV1.endpointslices,
  flowcontrolV1.flowschemas,
  flowcontrolV1.prioritylevelconfigurations,
];

const byName = new Map(builtinResources.map((resource) => [nameKey(resource), resource]));
const byKind = new Map(builtinResources.map((resource) => [kindKey(resource), resource]));

function nameKey({ group, version, resource }: GroupResource & { readonly version: string }): string {
  return `${group}/${version}/${resource}`;
}

function kindKey({ group, version, kind }: GroupVersionKind): string {
  return `${group}/${version}/${kind}`;
}

/** By group, version and plural name; undefined when it is not built in. */
export function resourceOf(name: GroupResource & { readonly version: string }): Resource | undefined {
  return byName.get(nameKey(name));
}

/** By group, version and kind; undefined when it is not built in. */
export function resourceOfKind(kind: GroupVersionKind): Resource | undefined {
  return byKind.get(kindKey(kind));
}
