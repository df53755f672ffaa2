import { replicasets } from "@picokube/api/apps/v1";
import { nodes, pods } from "@picokube/api/core/v1";
import type { KubernetesObject, ObjectMeta } from "@picokube/api/meta/v1";
import { apiVersionOf, type Resource } from "@picokube/api/resource";
import { object } from "@picokube/testing/builders";
import { test } from "tap";
import { blockingDependents, Graph, identityText } from "./graph.js";

function setUp() {
  const looked: string[] = [];
  const invalid: string[] = [];
  const graph = new Graph({
    look: (uid) => looked.push(uid),
    invalidOwner: (dependent, owner) => invalid.push(`${dependent.identity.uid} -> ${owner.uid}`),
  });
  const taken = () => looked.splice(0).sort();
  return { graph, taken, invalid };
}

function ref(resource: Resource, name: string, more: object = {}) {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, name, uid: name, ...more };
}

function make(resource: Resource, uid: string, metadata: Partial<ObjectMeta> = {}): KubernetesObject {
  return object(resource, uid, { metadata: { uid, ...metadata } });
}

const deletionTimestamp = "2026-01-01T00:00:00Z";

test("a seen owner needs no look, its end makes its dependents looked at", (t) => {
  const { graph, taken } = setUp();
  graph.observe(replicasets, make(replicasets, "rs"));
  graph.observe(pods, make(pods, "a", { ownerReferences: [ref(replicasets, "rs")] }));
  graph.observe(pods, make(pods, "b", { ownerReferences: [ref(replicasets, "rs")] }));
  t.strictSame(taken(), []);
  graph.forget("rs");
  t.strictSame(taken(), ["a", "b"]);
  graph.forget("a");
  graph.forget("b");
  t.equal(graph.size, 0, "nothing stays behind");
  t.end();
});

test("an owner only heard of is looked for; when absent, those who meant it are looked at", (t) => {
  const { graph, taken } = setUp();
  graph.observe(pods, make(pods, "a", { ownerReferences: [ref(replicasets, "rs")] }));
  graph.observe(pods, make(pods, "b", { namespace: "other", ownerReferences: [ref(replicasets, "rs")] }));
  t.strictSame([...new Set(taken())], ["rs"]);
  graph.absent("rs");
  t.strictSame(taken(), ["a", "rs"], "the other namespace's may be another object");
  graph.absent("rs");
  t.strictSame(taken(), ["a", "b"], "and then every one is known to be absent");
  graph.observe(pods, make(pods, "c", { ownerReferences: [ref(replicasets, "rs")] }));
  t.strictSame(taken(), ["c"], "a later reference to what is absent needs no further search");
  t.end();
});

test("an owner heard of first and seen later", (t) => {
  const { graph, taken } = setUp();
  graph.observe(pods, make(pods, "a", { ownerReferences: [ref(replicasets, "rs")] }));
  taken();
  graph.observe(replicasets, make(replicasets, "rs"));
  t.strictSame(taken(), []);
  t.equal(graph.get("rs")?.dependents.size, 1);
  graph.absent("rs");
  t.strictSame(taken(), [], "a late answer does not count against what was seen");
  t.end();
});

test("foreground: the owner and its dependents are looked at, again when a dependent goes or no longer blocks", (t) => {
  const { graph, taken } = setUp();
  const blocking = ref(replicasets, "rs", { blockOwnerDeletion: true });
  graph.observe(replicasets, make(replicasets, "rs"));
  graph.observe(pods, make(pods, "a", { ownerReferences: [blocking] }));
  graph.observe(pods, make(pods, "b", { ownerReferences: [blocking] }));
  graph.observe(replicasets, make(replicasets, "rs", { deletionTimestamp, finalizers: ["foregroundDeletion"] }));
  t.strictSame(taken(), ["a", "b", "rs"]);
  t.equal(blockingDependents(graph.get("rs")!).length, 2);
  graph.forget("a");
  t.strictSame(taken(), ["rs"]);
  graph.observe(pods, make(pods, "b", { ownerReferences: [ref(replicasets, "rs")] }));
  t.strictSame(taken(), ["rs"]);
  t.equal(blockingDependents(graph.get("rs")!).length, 0);
  t.end();
});

test("orphaning: only the owner is looked at", (t) => {
  const { graph, taken } = setUp();
  graph.observe(replicasets, make(replicasets, "rs"));
  graph.observe(pods, make(pods, "a", { ownerReferences: [ref(replicasets, "rs")] }));
  graph.observe(replicasets, make(replicasets, "rs", { deletionTimestamp, finalizers: ["orphan"] }));
  t.strictSame(taken(), ["rs"]);
  t.equal(graph.get("rs")?.orphaning, true);
  t.end();
});

test("a reference across namespaces is reported and looked at, to a cluster-scoped owner it is fine", (t) => {
  const { graph, taken, invalid } = setUp();
  graph.observe(replicasets, make(replicasets, "rs"));
  graph.observe(pods, make(pods, "stranger", { namespace: "other", ownerReferences: [ref(replicasets, "rs")] }));
  t.strictSame(invalid, ["stranger -> rs"]);
  t.strictSame(taken(), ["stranger"]);
  graph.observe(pods, make(pods, "early", { ownerReferences: [ref(nodes, "node")] }));
  t.strictSame(taken(), ["node"]);
  graph.observe(nodes, make(nodes, "node"));
  t.strictSame(taken(), []);
  t.equal(invalid.length, 1);
  t.end();
});

test("a change of owners moves the object", (t) => {
  const { graph, taken } = setUp();
  for (const name of ["old", "new"]) graph.observe(replicasets, make(replicasets, name));
  graph.observe(pods, make(pods, "a", { ownerReferences: [ref(replicasets, "old")] }));
  graph.observe(pods, make(pods, "a", { ownerReferences: [ref(replicasets, "new")] }));
  graph.forget("old");
  t.strictSame(taken(), []);
  graph.forget("new");
  t.strictSame(taken(), ["a"]);
  t.end();
});

test("identities in upstream's words", (t) => {
  const identity = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", namespace: "default", uid: "1" };
  t.equal(identityText(identity), "[apps/v1/ReplicaSet, namespace: default, name: web, uid: 1]");
  t.end();
});
