import { test } from "tap";
import type { Container, PodSpec } from "./core/v1.js";
import { semanticDeepEqual } from "./deep-equal.js";
import { isPodAvailable, isPodReady, podLimits, podRequests, qosClass, withPodCondition } from "./pod.js";

const container = (requests?: Container["resources"], more: Partial<Container> = {}): Container => ({
  name: "c",
  ...(requests ? { resources: requests } : {}),
  ...more,
});
const cpu = (amount: string): Container["resources"] => ({ requests: { cpu: amount } });

test("podRequests follows upstream's rule for init containers, sidecars and overhead", (t) => {
  const table: [string, PodSpec, string][] = [
    ["sum", { containers: [container(cpu("1")), container(cpu("500m"))] }, "1500m"],
    ["init is a maximum", { containers: [container(cpu("1"))], initContainers: [container(cpu("3"))] }, "3"],
    [
      "sidecar is added to containers",
      { containers: [container(cpu("1"))], initContainers: [container(cpu("1"), { restartPolicy: "Always" })] },
      "2",
    ],
    [
      "init after a sidecar runs beside it",
      {
        containers: [container(cpu("1"))],
        initContainers: [container(cpu("1"), { restartPolicy: "Always" }), container(cpu("2"))],
      },
      "3",
    ],
    ["overhead", { containers: [container(cpu("1"))], overhead: { cpu: "100m" } }, "1100m"],
    ["limit stands for request", { containers: [container({ limits: { cpu: "2" } })] }, "2"],
  ];
  for (const [name, spec, want] of table) t.equal(podRequests({ spec }).get("cpu")?.toString(), want, name);
  t.equal(podLimits({ spec: { containers: [container(cpu("1"))], overhead: { cpu: "1" } } }).size, 0);
  t.end();
});

test("qosClass", (t) => {
  const full = { limits: { cpu: "1", memory: "1Gi" } };
  t.equal(qosClass({ spec: { containers: [container()] } }), "BestEffort");
  t.equal(qosClass({ spec: { containers: [container(cpu("1"))] } }), "Burstable");
  t.equal(qosClass({ spec: { containers: [container(full)] } }), "Guaranteed");
  t.equal(qosClass({ spec: { containers: [container(full), container()] } }), "Burstable");
  t.equal(
    qosClass({ spec: { containers: [container({ ...full, requests: { cpu: "1000m", memory: "1024Mi" } })] } }),
    "Guaranteed",
  );
  t.end();
});

test("conditions keep their transition time while the status stays", (t) => {
  const first = withPodCondition(undefined, { type: "Ready", status: "False" }, 0);
  const same = withPodCondition(first, { type: "Ready", status: "False", reason: "X" }, 5000);
  t.same(same, [{ type: "Ready", status: "False", reason: "X", lastTransitionTime: "1970-01-01T00:00:00Z" }]);
  const ready = { status: { conditions: withPodCondition(same, { type: "Ready", status: "True" }, 5000) } };
  t.ok(isPodReady(ready));
  t.notOk(isPodAvailable(ready, { minReadySeconds: 10, nowMs: 14_000 }));
  t.ok(isPodAvailable(ready, { minReadySeconds: 10, nowMs: 15_000 }));
  t.end();
});

test("semantic equality overlooks emptiness and key order", (t) => {
  t.ok(semanticDeepEqual({ a: [], b: 1, c: {} }, { b: 1, d: null }));
  t.ok(semanticDeepEqual([{ x: 1, y: 2 }], [{ y: 2, x: 1 }]));
  t.notOk(semanticDeepEqual({ a: 0 }, {}));
  t.notOk(semanticDeepEqual({ a: [1] }, { a: [1, 2] }));
  t.notOk(semanticDeepEqual({ a: "" }, { a: "x" }));
  t.end();
});
