// What a quota's status says, by table.

import { deployments } from "@picokube/api/apps/v1";
import { resourcequotas } from "@picokube/api/core/v1";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { type GroupResource, groupResourceName } from "@picokube/api/resource";
import { object, pod } from "@picokube/testing/builders";
import { test } from "tap";
import { boundResources, nextChargeEndMs, quotaStatus } from "./resourcequota-plan.js";

const quota = (hard: { [bound: string]: string }, fields: object = {}) =>
  object(resourcequotas, "q", { spec: { hard, ...fields } as never });
const containers = (resources: object) => [{ name: "main", image: "nginx", resources }];
const nowMs = Date.parse("2026-01-01T00:00:10Z");
const going = { deletionTimestamp: "2026-01-01T00:00:00Z" };

const content: { [name: string]: KubernetesObject[] } = {
  pods: [
    pod("a", { spec: { containers: containers({ requests: { cpu: "100m" }, limits: { cpu: "1" } }) } as never }),
    pod("b", { spec: { containers: containers({ requests: { cpu: "1" } }) } as never }),
    pod("best"),
    pod("done", { status: { phase: "Succeeded" } as never }),
    pod("late", { metadata: { ...going, deletionGracePeriodSeconds: 5 } }),
    pod("going", { metadata: { ...going, deletionGracePeriodSeconds: 30 } }),
  ],
  "deployments.apps": [object(deployments, "d")],
};
const counted = { objectsOf: (resource: GroupResource) => content[groupResourceName(resource)] ?? [], nowMs };

const cases: [hard: { [bound: string]: string }, used: { [bound: string]: string }, fields?: object][] = [
  [
    { pods: "10", "count/pods": "10" },
    { pods: "4", "count/pods": "6" },
  ],
  [
    { cpu: "4", "requests.cpu": "4", "limits.cpu": "4", memory: "1Gi" },
    { cpu: "1100m", "requests.cpu": "1100m", "limits.cpu": "1", memory: "0" },
  ],
  [{ pods: "10" }, { pods: "2" }, { scopes: ["BestEffort"] }],
  [
    { "count/deployments.apps": "2", "count/foos.example.com": "1", secrets: "3" },
    { "count/deployments.apps": "1", "count/foos.example.com": "0", secrets: "0" },
  ],
];

test("used is counted, hard is the spec's", async (t) => {
  for (const [hard, used, fields] of cases)
    t.strictSame(quotaStatus(quota(hard, fields), counted), { hard, used }, Object.keys(hard).join());
});

test("which kinds have to be looked at", async (t) => {
  const bound = (...names: string[]) =>
    boundResources(quota(Object.fromEntries(names.map((name) => [name, "1"])))).map(groupResourceName);
  t.strictSame(bound("cpu", "limits.memory", "pods", "count/pods", "requests.example.com/gpu"), ["pods"]);
  t.strictSame(bound("services.nodeports", "count/services"), ["services"]);
  t.strictSame(bound("requests.storage", "fast.storageclass.storage.k8s.io/persistentvolumeclaims"), [
    "persistentvolumeclaims",
  ]);
  t.strictSame(bound("count/jobs.batch", "configmaps", "count/events"), ["jobs.batch", "configmaps"]);
});

test("a pod that is late to go stops to be charged at a known time", async (t) => {
  t.equal(nextChargeEndMs(quota({ pods: "1" }), counted), nowMs + 20_000);
  t.equal(nextChargeEndMs(quota({ secrets: "1" }), counted), undefined);
  t.equal(nextChargeEndMs(quota({ pods: "1" }), { objectsOf: () => content.pods!.slice(0, 2), nowMs }), undefined);
});
