// Every controller: its name, its former names, its ServiceAccount, its workers. The one list to add a line to.

import type { Controller } from "@picokube/client/controller";
import { ConfigError } from "@picokube/component-base/config-error";
import { bootstrapSignerController } from "./bootstrap-signer/bootstrap-signer-controller.js";
import { clusterRoleAggregationController } from "./clusterrole-aggregation/clusterrole-aggregation-controller.js";
import { cronJobController } from "./cronjob/cronjob-controller.js";
import { csrApprovingController } from "./csr-approving/csr-approving-controller.js";
import { csrCleanerController } from "./csr-cleaner/csr-cleaner-controller.js";
import { csrSigningController } from "./csr-signing/csr-signing-controller.js";
import { daemonSetController } from "./daemonset/daemonset-controller.js";
import type { Dependencies } from "./dependencies.js";
import { deploymentController } from "./deployment/deployment-controller.js";
import { disruptionController } from "./disruption/disruption-controller.js";
import { endpointsController } from "./endpoints/endpoints-controller.js";
import { endpointSliceController } from "./endpointslice/endpointslice-controller.js";
import { endpointSliceMirroringController } from "./endpointslicemirroring/endpointslicemirroring-controller.js";
import { ephemeralVolumeController } from "./ephemeral-volume/ephemeral-volume-controller.js";
import { garbageCollector } from "./garbage-collector/garbage-collector.js";
import { jobController } from "./job/job-controller.js";
import { kubeletServingApproverController } from "./kubelet-serving-approver/kubelet-serving-approver-controller.js";
import { localPathProvisionerController } from "./local-path-provisioner/local-path-provisioner-controller.js";
import { namespaceController } from "./namespace/namespace-controller.js";
import { nodeIpamController } from "./node-ipam/node-ipam-controller.js";
import { nodeLifecycleController } from "./node-lifecycle/node-lifecycle-controller.js";
import { taintEvictionController } from "./node-lifecycle/taint-eviction-controller.js";
import type { ControllerManagerValues } from "./options.js";
import { persistentVolumeBinder } from "./persistentvolume-binder/persistentvolume-binder-controller.js";
import { persistentVolumeExpander } from "./persistentvolume-expander/persistentvolume-expander-controller.js";
import { podGcController } from "./pod-gc/pod-gc-controller.js";
import { pvProtectionController } from "./pv-protection/pv-protection-controller.js";
import { pvcProtectionController } from "./pvc-protection/pvc-protection-controller.js";
import { replicaSetController } from "./replicaset/replicaset-controller.js";
import { replicationManager } from "./replicationcontroller/replication-manager.js";
import { resourceQuotaController } from "./resourcequota/resourcequota-controller.js";
import { rootCaPublisher } from "./root-ca-publisher/root-ca-publisher.js";
import { serviceCidrController } from "./service-cidr/service-cidr-controller.js";
import { serviceLbController } from "./service-lb/service-lb-controller.js";
import { serviceAccountController } from "./serviceaccount/serviceaccount-controller.js";
import { serviceAccountTokenController } from "./serviceaccount-token/serviceaccount-token-controller.js";
import { statefulSetController } from "./statefulset/statefulset-controller.js";
import { tokenCleanerController } from "./token-cleaner/token-cleaner-controller.js";
import { ttlAfterFinishedController } from "./ttl-after-finished/ttl-after-finished-controller.js";

export interface ControllerEntry {
  /** As --controllers names it. */
  readonly name: string;
  /** What older releases called it: still understood. */
  readonly alias: string;
  /** Left out: it acts as the controller manager itself, whatever --use-service-account-credentials says. */
  readonly serviceAccount?: string;
  /** What metrics call its queue. */
  readonly queue: string;
  readonly workers: (options: ControllerManagerValues) => number;
  /** How many times --kube-api-qps and --kube-api-burst it may use; once when left out. */
  readonly requests?: { readonly qps: number; readonly burst: number };
  /** "*" does not mean it: it must be named (upstream: ControllersDisabledByDefault). */
  readonly isOffByDefault?: boolean;
  /** Undefined: the flags leave it nothing to do. */
  readonly create: (dependencies: Dependencies) => Controller | undefined;
}

const one = () => 1;

