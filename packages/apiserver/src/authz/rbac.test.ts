// Table tests of RBAC over the default policy and a few bindings of people.

import { clusterrolebindings, clusterroles, type PolicyRule, rolebindings, roles } from "@picokube/api/rbac/v1";
import type { Resource } from "@picokube/api/resource";
import { test } from "tap";
import { bootstrapRbac } from "../bootstrap/rbac.js";
import { plainStorage } from "../testing/plain-storage.js";
import type { Attributes } from "./authorizer.js";
import { forbiddenError } from "./forbidden.js";
import { rbacAuthorizer } from "./rbac.js";

const RBAC = "rbac.authorization.k8s.io";
const group = (name: string) => ({ kind: "Group", apiGroup: RBAC, name });
const user = (name: string) => ({ kind: "User", apiGroup: RBAC, name });

/** "get apps deployments/scale in ns named web" in short. */
function ask(who: string, groups: string[], request: string): Attributes {
  const [verb = "", where = "", namespace = "", name = ""] = request.split(" ");
  if (where.startsWith("/")) return { user: { name: who, groups }, verb, path: where };
  const [groupName = "", combined = ""] = where.split(":");
  const [resource = "", subresource = ""] = combined.split("/");
  return {
    user: { name: who, groups },
    verb,
    path: "",
    resource: {
      group: groupName,
      version: "v1",
      resource,
      subresource,
      namespace: namespace === "-" ? "" : namespace,
      name,
    },
  };
}

const authenticated = ["system:authenticated"];
const nobody = ["system:unauthenticated"];

async function storageWithPolicy() {
  const storage = plainStorage(
    [
      rolebindings as Resource,
      {
        metadata: { name: "v", namespace: "dev" },
        roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: "view" },
        subjects: [user("vera")],
      },
      {
        metadata: { name: "e", namespace: "dev" },
        roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: "edit" },
        subjects: [group("devs")],
      },
      {
        metadata: { name: "one", namespace: "dev" },
        roleRef: { apiGroup: RBAC, kind: "Role", name: "one-secret" },
        subjects: [{ kind: "ServiceAccount", name: "app" }],
      },
      {
        metadata: { name: "lost", namespace: "dev" },
        roleRef: { apiGroup: RBAC, kind: "Role", name: "gone" },
        subjects: [user("lost")],
      },
    ],
    [
      roles as Resource,
      {
        metadata: { name: "one-secret", namespace: "dev" },
        rules: [{ verbs: ["get"], apiGroups: [""], resources: ["secrets"], resourceNames: ["db"] }],
      },
    ],
  );
  await bootstrapRbac(storage);
  // What the clusterrole-aggregation-controller would write.
  const partsOf = { view: ["view"], edit: ["edit", "view"] };
  for (const [name, parts] of Object.entries(partsOf)) {
    const rules = parts.flatMap(
      (part) => storage.for(clusterroles).get("", `system:aggregate-to-${part}`)?.rules ?? [],
    );
    await storage.for(clusterroles).update("", name, (role) => {
      role.rules = rules;
    });
  }
  return storage;
}

const cases: [who: string, groups: string[], request: string, allowed: boolean][] = [
  ["admin", ["system:masters"], "delete :nodes - n1", true],
  ["system:anonymous", nobody, "get /healthz", true],
  ["system:anonymous", nobody, "get /version", true],
  ["system:anonymous", nobody, "get /api", false],
  ["system:anonymous", nobody, "get /metrics", false],
  ["system:anonymous", nobody, "list :pods default", false],
  ["vera", authenticated, "get /apis/apps/v1", true],
  ["vera", authenticated, "create authorization.k8s.io:selfsubjectaccessreviews -", true],
  ["vera", authenticated, "list :pods dev", true],
  ["vera", authenticated, "get :pods/log dev web", true],
  ["vera", authenticated, "get apps:deployments dev web", true],
  ["vera", authenticated, "list :secrets dev", false],
  ["vera", authenticated, "list :pods prod", false],
  ["vera", authenticated, "list :pods -", false],
  ["vera", authenticated, "create :pods dev", false],
  ["eve", ["devs"], "create :pods dev", true],
  ["eve", ["devs"], "create :pods/exec dev web", true],
  ["eve", ["devs"], "get :pods/exec dev web", true],
  ["eve", ["devs"], "list :pods dev", true],
  ["eve", ["devs"], `create ${RBAC}:rolebindings dev`, false],
  ["system:serviceaccount:dev:app", ["system:serviceaccounts"], "get :secrets dev db", true],
  ["system:serviceaccount:dev:app", ["system:serviceaccounts"], "get :secrets dev other", false],
  ["system:serviceaccount:dev:app", ["system:serviceaccounts"], "list :secrets dev", false],
  ["system:serviceaccount:prod:app", ["system:serviceaccounts"], "get :secrets dev db", false],
  ["system:kube-scheduler", authenticated, "create :pods/binding default web", true],
  ["system:kube-scheduler", authenticated, "get :secrets default db", false],
  ["system:kube-controller-manager", authenticated, "create :pods default", true],
  ["system:kube-proxy", authenticated, "watch discovery.k8s.io:endpointslices -", true],
  ["system:cluster-dns", authenticated, "watch :services -", true],
  ["system:cluster-dns", authenticated, "get :secrets kube-system x", false],
  [
    "system:serviceaccount:kube-system:horizontal-pod-autoscaler",
    authenticated,
    "get apps:deployments/scale dev web",
    true,
  ],
  [
    "system:serviceaccount:kube-system:horizontal-pod-autoscaler",
    authenticated,
    "update apps:deployments dev web",
    false,
  ],
];

