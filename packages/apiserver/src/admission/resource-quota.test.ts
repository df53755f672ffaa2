// What a quota refuses, by table, and what it takes into account besides what is stored.

import { deployments } from "@picokube/api/apps/v1";
import { persistentvolumeclaims, pods, resourcequotas, secrets, services } from "@picokube/api/core/v1";
import type { Resource } from "@picokube/api/resource";
import { test } from "tap";
import { attributesOf, podOf } from "../testing/admission-attributes.js";
import { plainStorage } from "../testing/plain-storage.js";
import { resourceQuota } from "./resource-quota.js";

const quotaOf = (hard: object, fields: object = {}) => ({
  metadata: { name: "q", namespace: "dev" },
  spec: { hard, ...fields },
});
const pod = (name: string, resources: object = {}, spec: object = {}) =>
  podOf({ containers: [{ name: "c", image: "i", resources }], ...spec }, { name, uid: `uid-${name}` });
const named = (name: string, spec: object = {}) => ({ metadata: { name, namespace: "dev", uid: `uid-${name}` }, spec });

const cases: {
  what: string;
  quota: object;
  stored?: [Resource, ...object[]];
  resource: Resource;
  object: object;
  old?: object;
  refused?: string;
}[] = [
  {
    what: "pods",
    quota: quotaOf({ pods: "2" }),
    stored: [pods as Resource, pod("a"), pod("b")],
    resource: pods as Resource,
    object: pod("c"),
    refused: 'pods "c" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2',
  },
  {
    what: "what has ended is not charged",
    quota: quotaOf({ pods: "2" }),
    stored: [pods as Resource, { ...pod("a"), status: { phase: "Succeeded" } }, pod("b")],
    resource: pods as Resource,
    object: pod("c"),
  },
  {
    what: "but it is counted as an object",
    quota: quotaOf({ "count/pods": "2" }),
    stored: [pods as Resource, { ...pod("a"), status: { phase: "Succeeded" } }, pod("b")],
    resource: pods as Resource,
    object: pod("c"),
    refused:
      'pods "c" is forbidden: exceeded quota: q, requested: count/pods=1, used: count/pods=2, limited: count/pods=2',
  },
  {
    what: "a pod that a lost node does not end in time is not charged",
    quota: quotaOf({ pods: "1" }),
    stored: [
      pods as Resource,
      podOf({}, { name: "a", deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 30 }),
    ],
    resource: pods as Resource,
    object: pod("c"),
  },
  {
    what: "several resources, those exceeded alone are named",
    quota: quotaOf({ pods: "9", "requests.cpu": "1", "limits.memory": "1Gi" }),
    stored: [pods as Resource, pod("a", { requests: { cpu: "600m" }, limits: { memory: "600Mi" } })],
    resource: pods as Resource,
    object: pod("c", { requests: { cpu: "500m" }, limits: { memory: "500Mi" } }),
    refused:
      'pods "c" is forbidden: exceeded quota: q, requested: limits.memory=500Mi,requests.cpu=500m, used: limits.memory=600Mi,requests.cpu=600m, limited: limits.memory=1Gi,requests.cpu=1',
  },
  {
    what: "unnamed needs",
    quota: quotaOf({ "limits.cpu": "1", "requests.memory": "1Gi" }),
    resource: pods as Resource,
    object: podOf({ containers: [{ name: "b" }, { name: "a" }], initContainers: [{ name: "i" }] }, { name: "c" }),
    refused: 'pods "c" is forbidden: failed quota: q: must specify limits.cpu for: a,b,i; requests.memory for: a,b,i',
  },
  {
    what: "extended resources",
    quota: quotaOf({ "requests.example.com/gpu": "1" }),
    resource: pods as Resource,
    object: pod("c", { requests: { "example.com/gpu": "2" }, limits: { "example.com/gpu": "2" } }),
    refused:
      'pods "c" is forbidden: exceeded quota: q, requested: requests.example.com/gpu=2, used: requests.example.com/gpu=0, limited: requests.example.com/gpu=1',
  },
  {
    what: "BestEffort covers pods without needs",
    quota: quotaOf({ pods: "0" }, { scopes: ["BestEffort"] }),
    resource: pods as Resource,
    object: pod("c"),
    refused: 'pods "c" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0',
  },
  {
    what: "and no others",
    quota: quotaOf({ pods: "0" }, { scopes: ["BestEffort"] }),
    resource: pods as Resource,
    object: pod("c", { requests: { cpu: "1" } }),
  },
  {
    what: "NotBestEffort the other way round",
    quota: quotaOf({ pods: "0" }, { scopes: ["NotBestEffort"] }),
    resource: pods as Resource,
    object: pod("c"),
  },
  {
    what: "Terminating",
    quota: quotaOf({ pods: "0" }, { scopes: ["Terminating"] }),
    resource: pods as Resource,
    object: pod("c", {}, { activeDeadlineSeconds: 5 }),
    refused: 'pods "c" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0',
  },
  {
    what: "a priority class by selector",
    quota: quotaOf(
      { pods: "0" },
      { scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator: "In", values: ["high"] }] } },
    ),
    resource: pods as Resource,
    object: pod("c", {}, { priorityClassName: "high" }),
    refused: 'pods "c" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0',
  },
  {
    what: "another priority class",
    quota: quotaOf(
      { pods: "0" },
      { scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator: "In", values: ["high"] }] } },
    ),
    resource: pods as Resource,
    object: pod("c", {}, { priorityClassName: "low" }),
  },
  {
    what: "CrossNamespacePodAffinity",
    quota: quotaOf({ pods: "0" }, { scopes: ["CrossNamespacePodAffinity"] }),
    resource: pods as Resource,
    object: pod(
      "c",
      {},
      {
        affinity: {
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "zone", namespaces: ["other"] }],
          },
        },
      },
    ),
    refused: 'pods "c" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0',
  },
  {
    what: "a quota with scopes counts no services",
    quota: quotaOf({ services: "0" }, { scopes: ["BestEffort"] }),
    resource: services as Resource,
    object: named("s"),
  },
  {
    what: "node ports",
    quota: quotaOf({ "services.nodeports": "1" }),
    resource: services as Resource,
    object: named("s", { type: "NodePort", ports: [{ port: 1 }, { port: 2 }] }),
    refused:
      'services "s" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1',
  },
  {
    what: "a service that becomes a load balancer is charged for the change",
    quota: quotaOf({ services: "1", "services.loadbalancers": "0" }),
    stored: [services as Resource, named("s")],
    resource: services as Resource,
    object: named("s", { type: "LoadBalancer", ports: [{ port: 1 }] }),
    old: named("s"),
    refused:
      'services "s" is forbidden: exceeded quota: q, requested: services.loadbalancers=1, used: services.loadbalancers=0, limited: services.loadbalancers=0',
  },
  {
    what: "storage of one class",
    quota: quotaOf({ "fast.storageclass.storage.k8s.io/requests.storage": "1Gi" }),
    resource: persistentvolumeclaims as Resource,
    object: named("p", { storageClassName: "fast", resources: { requests: { storage: "2Gi" } } }),
    refused:
      'persistentvolumeclaims "p" is forbidden: exceeded quota: q, requested: fast.storageclass.storage.k8s.io/requests.storage=2Gi, used: fast.storageclass.storage.k8s.io/requests.storage=0, limited: fast.storageclass.storage.k8s.io/requests.storage=1Gi',
  },
  {
    what: "any kind by count",
    quota: quotaOf({ "count/deployments.apps": "1" }),
    stored: [deployments as Resource, named("a")],
    resource: deployments as Resource,
    object: named("b"),
    refused:
      'deployments.apps "b" is forbidden: exceeded quota: q, requested: count/deployments.apps=1, used: count/deployments.apps=1, limited: count/deployments.apps=1',
  },
  {
    what: "secrets under their old name",
    quota: quotaOf({ secrets: "0" }),
    resource: secrets as Resource,
    object: named("s"),
    refused: 'secrets "s" is forbidden: exceeded quota: q, requested: secrets=1, used: secrets=0, limited: secrets=0',
  },
  {
    what: "an update of a pod asks for nothing",
    quota: quotaOf({ pods: "0" }),
    resource: pods as Resource,
    object: pod("c"),
    old: pod("c"),
  },
];

