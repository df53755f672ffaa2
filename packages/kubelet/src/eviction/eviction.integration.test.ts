// Eviction by a kubelet process on the real engine: pods beyond their own disk limits, then pods of a node that is short
// of memory. The shortage is a threshold above what any machine has free, so that nothing else on this one suffers.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodes, type Pod } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { eventually, isReady, podsOf, sleeper, startKubelet } from "../kubelet.testing.js";

const patienceMs = 90_000;
const isEvicted = ({ status }: Pod) => status?.phase === "Failed" && status.reason === "Evicted";
const disruption = ({ status }: Pod) => status?.conditions?.find(({ type }) => type === "DisruptionTarget");

/** Writes 3 MiB, then waits. */
const writer = (path: string) => ({
  ...sleeper(),
  command: ["sh", "-c", `trap 'exit 0' TERM; head -c 3145728 /dev/zero > ${path}; while true; do sleep 0.1; done`],
});

test("eviction", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { create, get, until, kubectl, eventsOf } = await podsOf(server);
  const kubelet = await startKubelet(t, server, { bridge: "picotest30", subnet: 30 });
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")), patienceMs);

  await t.test("pods that use more of the disk than they may are evicted", async (t) => {
    const volume = { name: "scratch", emptyDir: { sizeLimit: "1Mi" } };
    const mounted = { volumeMounts: [{ name: "scratch", mountPath: "/scratch" }] };
    const limited = (size: string) => ({ resources: { limits: { "ephemeral-storage": size } } });
    await Promise.all([
      create("volume", { volumes: [volume], containers: [{ ...writer("/scratch/data"), ...mounted }] }),
      create("layer", { containers: [{ ...writer("/data"), ...limited("1Mi") }] }),
      create("one-of-two", {
        containers: [
          { ...writer("/data"), ...limited("1Mi") },
          { ...sleeper("d"), ...limited("90Mi") },
        ],
      }),
      create("modest", { containers: [{ ...writer("/data"), ...limited("90Mi") }] }),
    ]);
    for (const [name, message] of [
      ["volume", 'Usage of EmptyDir volume "scratch" exceeds the limit "1Mi". '],
      ["layer", "Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. "],
      ["one-of-two", 'Container c exceeded its local ephemeral storage limit "1Mi". '],
    ] as const) {
      const pod = await until(name, "evicted", isEvicted, patienceMs);
      t.equal(pod.status?.message, message);
      t.equal(disruption(pod), undefined, `${name} disrupted itself`);
      const said = await eventually("its event", async () => {
        const words = await eventsOf(name);
        return words.includes("Evicted") && words;
      });
      t.match(said, `Evicted: ${message.trim()}`);
    }
    const { status } = (await get("modest"))!;
    t.equal(status?.phase, "Running");
    t.equal((await get("volume"))?.status?.containerStatuses?.[0]?.state?.terminated !== undefined, true);
    await kubectl("delete", "pods", "--all", "--wait=true");
  });

  await t.test("a node short of memory evicts by rank, and keeps what is critical", async (t) => {
    writeFileSync(
      join(kubelet.manifests, "fixed.json"),
      JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "fixed" }, spec: { containers: [sleeper()] } }),
    );
    await create("asks", { containers: [{ ...sleeper(), resources: { requests: { memory: "20Mi" } } }] });
    await create("besteffort");
    for (const name of ["asks", "besteffort", "fixed-node-1"]) await until(name, "ready", isReady, patienceMs);
    await kubelet.stop();
    kubelet.start(["--eviction-hard=memory.available<99.9%"]);
    const first = await until("besteffort", "evicted", isEvicted, patienceMs);
    const second = await until("asks", "evicted", isEvicted, patienceMs);
    const begin = /^The node was low on resource: memory\. Threshold quantity: \d+, available: \d+Ki\. /;
    t.match(first.status?.message, begin);
    t.match(first.status?.message, /Container c was using \d+Ki, request is 0, has larger consumption of memory\. $/);
    t.match(disruption(first), {
      status: "True",
      reason: "TerminationByKubelet",
      message: first.status?.message,
    });
    t.match(second.status?.message, begin);
    t.notMatch(second.status?.message, /Container c was using/);
    const order = [...kubelet.log().matchAll(/Evicting pod"?.*?default\/(\w+)/g)].map(([, name]) => name);
    t.same(order.slice(-2), ["besteffort", "asks"]);
    t.equal((await get("fixed-node-1"))?.status?.phase, "Running");
  });

  await t.test("the node says so, and takes no more BestEffort pods", async (t) => {
    const condition = await eventually(
      "MemoryPressure",
      async () => {
        const node = await server.client.get(nodes, { name: "node-1" });
        const found = node.status?.conditions?.find(({ type }) => type === "MemoryPressure");
        return found?.status === "True" && found;
      },
      patienceMs,
    );
    t.match(condition, { reason: "KubeletHasInsufficientMemory" });
    const said = await eventually("the node's events", async () => {
      const words = await eventsOf("node-1");
      return /EvictionThresholdMet/.test(words) && /NodeHasInsufficientMemory/.test(words) && words;
    });
    t.match(said, "EvictionThresholdMet: Attempting to reclaim memory");
    await create("late");
    const late = await until("late", "refused", isEvicted, patienceMs);
    t.equal(late.status?.message, "Pod was rejected: The node had condition: [MemoryPressure]. ");
    t.same(late.status?.containerStatuses ?? [], []);
  });
});
