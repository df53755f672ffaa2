// Soft thresholds, inodes and process numbers by a kubelet process on the real engine. Its root directory is a small disk of
// its own; the threshold of processes is set above what the machine has today, so that nothing need be used up.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Node, nodes, type Pod } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { isReady, podsOf, sleeper, startKubelet } from "../kubelet.testing.js";

const patienceMs = 90_000;
const isEvicted = ({ status }: Pod) => status?.phase === "Failed" && status.reason === "Evicted";
const conditionOf = ({ status }: Node, type: string) => status?.conditions?.find((one) => one.type === type);

/** Fills an emptyDir with so many empty files, then waits. */
const littering = (files: number) => ({
  volumes: [{ name: "scratch", emptyDir: {} }],
  containers: [
    {
      ...sleeper(),
      command: [
        "sh",
        "-c",
        `trap 'exit 0' TERM; cd /scratch; for i in $(seq ${files}); do : > $i; done; touch /done; while true; do sleep 0.1; done`,
      ],
      readinessProbe: { exec: { command: ["ls", "/done"] }, periodSeconds: 1 },
      volumeMounts: [{ name: "scratch", mountPath: "/scratch" }],
    },
  ],
});

test("soft eviction", async (t) => {
  const server = await startApiServer(t);
  const { create, get, until, kubectl, eventsOf } = await podsOf(server);
  const kubelet = await startKubelet(t, server, {
    bridge: "picotest93",
    subnet: 93,
    rootDisk: { inodes: 3000, sizeMiB: 64 },
  });
  const node = () => server.client.get(nodes, { name: "node-1" });
  const pressure = (type: string, status: string) =>
    eventually(
      `${type} ${status}`,
      async () => {
        const found = conditionOf(await node(), type);
        return found?.status === status && found;
      },
      patienceMs,
    );
  /** A new kubelet with these flags; what is logged from here on is its own. */
  const restart = async (...flags: string[]) => {
    await kubelet.stop();
    const before = kubelet.log().length;
    kubelet.start(flags);
    return () => kubelet.log().slice(before);
  };
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")), patienceMs);
  writeFileSync(
    join(kubelet.manifests, "fixed.json"),
    JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "fixed" }, spec: { containers: [sleeper()] } }),
  );
  await create("most", { ...littering(1200), terminationGracePeriodSeconds: 600 });
  await create("more", { ...littering(700), terminationGracePeriodSeconds: 1 });
  await create("few");
  for (const name of ["most", "more", "few", "fixed-node-1"]) await until(name, "ready", isReady, patienceMs);

  await t.test(
    "inodes: after the grace period the worst pod goes, until more than the threshold is free",
    async (t) => {
      // Met with both pods' files there, not any more without the larger one's; but then too few are reclaimed.
      const log = await restart(
        "--eviction-soft=nodefs.inodesFree<1400",
        "--eviction-soft-grace-period=nodefs.inodesFree=2s",
        "--eviction-max-pod-grace-period=3",
        "--eviction-minimum-reclaim=nodefs.inodesFree=1000",
      );
      const pressed = await pressure("DiskPressure", "True");
      t.match(pressed, { reason: "KubeletHasDiskPressure", message: "kubelet has disk pressure" });
      await create("late");
      const late = await until("late", "refused", isEvicted, patienceMs);
      t.equal(late.status?.message, "Pod was rejected: The node had condition: [DiskPressure]. ");
      const most = await until("most", "evicted", isEvicted, patienceMs);
      const more = await until("more", "evicted", isEvicted, patienceMs);
      for (const { status } of [most, more]) {
        t.match(
          status?.message,
          /^The node was low on resource: inodes\. Threshold quantity: 1400, available: \d+\. $/,
        );
        t.match(
          status?.conditions?.find(({ type }) => type === "DisruptionTarget"),
          { status: "True", reason: "TerminationByKubelet", message: status?.message },
        );
      }
      const order = [...log().matchAll(/"Evicting pod" pod="default\/(\w+)"/g)].map(([, name]) => name);
      t.same(order, ["most", "more"], "one a round, by their inodes");
      const graces = [...log().matchAll(/"Killing container with a grace period".* gracePeriod=(\d+)/g)];
      t.same(
        graces.map(([, seconds]) => seconds),
        ["3", "1"],
        "no more than --eviction-max-pod-grace-period, no more than the pod's own",
      );
      t.equal((await get("few"))?.status?.phase, "Running");
      t.equal((await get("fixed-node-1"))?.status?.phase, "Running");
      const said = await eventually(
        "the node's events",
        async () => {
          const words = await eventsOf("node-1");
          return /EvictionThresholdMet/.test(words) && /NodeHasDiskPressure/.test(words) && words;
        },
        patienceMs,
      );
      t.match(said, "EvictionThresholdMet: Attempting to reclaim inodes");
      t.match(said, "NodeHasDiskPressure: Node node-1 status is now: NodeHasDiskPressure");
    },
  );

  await t.test("processes: the pod with the most goes at once, and the node says so", async (t) => {
    const many = "trap 'exit 0' TERM; for i in $(seq 20); do sleep 600 & done; touch /done; wait";
    const probe = { exec: { command: ["ls", "/done"] }, periodSeconds: 1 };
    await restart();
    const gone = await pressure("DiskPressure", "False");
    t.equal(gone.reason, "KubeletHasNoDiskPressure");
    await create("many", { containers: [{ ...sleeper(), command: ["sh", "-c", many], readinessProbe: probe }] });
    await until("many", "ready", isReady, patienceMs);
    const log = await restart(
      `--eviction-hard=pid.available<${readFileSync("/proc/sys/kernel/pid_max", "utf8").trim()}`,
    );
    const evicted = await until("many", "evicted", isEvicted, patienceMs);
    t.match(
      evicted.status?.message,
      /^The node was low on resource: pids\. Threshold quantity: \d+, available: \d+\. $/,
    );
    t.match(await pressure("PIDPressure", "True"), {
      reason: "KubeletHasInsufficientPID",
      message: "kubelet has insufficient PID available",
    });
    t.equal(/"Evicting pod" pod="default\/(\w+)"/.exec(log())?.[1], "many", "it was the first");
    await until("few", "evicted in its turn", isEvicted, patienceMs);
    await eventually(
      "a critical pod stays",
      async () => /unable to evict any pods from the node|cannot evict a critical pod/.test(log()),
      patienceMs,
    );
    t.equal((await get("fixed-node-1"))?.status?.phase, "Running");
    await restart();
    t.equal((await pressure("PIDPressure", "False")).reason, "KubeletHasSufficientPID");
  });
});
