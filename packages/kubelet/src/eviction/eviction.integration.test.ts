// Eviction by a kubelet process on the real engine: pods beyond their own disk limits, a fork bomb, then pods that use up
// what memory the node has for pods. All but 200 MiB of the machine is reserved, so that nothing else on it suffers.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import { nodes, type Pod } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { isReady, podsOf, sleeper, startKubelet } from "../kubelet.testing.js";

const patienceMs = 90_000;
const cgroupRoot = "/picotest40";
const isEvicted = ({ status }: Pod) => status?.phase === "Failed" && status.reason === "Evicted";
const disruption = ({ status }: Pod) => status?.conditions?.find(({ type }) => type === "DisruptionTarget");

const mib = 1024 * 1024;

/** Holds 80 MiB, written by nobody else, until it is ended. */
const eater = "trap 'exit 0' TERM; (head -c 83886080 /dev/urandom | tail -c 83886080 | sleep 600) & wait";

/** Writes 3 MiB, then waits. */
const writer = (path: string) => ({
  ...sleeper(),
  command: ["sh", "-c", `trap 'exit 0' TERM; head -c 3145728 /dev/zero > ${path}; while true; do sleep 0.1; done`],
});

const isUnified = existsSync("/sys/fs/cgroup/cgroup.controllers");

/** Of burstable and best-effort pods. */
const classWeights = () =>
  ["burstable", "besteffort"].map((name) => {
    const below = `${cgroupRoot}/kubepods/${name}`;
    const file = isUnified ? `${below}/cpu.weight` : `/cpu${below}/cpu.shares`;
    return readFileSync(`/sys/fs/cgroup${file}`, "utf8").trim();
  });

test("eviction", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { create, get, until, kubectl, eventsOf } = await podsOf(server);
  const kubelet = await startKubelet(t, server, {
    bridge: "picotest40",
    subnet: 40,
    // Its kubepods is limited to a fraction of the machine below; that of others must not be.
    cgroupRoot,
    flags: ["--pod-max-pids=40"],
  });
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")), patienceMs);

  const bomb = "for i in $(seq 60); do sleep 300 & done; echo all of them run; wait";
  await create("bomb", { restartPolicy: "Never", containers: [{ ...sleeper(), command: ["sh", "-c", bomb] }] });

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
  });

  await t.test("a pod cannot have more processes than the node allows it", async (t) => {
    await until("bomb", "failed", ({ status }) => status?.phase === "Failed", patienceMs);
    const said = await kubectl("logs", "bomb");
    t.match(said, /can't fork: Resource temporarily unavailable/);
    t.notMatch(said, "all of them run");
    await kubectl("delete", "pods", "--all", "--wait=true");
  });

  await t.test("pods short of memory are evicted by rank, and the critical ones stay", async (t) => {
    writeFileSync(
      join(kubelet.manifests, "fixed.json"),
      JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "fixed" }, spec: { containers: [sleeper()] } }),
    );
    await create("asks", { containers: [{ ...sleeper(), resources: { requests: { cpu: "100m", memory: "20Mi" } } }] });
    await create("eats", { containers: [{ ...sleeper(), command: ["sh", "-c", eater] }] });
    for (const name of ["asks", "eats", "fixed-node-1"]) await until(name, "ready", isReady, patienceMs);
    t.same(classWeights(), isUnified ? ["4", "1"] : ["102", "2"], "the classes share the processors by request");
    await kubelet.stop();
    const reserved = totalmem() - 200 * mib;
    kubelet.start([`--system-reserved=memory=${reserved}`, "--eviction-hard=memory.available<150Mi"]);
    const eats = await until("eats", "evicted", isEvicted, patienceMs);
    t.match(
      eats.status?.message,
      /^The node was low on resource: memory\. Threshold quantity: 150Mi, available: \d+Ki\. Container c was using \d+Ki, request is 0, has larger consumption of memory\. $/,
    );
    t.match(disruption(eats), { status: "True", reason: "TerminationByKubelet", message: eats.status?.message });
    t.equal((await get("asks"))?.status?.phase, "Running", "one pod a round, and one was enough");
    t.equal((await get("fixed-node-1"))?.status?.phase, "Running");
    const node = await server.client.get(nodes, { name: "node-1" });
    t.equal(node.status?.allocatable?.memory, "50Mi");
    t.match(await eventsOf("node-1"), "NodeAllocatableEnforced: Updated Node Allocatable limit across pods");
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
