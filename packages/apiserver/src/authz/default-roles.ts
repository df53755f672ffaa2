// The ClusterRoles of people and components that every cluster starts with, as data (upstream: bootstrappolicy). The
// controllers' own stand in default-controller-roles.ts; writing them to storage is bootstrap's.

import type { PolicyRule } from "@picokube/api/rbac/v1";
import { eventsRule, READ, rule, urls, WRITE } from "./rule.js";

const CSR = "certificates.k8s.io";
const SIGNERS = "kubernetes.io";

/** What system:node holds; the Node authorizer applies them to every kubelet. */
export const nodeRules: readonly PolicyRule[] = [
  rule("create", "authentication.k8s.io", "tokenreviews"),
  rule("create", "authorization.k8s.io", "localsubjectaccessreviews subjectaccessreviews"),
  rule(READ, "core", "services"),
  rule("create get list watch", "core", "nodes"),
  rule("patch update", "core", "nodes/status"),
  rule("patch update", "core", "nodes"),
  eventsRule,
  rule(READ, "core", "pods"),
  rule("create delete", "core", "pods"),
  rule("patch update", "core", "pods/status"),
  rule("create", "core", "pods/eviction"),
  rule(READ, "core", "configmaps secrets"),
  rule("get", "core", "persistentvolumeclaims persistentvolumes"),
  rule("get", "core", "endpoints"),
  rule("create get list watch", CSR, "certificatesigningrequests"),
  rule("create delete get patch update", "coordination.k8s.io", "leases"),
  rule("get", "storage.k8s.io", "volumeattachments"),
  rule("create", "core", "serviceaccounts/token"),
  rule("get patch update", "core", "persistentvolumeclaims/status"),
  rule(READ, "storage.k8s.io", "csidrivers"),
  rule("create delete get patch update", "storage.k8s.io", "csinodes"),
  rule(READ, "node.k8s.io", "runtimeclasses"),
];

