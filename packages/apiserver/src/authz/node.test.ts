// Table tests of what a kubelet may reach through its pods.

import { persistentvolumeclaims, persistentvolumes, pods } from "@picokube/api/core/v1";
import type { Resource } from "@picokube/api/resource";
import { test } from "tap";
import { plainStorage } from "../testing/plain-storage.js";
import { nodeAuthorizer } from "./node.js";
import { selectorsOf } from "./request-attributes.js";

const web = {
  metadata: { name: "web", namespace: "dev" },
  spec: {
    nodeName: "n1",
    serviceAccountName: "app",
    imagePullSecrets: [{ name: "pull" }],
    containers: [
      {
        name: "c",
        image: "i",
        env: [{ name: "A", valueFrom: { secretKeyRef: { name: "env", key: "a" } } }],
        envFrom: [{ configMapRef: { name: "settings" } }],
      },
    ],
    volumes: [
      { name: "a", persistentVolumeClaim: { claimName: "data" } },
      { name: "b", projected: { sources: [{ configMap: { name: "kube-root-ca.crt" } }] } },
    ],
  },
};
const elsewhere = { metadata: { name: "elsewhere", namespace: "dev" }, spec: { nodeName: "n2", containers: [] } };
const mirror = {
  metadata: { name: "static", namespace: "dev", annotations: { "kubernetes.io/config.mirror": "x" } },
  spec: { nodeName: "n1", containers: [], volumes: [{ name: "s", secret: { secretName: "stolen" } }] },
};

const storage = () =>
  plainStorage(
    [pods as Resource, web, mirror, elsewhere],
    [persistentvolumeclaims as Resource, { metadata: { name: "data", namespace: "dev" }, spec: { volumeName: "pv1" } }],
    [
      persistentvolumes as Resource,
      { metadata: { name: "pv1" }, spec: { csi: { nodePublishSecretRef: { namespace: "csi", name: "mount" } } } },
    ],
  );

const cases: [verb: string, group: string, resource: string, namespace: string, name: string, allowed: boolean][] = [
  ["list", "", "nodes", "", "n1", true],
  ["list", "", "nodes", "", "", false],
  ["watch", "", "nodes", "", "n2", false],
  ["delete", "", "nodes", "", "n1", false],
  ["create", "", "nodes/proxy", "", "n1", false],
  ["list", "", "pods", "dev", "web", true],
  ["list", "", "pods", "dev", "elsewhere", false],
  ["list", "", "pods", "dev", "", false],
  ["get", "", "pods", "dev", "elsewhere", false],
  ["get", "", "pods/log", "dev", "web", false],
  ["create", "", "pods/eviction", "dev", "web", true],
  ["update", "", "pods", "dev", "web", false],
  ["get", "", "secrets", "dev", "env", true],
  ["get", "", "secrets", "dev", "pull", true],
  ["get", "", "secrets", "csi", "mount", true],
  ["get", "", "secrets", "dev", "stolen", false],
  ["get", "", "secrets", "dev", "other", false],
  ["list", "", "secrets", "dev", "", false],
  ["delete", "", "secrets", "dev", "env", false],
  ["watch", "", "configmaps", "dev", "settings", true],
  ["get", "", "configmaps", "dev", "kube-root-ca.crt", true],
  ["get", "", "persistentvolumeclaims", "dev", "data", true],
  ["get", "", "persistentvolumes", "", "pv1", true],
  ["get", "", "persistentvolumes", "", "pv2", false],
  ["create", "", "serviceaccounts/token", "dev", "app", true],
  ["create", "", "serviceaccounts/token", "dev", "admin", false],
  ["get", "", "nodes", "", "n1", true],
  ["get", "", "nodes", "", "n2", false],
  ["patch", "", "nodes/status", "", "n1", true],
  ["update", "coordination.k8s.io", "leases", "kube-node-lease", "n1", true],
  ["create", "coordination.k8s.io", "leases", "kube-node-lease", "", true],
  ["update", "coordination.k8s.io", "leases", "kube-node-lease", "n2", false],
  ["update", "coordination.k8s.io", "leases", "kube-system", "n1", false],
  ["get", "", "pods", "dev", "web", true],
  ["patch", "", "pods/status", "dev", "web", true],
  ["create", "", "pods/binding", "dev", "web", false],
  ["create", "", "events", "dev", "", true],
  ["list", "apps", "deployments", "dev", "", false],
];

test("what node n1 may do", (t) => {
  const authorizer = nodeAuthorizer(storage());
  for (const [verb, group, combined, namespace, name, allowed] of cases) {
    const [resource = "", subresource = ""] = combined.split("/");
    const user = { name: "system:node:n1", groups: ["system:nodes", "system:authenticated"] };
    const { decision } = authorizer.authorize({
      user,
      verb,
      path: "",
      resource: { group, version: "v1", resource, subresource, namespace, name },
    });
    t.equal(decision, allowed ? "Allow" : "NoOpinion", `${verb} ${combined} ${namespace}/${name}`);
  }
  t.end();
});

test("another node, and a user who only looks like one, reach nothing", async (t) => {
  const data = storage();
  const authorizer = nodeAuthorizer(data);
  const resource = { group: "", version: "v1", resource: "secrets", subresource: "", namespace: "dev", name: "env" };
  const ask = (name: string, groups: string[]) =>
    authorizer.authorize({ user: { name, groups }, verb: "get", path: "", resource });
  t.same(ask("system:node:n2", ["system:nodes"]), {
    decision: "NoOpinion",
    reason: "no relationship found between node 'n2' and this object",
  });
  t.equal(ask("system:node:n1", ["system:authenticated"]).decision, "NoOpinion");
  t.equal(ask("system:node:n1", ["system:nodes"]).decision, "Allow");
  await data.for(pods).delete("dev", "web");
  t.equal(ask("system:node:n1", ["system:nodes"]).decision, "NoOpinion", "the pod is gone");
});

test("a node lists and watches the pods bound to it, and no others", (t) => {
  const authorizer = nodeAuthorizer(storage());
  const user = { name: "system:node:n1", groups: ["system:nodes"] };
  const ask = (verb: string, text: string) => {
    const resource = { group: "", version: "v1", resource: "pods", subresource: "", namespace: "", name: "" };
    const selectors = selectorsOf({ fieldSelector: text, labelSelector: "" });
    return authorizer.authorize({ user, verb, path: "", resource: { ...resource, ...selectors } });
  };
  const refused = { decision: "NoOpinion", reason: "can only list/watch pods with spec.nodeName field selector" };
  t.match(ask("list", "spec.nodeName=n1"), { decision: "Allow" });
  t.match(ask("watch", "status.phase!=Failed,spec.nodeName==n1"), { decision: "Allow" });
  for (const text of ["", "spec.nodeName=n2", "spec.nodeName!=n1", "metadata.name=n1", "spec.nodeName"]) {
    t.same(ask("list", text), refused, text);
  }
  t.match(ask("deletecollection", "spec.nodeName=n1"), { decision: "NoOpinion" });
  t.equal(authorizer.rulesFor(user, "").incomplete, "node authorizer does not support user rule resolution");
  t.equal(authorizer.rulesFor({ name: "u", groups: [] }, "").incomplete, undefined);
  t.end();
});
