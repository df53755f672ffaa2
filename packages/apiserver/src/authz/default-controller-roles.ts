// The ClusterRoles system:controller:*, one for each controller, as data (upstream: bootstrappolicy controller_policy.go).
// Each is bound to the ServiceAccount of that name in kube-system.

import type { DefaultClusterRole } from "./default-roles.js";
import { eventsRule, READ, rule } from "./rule.js";

const PREFIX = "system:controller:";
const APPS = "apps extensions";
const CSR = "certificates.k8s.io";
const SIGNERS =
  "kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving kubernetes.io/legacy-unknown";

const rulesByController: { readonly [name: string]: DefaultClusterRole["rules"] } = {
  "attachdetach-controller": [
    rule("list watch", "core", "persistentvolumeclaims persistentvolumes"),
    rule(READ, "core", "nodes"),
    rule("patch update", "core", "nodes/status"),
    rule("list watch", "core", "pods"),
    eventsRule,
    rule("create delete get list watch", "storage.k8s.io", "volumeattachments"),
    rule(READ, "storage.k8s.io", "csidrivers"),
    rule(READ, "storage.k8s.io", "csinodes"),
  ],
  "clusterrole-aggregation-controller": [
    rule("escalate get list patch update watch", "rbac.authorization.k8s.io", "clusterroles"),
  ],
  "cronjob-controller": [
    rule("get list update watch", "batch", "cronjobs"),
    rule("create delete get list patch update watch", "batch", "jobs"),
    rule("update", "batch", "cronjobs/status"),
    rule("update", "batch", "cronjobs/finalizers"),
    rule("delete list watch", "core", "pods"),
    eventsRule,
  ],
  "daemon-set-controller": [
    rule(READ, APPS, "daemonsets"),
    rule("update", APPS, "daemonsets/status"),
    rule("update", APPS, "daemonsets/finalizers"),
    rule("list watch", "core", "nodes"),
    rule("create delete list patch watch", "core", "pods"),
    rule("create", "core", "pods/binding"),
    rule("create delete get list patch update watch", "apps", "controllerrevisions"),
    eventsRule,
  ],
  "deployment-controller": [
    rule("get list update watch", APPS, "deployments"),
    rule("update", APPS, "deployments/status"),
    rule("update", APPS, "deployments/finalizers"),
    rule("create delete get list patch update watch", APPS, "replicasets"),
    rule("get list update watch", "core", "pods"),
    eventsRule,
  ],
  "disruption-controller": [
    rule(READ, APPS, "deployments"),
    rule(READ, APPS, "replicasets"),
    rule(READ, "core", "replicationcontrollers"),
    rule(READ, "policy", "poddisruptionbudgets"),
    rule(READ, "apps", "statefulsets"),
    rule("update", "policy", "poddisruptionbudgets/status"),
    rule("patch update", "core", "pods/status"),
    rule("get", "*", "*/scale"),
    eventsRule,
  ],
  "endpoint-controller": [
    rule(READ, "core", "pods services"),
    rule("create delete get list update watch", "core", "endpoints"),
    rule("create", "core", "endpoints/restricted"),
    eventsRule,
  ],
  "endpointslice-controller": [
    rule(READ, "core", "nodes pods services"),
    rule("update", "core", "services/finalizers"),
    rule("create delete get list update watch", "discovery.k8s.io", "endpointslices"),
    eventsRule,
  ],
  "endpointslicemirroring-controller": [
    rule(READ, "core", "endpoints services"),
    rule("update", "core", "services/finalizers"),
    rule("update", "core", "endpoints/finalizers"),
    rule("create delete get list update watch", "discovery.k8s.io", "endpointslices"),
    eventsRule,
  ],
  "ephemeral-volume-controller": [
    rule(READ, "core", "pods"),
    rule("update", "core", "pods/finalizers"),
    rule("create get list watch", "core", "persistentvolumeclaims"),
    eventsRule,
  ],
  "expand-controller": [
    rule("get list patch update watch", "core", "persistentvolumes"),
    rule("patch update", "core", "persistentvolumeclaims/status"),
    rule(READ, "core", "persistentvolumeclaims"),
    eventsRule,
  ],
  "generic-garbage-collector": [rule("delete get list patch update watch", "*", "*"), eventsRule],
  "horizontal-pod-autoscaler": [
    rule(READ, "autoscaling", "horizontalpodautoscalers"),
    rule("update", "autoscaling", "horizontalpodautoscalers/status"),
    rule("get update", "*", "*/scale"),
    rule("list", "core", "pods"),
    rule("list", "metrics.k8s.io", "pods"),
    rule("get list", "custom.metrics.k8s.io", "*"),
    rule("get list", "external.metrics.k8s.io", "*"),
    eventsRule,
    rule("list watch", "core", "pods"),
  ],
  "job-controller": [
    rule("get list patch update watch", "batch", "jobs"),
    rule("update", "batch", "jobs/status"),
    rule("update", "batch", "jobs/finalizers"),
    rule("create delete list patch watch", "core", "pods"),
    eventsRule,
  ],
  "legacy-service-account-token-cleaner": [
    rule("get", "core", "configmaps", "kube-apiserver-legacy-service-account-token-tracking"),
    rule("delete patch", "core", "secrets"),
  ],
  // No upstream controller: the rights of its external provisioners, and the words it has with kubelets through Nodes.
  "local-path-provisioner": [
    rule("create delete get list patch update watch", "core", "persistentvolumes"),
    rule("get list update watch", "core", "persistentvolumeclaims"),
    rule("patch", "core", "persistentvolumeclaims/status"),
    rule(READ, "storage.k8s.io", "storageclasses"),
    rule("get list patch watch", "core", "nodes"),
    eventsRule,
  ],
  "namespace-controller": [
    rule("delete get list watch", "core", "namespaces"),
    rule("update", "core", "namespaces/finalize namespaces/status"),
    rule("delete deletecollection get list watch", "*", "*"),
  ],
  "node-controller": [
    rule("delete get list patch update watch", "core", "nodes"),
    rule("patch update", "core", "nodes/status"),
    rule("patch update", "core", "pods/status"),
    rule("delete get list watch", "core", "pods"),
    eventsRule,
  ],
  "persistent-volume-binder": [
    rule("create delete get list update watch", "core", "persistentvolumes"),
    rule("update", "core", "persistentvolumes/status"),
    rule("get list update watch", "core", "persistentvolumeclaims"),
    rule("update", "core", "persistentvolumeclaims/status"),
    rule("create delete get list watch", "core", "pods"),
    rule(READ, "storage.k8s.io", "storageclasses"),
    rule("list watch", "core", "nodes"),
    rule("watch", "core", "events"),
    eventsRule,
  ],
  "pod-garbage-collector": [
    rule("delete list watch", "core", "pods"),
    rule(READ, "core", "nodes"),
    rule("patch", "core", "pods/status"),
  ],
  "pv-protection-controller": [rule("get list update watch", "core", "persistentvolumes"), eventsRule],
  "pvc-protection-controller": [
    rule("get list update watch", "core", "persistentvolumeclaims"),
    rule(READ, "core", "pods"),
    eventsRule,
  ],
  "replicaset-controller": [
    rule("get list update watch", APPS, "replicasets"),
    rule("update", APPS, "replicasets/status"),
    rule("update", APPS, "replicasets/finalizers"),
    rule("create delete list patch watch", "core", "pods"),
    eventsRule,
  ],
  "replication-controller": [
    rule("get list update watch", "core", "replicationcontrollers"),
    rule("update", "core", "replicationcontrollers/status"),
    rule("update", "core", "replicationcontrollers/finalizers"),
    rule("create delete list patch watch", "core", "pods"),
    eventsRule,
  ],
  "resourcequota-controller": [
    rule("list watch", "*", "*"),
    rule("update", "core", "resourcequotas/status"),
    eventsRule,
  ],
  "root-ca-cert-publisher": [rule("create update", "core", "configmaps"), eventsRule],
  "route-controller": [rule("list watch", "core", "nodes"), rule("patch", "core", "nodes/status"), eventsRule],
  "service-account-controller": [rule("create", "core", "serviceaccounts"), eventsRule],
  "service-cidrs-controller": [
    rule("get list patch update watch", "networking.k8s.io", "servicecidrs"),
    rule("patch update", "networking.k8s.io", "servicecidrs/finalizers"),
    rule("patch update", "networking.k8s.io", "servicecidrs/status"),
    rule(READ, "networking.k8s.io", "ipaddresses"),
    eventsRule,
  ],
  "service-controller": [
    rule(READ, "core", "services"),
    rule("patch update", "core", "services/status"),
    rule("list watch", "core", "nodes"),
    // Not upstream's: which nodes have endpoints, for Services that stay local.
    rule("list watch", "discovery.k8s.io", "endpointslices"),
    eventsRule,
  ],
  "statefulset-controller": [
    rule("list watch", "core", "pods"),
    rule(READ, "apps", "statefulsets"),
    rule("update", "apps", "statefulsets/status"),
    rule("update", "apps", "statefulsets/finalizers"),
    rule("create delete get patch update", "core", "pods"),
    rule("create delete get list patch update watch", "apps", "controllerrevisions"),
    rule("create get list watch", "core", "persistentvolumeclaims"),
    rule("delete update", "core", "persistentvolumeclaims"),
    eventsRule,
  ],
  "ttl-after-finished-controller": [rule("delete get list watch", "batch", "jobs"), eventsRule],
  "ttl-controller": [rule("list patch update watch", "core", "nodes"), eventsRule],
  "validatingadmissionpolicy-status-controller": [
    rule(READ, "admissionregistration.k8s.io", "validatingadmissionpolicies"),
    rule("get patch update", "admissionregistration.k8s.io", "validatingadmissionpolicies/status"),
    eventsRule,
  ],
  "certificate-controller": [
    rule("delete get list watch", CSR, "certificatesigningrequests"),
    rule("update", CSR, "certificatesigningrequests/approval certificatesigningrequests/status"),
    rule("approve", CSR, "signers", "kubernetes.io/kube-apiserver-client-kubelet"),
    rule("sign", CSR, "signers", SIGNERS),
    rule("create", "authorization.k8s.io", "subjectaccessreviews"),
    eventsRule,
  ],
};

/** Names of the controllers that hold a role, without the prefix. */
export const controllersWithRoles: readonly string[] = Object.keys(rulesByController);

/** The name of a controller's ClusterRole and of its binding. */
export function controllerRoleName(controller: string): string {
  return `${PREFIX}${controller}`;
}

/** Every system:controller:* ClusterRole. */
export const defaultControllerRoles: readonly DefaultClusterRole[] = Object.entries(rulesByController).map(
  ([name, rules]) => ({ name: controllerRoleName(name), rules }),
);