test("who may do what", async (t) => {
  const rbac = rbacAuthorizer(await storageWithPolicy());
  for (const [who, groups, request, allowed] of cases) {
    t.equal(rbac.authorize(ask(who, groups, request)).decision, allowed ? "Allow" : "NoOpinion", `${who}: ${request}`);
  }
});

test("a change of a role counts at once", async (t) => {
  const storage = await storageWithPolicy();
  const rbac = rbacAuthorizer(storage);
  const request = ask("vera", authenticated, "get stable.example.com:crontabs dev x");
  t.equal(rbac.authorize(request).decision, "NoOpinion");
  const rule = { verbs: ["get"], apiGroups: ["stable.example.com"], resources: ["crontabs"] };
  const before = storage.for(clusterroles).get("", "view")?.rules ?? [];
  const write = (rules: PolicyRule[]) =>
    storage.for(clusterroles).update("", "view", (role) => {
      role.rules = rules;
    });
  await write([...before, rule]);
  t.equal(rbac.authorize(request).decision, "Allow");
  await write(before);
  t.equal(rbac.authorize(request).decision, "NoOpinion");
  await storage.for(clusterroles).create({
    metadata: { name: "crontabs", labels: { "rbac.authorization.k8s.io/aggregate-to-view": "true" } },
    rules: [rule],
  } as never);
  t.equal(rbac.authorize(request).decision, "NoOpinion", "aggregation is the controller's work");
});

test("upstream's words", async (t) => {
  const rbac = rbacAuthorizer(await storageWithPolicy());
  const refused = (who: string, request: string) => {
    const attributes = ask(who, [], request);
    return forbiddenError(attributes, rbac.authorize(attributes).reason).message;
  };
  t.equal(
    refused("x", "list :pods default"),
    'pods is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "default"',
  );
  t.equal(
    refused("x", "get apps:deployments/scale dev web"),
    'deployments.apps "web" is forbidden: User "x" cannot get resource "deployments/scale" in API group "apps" in the namespace "dev"',
  );
  t.equal(
    refused("x", "list :nodes -"),
    'nodes is forbidden: User "x" cannot list resource "nodes" in API group "" at the cluster scope',
  );
  t.equal(refused("x", "get /metrics"), 'forbidden: User "x" cannot get path "/metrics"');
  t.match(refused("lost", "list :pods dev"), /: RBAC: role\.rbac\.authorization\.k8s\.io "gone" not found$/);
  t.match(
    rbac.authorize(ask("vera", [], "list :pods dev")).reason,
    'RBAC: allowed by RoleBinding "v/dev" of ClusterRole "view" to User "vera"',
  );
});

test("bootstrap repairs roles and leaves people's additions", async (t) => {
  const storage = await storageWithPolicy();
  await storage.for(clusterroles).update("", "system:kube-scheduler", (role) => {
    role.rules = [{ verbs: ["get"], apiGroups: ["x"], resources: ["y"] }];
  });
  await storage.for(clusterrolebindings).update("", "system:monitoring", (binding) => {
    binding.subjects = [user("prometheus")];
  });
  await bootstrapRbac(storage);
  const role = storage.for(clusterroles).get("", "system:kube-scheduler");
  t.ok((role?.rules?.length ?? 0) > 10);
  t.same(role?.rules?.[0]?.apiGroups, ["x"]);
  t.equal(storage.for(clusterrolebindings).get("", "system:monitoring")?.subjects?.length, 2);
  const { resourceVersion } = role!.metadata;
  await bootstrapRbac(storage);
  t.equal(storage.for(clusterroles).get("", "system:kube-scheduler")?.metadata.resourceVersion, resourceVersion);
});
