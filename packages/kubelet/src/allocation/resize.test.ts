// Resizes as data: what the node grants, what a container needs to come to it, what its status shows, what is remembered.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Container, Node, Pod } from "@picokube/api/core/v1";
import { createLogger } from "@picokube/component-base/logger";
import { node as buildNode } from "@picokube/testing/builders";
import { test } from "tap";
import type { ContainerResources } from "../cri/runtime.js";
import { testContainer, testPod, testState } from "../pods/observed.js";
import { computePodActions, isIdle } from "../pods/pod-actions.js";
import { openAllocatedPods } from "./allocated-pods.js";
import { resizeOf, shownResources } from "./container-resize.js";
import { pendingResize, resizeConditions } from "./judge-resize.js";

const mi = 1024 * 1024;
const logger = createLogger({ write: () => {} });

type Amounts = Record<string, string>;

const container = (requests: Amounts, limits?: Amounts, more: Partial<Container> = {}): Container => ({
  name: "c",
  image: "i",
  resources: { requests, ...(limits ? { limits } : {}) },
  ...more,
});

test("what the node grants", async (t) => {
  const node = buildNode("n", { status: { allocatable: { cpu: "2", memory: "1Gi", pods: "10" } } }) as Node;
  const other = testPod({ containers: [container({ cpu: "1", memory: "512Mi" })] });
  const judge = (requests: Amounts) =>
    pendingResize(testPod({ containers: [container(requests)] }), { others: [other], node, maxPods: 10 });
  const table: [Amounts, ReturnType<typeof pendingResize>][] = [
    [{ cpu: "1", memory: "512Mi" }, undefined],
    [
      { cpu: "1500m" },
      {
        reason: "Deferred",
        message: "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
      },
    ],
    [
      { cpu: "3" },
      { reason: "Infeasible", message: "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000" },
    ],
    [
      { cpu: "3", memory: "2Gi" },
      {
        reason: "Infeasible",
        message: "Node didn't have enough capacity: memory, requested: 2147483648, capacity: 1073741824",
      },
    ],
  ];
  for (const [requests, verdict] of table) t.same(judge(requests), verdict, JSON.stringify(requests));
});

test("what a running container needs, and what its status shows", async (t) => {
  const limits = { cpu: "500m", memory: "64Mi" };
  const wanted = container({ cpu: "250m", memory: "32Mi" }, limits);
  const restart = (resourceName: string) => ({
    resizePolicy: [{ resourceName, restartPolicy: "RestartContainer" }] as Container["resizePolicy"] & object,
  });
  const has = { cpuShares: 256, cpuQuotaUs: 50_000, cpuPeriodUs: 100_000, memoryLimitBytes: 64 * mi };
  const table: [string, ContainerResources, Partial<Container>, ReturnType<typeof resizeOf>, object][] = [
    ["has it all", has, {}, undefined, { requests: { cpu: "250m", memory: "32Mi" }, limits }],
    [
      "less quota",
      { ...has, cpuQuotaUs: 20_000 },
      {},
      "update",
      { requests: { cpu: "250m", memory: "32Mi" }, limits: { cpu: "200m", memory: "64Mi" } },
    ],
    [
      "more memory, which restarts",
      { ...has, memoryLimitBytes: 96 * mi },
      restart("memory"),
      "restart",
      { requests: { cpu: "250m", memory: "32Mi" }, limits: { cpu: "500m", memory: "96Mi" } },
    ],
    [
      "more shares, and only memory restarts",
      { ...has, cpuShares: 1024 },
      restart("memory"),
      "update",
      { requests: { cpu: "1", memory: "32Mi" }, limits },
    ],
    ["no limits at all", { cpuShares: 2 }, {}, "update", { requests: { memory: "32Mi" } }],
  ];
  for (const [what, resources, more, need, shown] of table) {
    const wish = { ...wanted, ...more };
    const status = testContainer({ container: wish, state: "running", resources });
    t.equal(resizeOf(wish, status), need, what);
    t.same(shownResources(wish, status), shown, what);
    t.equal(resizeOf(wish, { ...status, state: "exited" }), undefined, `${what}, ended`);
  }
  t.same(shownResources({ name: "c", image: "i" }, undefined), {}, "a BestEffort container has resources too: none");
});

test("the pod's actions", async (t) => {
  const verdicts = { liveness: () => undefined, startup: () => undefined };
  const now = { cpuShares: 102 };
  const act = (wish: Container) => {
    const status = testContainer({ container: wish, state: "running", resources: now });
    return computePodActions(testPod({ containers: [wish] }), testState([status]), verdicts);
  };
  const same = act(container({ cpu: "100m" }));
  t.equal(isIdle(same), true);
  const update = act(container({ cpu: "200m" }));
  t.equal(isIdle(update), false);
  t.match(update, { containersToUpdate: [{ id: "c-0", name: "c" }], containersToKill: [], containersToStart: [] });
  const policy = { resizePolicy: [{ resourceName: "cpu", restartPolicy: "RestartContainer" }] } as Partial<Container>;
  t.match(act(container({ cpu: "200m" }, undefined, policy)), {
    containersToUpdate: [],
    containersToStart: ["c"],
    containersToKill: [{ id: "c-0", message: "Container c resize requires restart", reason: "Resize" }],
  });
  const sidecar: Container = { ...container({ cpu: "200m" }), name: "s", restartPolicy: "Always" };
  const plain: Container = { name: "c", image: "i" };
  const beside = computePodActions(
    testPod({ initContainers: [sidecar], containers: [plain] }),
    testState([
      testContainer({ container: plain, state: "running" }),
      testContainer({ container: sidecar, state: "running", resources: now }),
    ]),
    verdicts,
  );
  t.match(beside, { containersToUpdate: [{ id: "s-0", name: "s" }], containersToKill: [] });
});

test("conditions", async (t) => {
  const pending = { reason: "Deferred", message: "later" } as const;
  t.same(resizeConditions({ pending: undefined, inProgress: false, error: undefined }), []);
  t.same(resizeConditions({ pending, inProgress: true, error: "no" }), [
    { type: "PodResizePending", status: "True", reason: "Deferred", message: "later" },
    { type: "PodResizeInProgress", status: "True", reason: "Error", message: "no" },
  ]);
});

test("what was granted outlives the kubelet", async (t) => {
  const path = join(t.testdir({}), "not-yet-there", "allocated_pods_state");
  const cpu = (pod: Pod) => pod.spec?.containers[0]?.resources?.requests?.cpu;
  const small = testPod({ containers: [container({ cpu: "100m" })] });
  const large = testPod({ containers: [container({ cpu: "2" })] });
  const first = openAllocatedPods({ path, logger });
  t.equal(first.apply(large), large, "nothing granted yet");
  first.set(small);
  const second = openAllocatedPods({ path, logger });
  t.equal(second.has("uid-1"), true);
  t.equal(cpu(second.apply(large)), "100m");
  t.equal(second.apply(small), small, "the same object where nothing differs");
  second.set(large);
  t.equal(cpu(openAllocatedPods({ path, logger }).apply(small)), "2");
  second.keepOnly(new Set(["uid-2"]));
  t.equal(readFileSync(path, "utf8"), "{}");
  writeFileSync(path, "{");
  t.equal(openAllocatedPods({ path, logger }).has("uid-1"), false, "a torn file is a new one");
});
