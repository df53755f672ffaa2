// Resizing pods in place by the real kubectl through a real apiserver, kubelet and engine: the container's cgroup, its status, restarts where
// the policy asks for them, wishes that wait or can never come true, and a kubelet that starts anew in between.

import { type Container, nodes, type Pod } from "@picokube/api/core/v1";
import { podCondition } from "@picokube/api/pod";
import { parseQuantity } from "@picokube/api/quantity";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { isReady, podsOf, sleeper, startKubelet } from "../kubelet.testing.js";

const patienceMs = 60_000;

interface Amounts {
  readonly requests: Record<string, string>;
  readonly limits?: Record<string, string>;
}

const statusOf = ({ status }: Pod) => status!.containerStatuses![0]!;
const shownCpu = (pod: Pod) => statusOf(pod).resources?.requests?.cpu;
const isSettled = ({ status }: Pod) => podCondition(status, "PodResizeInProgress") === undefined;
const pendingReason = ({ status }: Pod) => podCondition(status, "PodResizePending")?.reason;

test("resize", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { client } = server;
  const { create, get, until, kubectl, eventsOf } = await podsOf(server);
  const kubelet = await startKubelet(t, server, { bridge: "picotest42", subnet: 42 });
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")), patienceMs);

  const sized = (resources: Amounts, more: Partial<Container> = {}) => ({ ...sleeper(), resources, ...more });
  /** As people do it. */
  const resize = (name: string, resources: Amounts) => {
    const patch = JSON.stringify({ spec: { containers: [{ name: "c", resources }] } });
    return kubectl("patch", "pod", name, "--subresource=resize", `--patch=${patch}`);
  };
  /** Shares, quota and bytes, whichever version the host's cgroups are. */
  const cgroupOf = async (name: string) => {
    const files = ["cpu/cpu.cfs_quota_us", "memory/memory.limit_in_bytes", "cpu.max", "memory.max"];
    const script = files.map((file) => `cat /sys/fs/cgroup/${file} 2>/dev/null`).join("; ");
    const text = await kubectl("exec", name, "--", "sh", "-c", `${script}; true`);
    return text.split(/\s+/).filter(Boolean);
  };

  await t.test("CPU and memory grow and shrink without a restart", async (t) => {
    const small = { requests: { cpu: "50m", memory: "16Mi" }, limits: { cpu: "100m", memory: "64Mi" } };
    const large = { requests: { cpu: "100m", memory: "32Mi" }, limits: { cpu: "300m", memory: "128Mi" } };
    await create("grows", { containers: [sized(small)] });
    const before = statusOf(await until("grows", "ready", isReady, patienceMs));
    t.same(before.resources, small);
    t.same(before.allocatedResources, small.requests);
    await resize("grows", large);
    const grown = await until("grows", "grown", (pod) => shownCpu(pod) === "100m" && isSettled(pod), patienceMs);
    t.same(statusOf(grown).resources, large);
    t.same(statusOf(grown).allocatedResources, large.requests);
    const [quota, memory] = (await cgroupOf("grows")).filter((word) => word !== "100000");
    t.same([quota, memory], ["30000", String(128 * 1024 * 1024)]);
    const shrunk = { ...large, limits: { ...large.limits, cpu: "150m" } };
    await resize("grows", shrunk);
    const after = await until(
      "grows",
      "shrunk",
      (pod) => statusOf(pod).resources?.limits?.cpu === "150m" && isSettled(pod),
      patienceMs,
    );
    t.equal((await cgroupOf("grows"))[0], "15000");
    t.equal(statusOf(after).containerID, before.containerID);
    t.equal(statusOf(after).restartCount, 0);
    t.equal(after.status?.qosClass, "Burstable");
    const fewer = { requests: { cpu: "150m", memory: "128Mi" }, limits: { cpu: "150m", memory: "128Mi" } };
    const less = { ...shrunk, limits: { ...shrunk.limits, memory: "64Mi" } };
    await t.rejects(resize("grows", less), /memory limits cannot be decreased unless resizePolicy is RestartContainer/);
    await t.rejects(resize("grows", fewer), /Pod QOS Class may not change as a result of resizing/);
  });

  await t.test("a container restarts where its policy says so", async (t) => {
    const policy = { resizePolicy: [{ resourceName: "memory", restartPolicy: "RestartContainer" }] };
    const of = (limit: string) => ({ requests: { memory: "16Mi" }, limits: { memory: limit } });
    await create("restarts", { containers: [sized(of("96Mi"), policy as Partial<Container>)] });
    await until("restarts", "ready", isReady, patienceMs);
    await resize("restarts", of("64Mi"));
    const pod = await until(
      "restarts",
      "restarted",
      (pod) => statusOf(pod).restartCount === 1 && isReady(pod) && isSettled(pod),
      patienceMs,
    );
    t.same(statusOf(pod).resources, of("64Mi"));
    t.equal((await cgroupOf("restarts")).includes(String(64 * 1024 * 1024)), true);
    await eventually(
      "the event",
      async () => /Killing: Container c resize requires restart/.test(await eventsOf("restarts")),
      patienceMs,
    );
  });

  await t.test("what cannot be granted waits, over a restart of the kubelet too, and what it has stays", async (t) => {
    const node = await client.get(nodes, { name: "node-1" });
    const freeMillis = parseQuantity(node.status!.allocatable!.cpu!).milliValue();
    const of = (millis: number) => ({ requests: { cpu: `${millis}m` } });
    await create("waits", { containers: [sized(of(100))] });
    await create("hog", { containers: [sized(of(freeMillis - 400))] });
    const before = statusOf(await until("waits", "ready", isReady, patienceMs));
    await until("hog", "ready", isReady, patienceMs);
    await resize("waits", of(freeMillis + 1000));
    const never = await until("waits", "infeasible", (pod) => pendingReason(pod) === "Infeasible", patienceMs);
    t.equal(
      podCondition(never.status, "PodResizePending")?.message,
      `Node didn't have enough capacity: cpu, requested: ${freeMillis + 1000}, capacity: ${freeMillis}`,
    );
    await resize("waits", of(500));
    const later = await until("waits", "deferred", (pod) => pendingReason(pod) === "Deferred", patienceMs);
    t.match(
      podCondition(later.status, "PodResizePending")?.message,
      /^Node didn't have enough resource: cpu, requested: 500, used: \d+, capacity: \d+$/,
    );
    t.same(statusOf(later).allocatedResources, { cpu: "100m" });

    await kubelet.stop();
    kubelet.start();
    await eventually(
      "the kubelet is back",
      async () => kubelet.log().split("Successfully registered").length > 2,
      patienceMs,
    );
    await kubectl("delete", "pod", "hog", "--wait=true");
    const granted = await until("waits", "granted", (pod) => shownCpu(pod) === "500m" && isSettled(pod), patienceMs);
    t.equal(pendingReason(granted), undefined);
    t.same(statusOf(granted).allocatedResources, { cpu: "500m" });
    t.equal(statusOf(granted).containerID, before.containerID);
    t.equal((await get("grows"))?.status?.containerStatuses?.[0]?.restartCount, 0, "others were left alone");
  });
});