export const controllers: readonly ControllerEntry[] = [
  {
    name: "serviceaccount-token-controller",
    alias: "serviceaccount-token",
    queue: "serviceaccount_tokens_secret",
    workers: (options) => options.concurrentServiceaccountTokenSyncs,
    create: serviceAccountTokenController,
  },
  {
    name: "serviceaccount-controller",
    alias: "serviceaccount",
    serviceAccount: "service-account-controller",
    queue: "serviceaccount",
    workers: one,
    create: serviceAccountController,
  },
  {
    name: "root-ca-certificate-publisher-controller",
    alias: "root-ca-cert-publisher",
    serviceAccount: "root-ca-cert-publisher",
    queue: "root_ca_cert_publisher",
    workers: one,
    create: rootCaPublisher,
  },
  {
    name: "node-ipam-controller",
    alias: "nodeipam",
    serviceAccount: "node-controller",
    queue: "node_ipam",
    workers: one,
    create: nodeIpamController,
  },
  {
    name: "node-lifecycle-controller",
    alias: "nodelifecycle",
    serviceAccount: "node-controller",
    queue: "node_lifecycle_controller",
    workers: () => 8,
    create: nodeLifecycleController,
  },
  {
    name: "taint-eviction-controller",
    alias: "taint-eviction",
    serviceAccount: "node-controller",
    queue: "noexec_taint_pod",
    workers: () => 8,
    create: taintEvictionController,
  },
  {
    name: "deployment-controller",
    alias: "deployment",
    serviceAccount: "deployment-controller",
    queue: "deployment",
    workers: (options) => options.concurrentDeploymentSyncs,
    create: deploymentController,
  },
  {
    name: "replicaset-controller",
    alias: "replicaset",
    serviceAccount: "replicaset-controller",
    queue: "replicaset",
    workers: (options) => options.concurrentReplicasetSyncs,
    create: replicaSetController,
  },
  {
    name: "replicationcontroller-controller",
    alias: "replicationcontroller",
    serviceAccount: "replication-controller",
    queue: "replicationmanager",
    workers: (options) => options.concurrentRcSyncs,
    create: replicationManager,
  },
  {
    name: "statefulset-controller",
    alias: "statefulset",
    serviceAccount: "statefulset-controller",
    queue: "statefulset",
    workers: (options) => options.concurrentStatefulsetSyncs,
    create: statefulSetController,
  },
  {
    name: "job-controller",
    alias: "job",
    serviceAccount: "job-controller",
    queue: "job",
    workers: (options) => options.concurrentJobSyncs,
    create: jobController,
  },
  {
    name: "cronjob-controller",
    alias: "cronjob",
    serviceAccount: "cronjob-controller",
    queue: "cronjob",
    workers: (options) => options.concurrentCronJobSyncs,
    create: cronJobController,
  },
  {
    name: "ttl-after-finished-controller",
    alias: "ttl-after-finished",
    serviceAccount: "ttl-after-finished-controller",
    queue: "ttl_jobs_to_delete",
    workers: (options) => options.concurrentTtlAfterFinishedSyncs,
    create: ttlAfterFinishedController,
  },
  {
    name: "daemonset-controller",
    alias: "daemonset",
    serviceAccount: "daemon-set-controller",
    queue: "daemonset",
    workers: (options) => options.concurrentDaemonsetSyncs,
    create: daemonSetController,
  },
  {
    name: "disruption-controller",
    alias: "disruption",
    serviceAccount: "disruption-controller",
    queue: "disruption",
    workers: one,
    create: disruptionController,
  },
  {
    name: "endpoints-controller",
    alias: "endpoint",
    serviceAccount: "endpoint-controller",
    queue: "endpoint",
    workers: (options) => options.concurrentEndpointSyncs,
    create: endpointsController,
  },
  {
    name: "endpointslice-controller",
    alias: "endpointslice",
    serviceAccount: "endpointslice-controller",
    queue: "endpoint_slice",
    workers: (options) => options.concurrentServiceEndpointSyncs,
    create: endpointSliceController,
  },
  {
    name: "endpointslice-mirroring-controller",
    alias: "endpointslicemirroring",
    serviceAccount: "endpointslicemirroring-controller",
    queue: "endpoint_slice_mirroring",
    workers: (options) => options.mirroringConcurrentServiceEndpointSyncs,
    create: endpointSliceMirroringController,
  },
  {
    name: "namespace-controller",
    alias: "namespace",
    serviceAccount: "namespace-controller",
    queue: "namespace",
    workers: (options) => options.concurrentNamespaceSyncs,
    // It asks about every kind there is, and deletes all that it finds.
    requests: { qps: 20, burst: 100 },
    create: namespaceController,
  },
  {
    name: "garbage-collector-controller",
    alias: "garbagecollector",
    serviceAccount: "generic-garbage-collector",
    queue: "garbage_collector_attempt_to_delete",
    workers: (options) => options.concurrentGcSyncs,
    create: garbageCollector,
  },
  {
    name: "pod-garbage-collector-controller",
    alias: "podgc",
    serviceAccount: "pod-garbage-collector",
    queue: "orphaned_pods_nodes",
    workers: one,
    create: podGcController,
  },
  {
    name: "resourcequota-controller",
    alias: "resourcequota",
    serviceAccount: "resourcequota-controller",
    queue: "resource_quota_controller_resource_changes",
    workers: (options) => options.concurrentResourceQuotaSyncs,
    create: resourceQuotaController,
  },
  {
    name: "clusterrole-aggregation-controller",
    alias: "clusterrole-aggregation",
    serviceAccount: "clusterrole-aggregation-controller",
    queue: "ClusterRoleAggregator",
    workers: () => 5,
    create: clusterRoleAggregationController,
  },
  {
    name: "persistentvolume-binder-controller",
    alias: "persistentvolume-binder",
    serviceAccount: "persistent-volume-binder",
    queue: "volumes",
    // Two at once would promise one volume to two claims.
    workers: one,
    create: persistentVolumeBinder,
  },
  {
    name: "persistentvolume-expander-controller",
    alias: "persistentvolume-expander",
    serviceAccount: "expand-controller",
    queue: "volume_expand",
    workers: one,
    create: persistentVolumeExpander,
  },
  {
    name: "persistentvolumeclaim-protection-controller",
    alias: "pvc-protection",
    serviceAccount: "pvc-protection-controller",
    queue: "pvcprotection",
    workers: one,
    create: pvcProtectionController,
  },
  {
    name: "persistentvolume-protection-controller",
    alias: "pv-protection",
    serviceAccount: "pv-protection-controller",
    queue: "pvprotection",
    workers: one,
    create: pvProtectionController,
  },
  {
    name: "ephemeral-volume-controller",
    alias: "ephemeral-volume",
    serviceAccount: "ephemeral-volume-controller",
    queue: "ephemeral_volume",
    workers: (options) => options.concurrentEphemeralvolumeSyncs,
    create: ephemeralVolumeController,
  },
  // No controller of upstream's: the provisioner that its clusters run as a pod.
  {
    name: "local-path-provisioner",
    alias: "local-path",
    serviceAccount: "local-path-provisioner",
    queue: "local_path_provisioner",
    workers: one,
    create: localPathProvisionerController,
  },
  {
    name: "service-cidr-controller",
    alias: "service-cidr-controller",
    serviceAccount: "service-cidrs-controller",
    queue: "ipaddresses",
    workers: () => 5,
    create: serviceCidrController,
  },
  {
    name: "service-lb-controller",
    alias: "service",
    serviceAccount: "service-controller",
    queue: "service",
    // Two at once would give one address twice.
    workers: one,
    // On a cluster with a cloud, or with another's load balancer, it would answer in their place.
    isOffByDefault: true,
    create: serviceLbController,
  },
  {
    name: "certificatesigningrequest-signing-controller",
    alias: "csrsigning",
    serviceAccount: "certificate-controller",
    queue: "certificate",
    workers: () => 5,
    create: csrSigningController,
  },
  {
    name: "certificatesigningrequest-approving-controller",
    alias: "csrapproving",
    serviceAccount: "certificate-controller",
    queue: "certificate_approval",
    workers: () => 5,
    create: csrApprovingController,
  },
  {
    name: "certificatesigningrequest-cleaner-controller",
    alias: "csrcleaner",
    serviceAccount: "certificate-controller",
    queue: "certificate_cleaner",
    workers: one,
    create: csrCleanerController,
  },
  {
    name: "bootstrap-signer-controller",
    alias: "bootstrapsigner",
    serviceAccount: "bootstrap-signer",
    queue: "bootstrap_signer_queue",
    workers: one,
    isOffByDefault: true,
    create: bootstrapSignerController,
  },
  {
    name: "token-cleaner-controller",
    alias: "tokencleaner",
    serviceAccount: "token-cleaner",
    queue: "token_cleaner",
    workers: one,
    isOffByDefault: true,
    create: tokenCleanerController,
  },
  {
    name: "kubelet-serving-approver-controller",
    alias: "kubelet-serving-approver",
    serviceAccount: "kubelet-serving-approver",
    queue: "kubelet_serving_approval",
    workers: one,
    isOffByDefault: true,
    create: kubeletServingApproverController,
  },
];

/** Those that --controllers leaves on: "*" is all, "-x" takes one out, the first word about a controller counts. */
export function selectControllers(
  words: readonly string[],
  entries: readonly ControllerEntry[] = controllers,
): ControllerEntry[] {
  const canonical = (word: string) => entries.find(({ name, alias }) => word === name || word === alias)?.name;
  const choices = new Map<string, boolean>();
  for (const word of words) {
    if (word === "*") continue;
    const off = word.startsWith("-");
    const name = canonical(off ? word.slice(1) : word);
    if (name === undefined)
      throw new ConfigError(`"${off ? word.slice(1) : word}" is not in the list of known controllers`);
    if (!choices.has(name)) choices.set(name, !off);
  }
  return entries.filter(({ name, isOffByDefault }) => choices.get(name) ?? (words.includes("*") && !isOffByDefault));
}