const nowMs = Date.parse("2026-01-01T00:01:00Z");

for (const { what, quota, stored, resource, object, old, refused } of cases) {
  test(what, async (t) => {
    const storage = plainStorage([resourcequotas as Resource, quota], ...(stored ? [stored] : []));
    const validate = () =>
      resourceQuota(storage, () => nowMs).validate!(
        attributesOf(resource, { object, ...(old ? { operation: "UPDATE", oldObject: old } : {}) }),
      );
    if (refused) t.throws(validate, { code: 403, reason: "Forbidden", message: refused });
    else t.doesNotThrow(validate);
  });
}

test("what was let through counts until it is stored, and no longer", async (t) => {
  const storage = plainStorage([resourcequotas as Resource, quotaOf({ pods: "2" })], [pods as Resource, pod("a")]);
  let now = nowMs;
  const plugin = resourceQuota(storage, () => now);
  const create =
    (name: string, dryRun = false) =>
    () =>
      plugin.validate!(attributesOf(pods as Resource, { dryRun, object: pod(name) }));
  t.doesNotThrow(create("b", true), "a dry run takes nothing");
  t.doesNotThrow(create("b"));
  t.throws(create("c"), /used: pods=2/, "admitted and not yet stored");
  await storage.for(pods).create(pod("b"));
  t.throws(create("c"), /used: pods=2/, "stored and counted once");
  await storage.for(pods).delete("dev", "b");
  t.doesNotThrow(create("c"), "freed at once");
  t.throws(create("d"), /used: pods=2/);
  now += 60_000;
  t.doesNotThrow(create("d"), "c was never stored");
});