const editRules: PolicyRule[] = [
  rule(READ, "core", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
  rule("impersonate", "core", "serviceaccounts"),
  rule(WRITE, "core", "pods pods/attach pods/exec pods/portforward pods/proxy"),
  rule("create", "core", "pods/eviction"),
  rule(
    WRITE,
    "core",
    "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy",
  ),
  rule("create", "core", "serviceaccounts/token"),
  rule(
    WRITE,
    "apps",
    "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale",
  ),
  rule(WRITE, "autoscaling", "horizontalpodautoscalers"),
  rule(WRITE, "batch", "cronjobs jobs"),
  rule(
    WRITE,
    "extensions",
    "daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale",
  ),
  rule(WRITE, "policy", "poddisruptionbudgets"),
  rule(WRITE, "networking.k8s.io", "ingresses networkpolicies"),
  rule(`${WRITE} ${READ}`, "coordination.k8s.io", "leases"),
];

const viewRules: PolicyRule[] = [
  rule(
    READ,
    "core",
    "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status",
  ),
  rule(
    READ,
    "core",
    "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status",
  ),
  rule(READ, "core", "namespaces"),
  rule(READ, "discovery.k8s.io", "endpointslices"),
  rule(
    READ,
    "apps",
    "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
  ),
  rule(READ, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
  rule(READ, "batch", "cronjobs cronjobs/status jobs jobs/status"),
  rule(
    READ,
    "extensions",
    "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale",
  ),
  rule(READ, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
  rule(READ, "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
];

const controllerManagerRules: PolicyRule[] = [
  eventsRule,
  rule("create", "coordination.k8s.io", "leases"),
  rule("get update", "coordination.k8s.io", "leases", "kube-controller-manager"),
  rule("create", "core", "secrets serviceaccounts"),
  rule("delete", "core", "secrets"),
  rule("get", "core", "configmaps namespaces secrets serviceaccounts"),
  rule("update", "core", "secrets serviceaccounts"),
  rule("create", "authentication.k8s.io", "tokenreviews"),
  rule("create", "authorization.k8s.io", "subjectaccessreviews"),
  rule("list watch", "*", "*"),
  rule("create", "core", "serviceaccounts/token"),
];

const schedulerRules: PolicyRule[] = [
  eventsRule,
  rule("create", "coordination.k8s.io", "leases"),
  rule("get update", "coordination.k8s.io", "leases", "kube-scheduler"),
  rule("create", "coordination.k8s.io", "leasecandidates"),
  rule(READ, "core", "nodes"),
  rule("delete get list watch", "core", "pods"),
  rule("create", "core", "bindings pods/binding"),
  rule("patch update", "core", "pods/status"),
  rule(READ, "core", "replicationcontrollers services"),
  rule(READ, "apps extensions", "replicasets"),
  rule(READ, "apps", "statefulsets"),
  rule(READ, "policy", "poddisruptionbudgets"),
  rule(READ, "core", "persistentvolumeclaims persistentvolumes"),
  rule("create", "authentication.k8s.io", "tokenreviews"),
  rule("create", "authorization.k8s.io", "subjectaccessreviews"),
  rule(READ, "storage.k8s.io", "csinodes"),
  rule(READ, "core", "namespaces"),
  rule(READ, "storage.k8s.io", "csidrivers"),
  rule(READ, "storage.k8s.io", "csistoragecapacities"),
];

const aggregate = (to: string) => ({ [`rbac.authorization.k8s.io/aggregate-to-${to}`]: "true" });

function approver(name: string, signer: string): DefaultClusterRole {
  return { name: `system:certificates.k8s.io:${name}`, rules: [rule("approve", CSR, "signers", signer)] };
}

export interface DefaultClusterRole {
  readonly name: string;
  readonly rules: readonly PolicyRule[];
  readonly labels?: { readonly [key: string]: string };
  /** The role's rules are those of the roles with this label. */
  readonly aggregates?: { readonly [key: string]: string };
}

/** Every default ClusterRole but the controllers'. */
export const defaultClusterRoles: readonly DefaultClusterRole[] = [
  { name: "cluster-admin", rules: [rule("*", "*", "*"), urls("*", "*")] },
  {
    name: "system:discovery",
    rules: [urls("get", "/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/")],
  },
  {
    name: "system:monitoring",
    rules: [urls("get", "/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*")],
  },
  {
    name: "system:basic-user",
    rules: [
      rule("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
      rule("create", "authentication.k8s.io", "selfsubjectreviews"),
    ],
  },
  { name: "system:public-info-viewer", rules: [urls("get", "/healthz /livez /readyz /version /version/")] },
  { name: "admin", rules: [], aggregates: aggregate("admin") },
  { name: "edit", rules: [], labels: aggregate("admin"), aggregates: aggregate("edit") },
  { name: "view", rules: [], labels: aggregate("edit"), aggregates: aggregate("view") },
  {
    name: "system:aggregate-to-admin",
    labels: aggregate("admin"),
    rules: [
      rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
      rule(`${WRITE} ${READ}`, "rbac.authorization.k8s.io", "rolebindings roles"),
    ],
  },
  { name: "system:aggregate-to-edit", labels: aggregate("edit"), rules: editRules },
  { name: "system:aggregate-to-view", labels: aggregate("view"), rules: viewRules },
  {
    name: "system:heapster",
    rules: [rule(READ, "core", "events namespaces nodes pods"), rule(READ, "extensions", "deployments")],
  },
  { name: "system:node", rules: nodeRules },
  {
    name: "system:node-problem-detector",
    rules: [rule("get", "core", "nodes"), rule("patch", "core", "nodes/status"), eventsRule],
  },
  {
    name: "system:kubelet-api-admin",
    rules: [
      rule(READ, "core", "nodes"),
      rule("proxy", "core", "nodes"),
      rule(
        "*",
        "core",
        "nodes/configz nodes/healthz nodes/log nodes/metrics nodes/pods nodes/proxy nodes/spec nodes/stats",
      ),
    ],
  },
  { name: "system:node-bootstrapper", rules: [rule("create get list watch", CSR, "certificatesigningrequests")] },
  {
    name: "system:auth-delegator",
    rules: [
      rule("create", "authentication.k8s.io", "tokenreviews"),
      rule("create", "authorization.k8s.io", "subjectaccessreviews"),
    ],
  },
  { name: "system:kube-aggregator", rules: [rule(READ, "core", "endpoints services")] },
  { name: "system:kube-controller-manager", rules: controllerManagerRules },
  { name: "system:kube-scheduler", rules: schedulerRules },
  {
    name: "system:kube-dns",
    rules: [rule("list watch", "core", "endpoints services")],
  },
  {
    name: "system:cluster-dns",
    rules: [
      rule("list watch", "core", "namespaces pods services"),
      rule("list watch", "discovery.k8s.io", "endpointslices"),
      rule("create", "authentication.k8s.io", "tokenreviews"),
      rule("create", "authorization.k8s.io", "subjectaccessreviews"),
    ],
  },
  {
    name: "system:persistent-volume-provisioner",
    rules: [
      rule("create delete get list watch", "core", "persistentvolumes"),
      rule("get list update watch", "core", "persistentvolumeclaims"),
      rule(READ, "storage.k8s.io", "storageclasses"),
      rule("watch", "core", "events"),
      eventsRule,
    ],
  },
  {
    name: "system:node-proxier",
    rules: [
      rule("list watch", "core", "endpoints services"),
      rule(READ, "core", "nodes"),
      eventsRule,
      rule("list watch", "discovery.k8s.io", "endpointslices"),
      rule("list watch", "networking.k8s.io", "servicecidrs"),
    ],
  },
  {
    name: "system:volume-scheduler",
    rules: [
      rule("get list patch update watch", "core", "persistentvolumes"),
      rule(READ, "storage.k8s.io", "storageclasses"),
      rule("get list patch update watch", "core", "persistentvolumeclaims"),
    ],
  },
  {
    name: "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
    rules: [rule("create", CSR, "certificatesigningrequests/nodeclient")],
  },
  {
    name: "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
    rules: [rule("create", CSR, "certificatesigningrequests/selfnodeclient")],
  },
  approver("legacy-unknown-approver", `${SIGNERS}/legacy-unknown`),
  approver("kubelet-serving-approver", `${SIGNERS}/kubelet-serving`),
  approver("kube-apiserver-client-approver", `${SIGNERS}/kube-apiserver-client`),
  approver("kube-apiserver-client-kubelet-approver", `${SIGNERS}/kube-apiserver-client-kubelet`),
  {
    name: "system:service-account-issuer-discovery",
    rules: [
      urls(
        "get",
        "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/",
      ),
    ],
  },
];
