// Kinds that are served in two shapes from one store: what is written in one is read in the other and comes back whole.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { Client } from "@picokube/client/client";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";

const namespaced = (group: string, resource: string) => `${group}/namespaces/default/${resource}`;

async function ask(client: Client, method: string, path: string, body?: object): Promise<[number, KubernetesObject]> {
  const headers = { "content-type": "application/json" };
  const answer = await client.raw({ method, path, ...(body ? { headers, body } : {}) });
  let text = "";
  for await (const chunk of answer.body) text += chunk;
  return [answer.status, JSON.parse(text)];
}

const eventTime = "2025-01-01T00:00:00.123456Z";

test("an event of events.k8s.io is one of the core group, and the other way", async (t) => {
  const { client } = await startApiServer(t);
  const newEvents = namespaced("/apis/events.k8s.io/v1", "events");
  const coreEvents = namespaced("/api/v1", "events");
  const said = {
    eventTime,
    reportingInstance: "tester-0",
    action: "Testing",
    reason: "Tested",
    type: "Normal",
    series: { count: 3, lastObservedTime: eventTime },
    related: { kind: "Node", name: "n" },
  };
  const involved = { kind: "Pod", namespace: "default", name: "p", fieldPath: "spec.containers{a}" };
  const written = { ...said, note: "done", regarding: involved, reportingController: "example.com/tester" };
  const head = { apiVersion: "events.k8s.io/v1", kind: "Event", metadata: { name: "new" } };
  const [status, created] = await ask(client, "POST", newEvents, { ...head, ...written });
  t.equal(status, 201);
  t.match(created, written, "as it was written");
  const [, core] = await ask(client, "GET", `${coreEvents}/new`);
  const read = { ...said, message: "done", involvedObject: involved, reportingComponent: "example.com/tester" };
  t.match(core, { apiVersion: "v1", kind: "Event", ...read }, "in the core group");
  t.notOk("note" in core || "regarding" in core || "reportingController" in core, "without the other's names");
  const [updated, unchanged] = await ask(client, "PUT", `${coreEvents}/new`, core);
  t.equal(updated, 200, "written back in the core group");
  t.match(unchanged, read);
  const [, again] = await ask(client, "GET", `${newEvents}/new`);
  t.match(again, written, "nothing is lost");
  t.same(
    await ask(client, "PUT", `${newEvents}/new`, { ...again, note: "other" }).then(([code]) => code),
    422,
    "what is said stays said",
  );

  const old = {
    count: 4,
    firstTimestamp: "2025-01-01T00:00:00Z",
    lastTimestamp: "2025-01-01T00:01:00Z",
    source: { component: "tester", host: "n" },
  };
  const body = { apiVersion: "v1", kind: "Event", metadata: { name: "old" }, involvedObject: involved, ...old };
  t.equal((await ask(client, "POST", coreEvents, body))[0], 201);
  const [, translated] = await ask(client, "GET", `${newEvents}/old`);
  const deprecated = {
    regarding: involved,
    deprecatedCount: 4,
    deprecatedFirstTimestamp: old.firstTimestamp,
    deprecatedLastTimestamp: old.lastTimestamp,
    deprecatedSource: old.source,
  };
  t.match(translated, deprecated, "an old event in the new group");
  const [code, refused] = await ask(client, "POST", newEvents, { ...head, metadata: { name: "bad" }, ...deprecated });
  t.equal(code, 422, "but none is created there");
  t.match(refused, { message: /count: Invalid value: "": needs to be unset/ });
});

test("a HorizontalPodAutoscaler of v2 survives clients of v1", async (t) => {
  const { client } = await startApiServer(t);
  const v1 = namespaced("/apis/autoscaling/v1", "horizontalpodautoscalers");
  const v2 = namespaced("/apis/autoscaling/v2", "horizontalpodautoscalers");
  const resource = (name: string, averageUtilization: number) => ({
    type: "Resource",
    resource: { name, target: { type: "Utilization", averageUtilization } },
  });
  const spec = {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" },
    minReplicas: 2,
    maxReplicas: 5,
    metrics: [
      resource("memory", 60),
      resource("cpu", 50),
      { type: "Pods", pods: { metric: { name: "requests" }, target: { type: "AverageValue", averageValue: "10" } } },
    ],
    behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
  };
  const body = { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", metadata: { name: "h" }, spec };
  const [status, created] = await ask(client, "POST", v2, body);
  t.equal(status, 201);
  t.match(created, { spec });
  const [, old] = await ask(client, "GET", `${v1}/h`);
  t.match(old, { spec: { targetCPUUtilizationPercentage: 50, minReplicas: 2, maxReplicas: 5 } });
  t.ok(old.metadata.annotations?.["autoscaling.alpha.kubernetes.io/metrics"], "the rest is in an annotation");
  const changed = { ...old, spec: { ...(old as unknown as { spec: object }).spec, maxReplicas: 6 } };
  t.equal((await ask(client, "PUT", `${v1}/h`, changed))[0], 200);
  const [, after] = await ask(client, "GET", `${v2}/h`);
  const kept = (after as unknown as { spec: typeof spec }).spec;
  t.match(kept, { maxReplicas: 6, behavior: spec.behavior });
  t.same(
    kept.metrics.map((metric) => ("resource" in metric ? metric.resource.name : metric.type)).sort(),
    ["Pods", "cpu", "memory"],
    "no metric is lost",
  );
  t.notOk(
    Object.keys(after.metadata.annotations ?? {}).some((name) => name.startsWith("autoscaling.alpha")),
    "the annotations are v1's alone",
  );

  const plain = {
    apiVersion: "autoscaling/v1",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "plain" },
    spec: { scaleTargetRef: spec.scaleTargetRef, maxReplicas: 3, targetCPUUtilizationPercentage: 70 },
  };
  t.equal((await ask(client, "POST", v1, plain))[0], 201);
  const [, modern] = await ask(client, "GET", `${v2}/plain`);
  t.match(modern, { spec: { maxReplicas: 3, metrics: [resource("cpu", 70)] } });
});
