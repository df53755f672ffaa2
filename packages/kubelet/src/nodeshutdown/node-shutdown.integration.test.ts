// A node that is told to go down ends its pods in order, the critical ones last, and takes no more.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodes, type Pod } from "@picokube/api/core/v1";
import { podCondition } from "@picokube/api/pod";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { isReady, podsOf, sleeper, startKubelet } from "../kubelet.testing.js";

const patienceMs = 60_000;
const message = "Pod was terminated in response to imminent node shutdown.";

test("node shutdown", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { create, until, kubectl, eventsOf } = await podsOf(server);
  const config = join(t.testdir({}), "kubelet.yaml");
  writeFileSync(
    config,
    JSON.stringify({
      apiVersion: "kubelet.config.k8s.io/v1beta1",
      kind: "KubeletConfiguration",
      shutdownGracePeriodByPodPriority: [
        { priority: 2_000_000_000, shutdownGracePeriodSeconds: 20 },
        { priority: 0, shutdownGracePeriodSeconds: 20 },
      ],
    }),
  );
  const kubelet = await startKubelet(t, server, { bridge: "picotest43", subnet: 43, flags: [`--config=${config}`] });
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")), patienceMs);
  const critical = { containers: [sleeper()], priorityClassName: "system-node-critical", priority: 2_000_001_000 };
  writeFileSync(
    join(kubelet.manifests, "critical.json"),
    JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "critical" }, spec: critical }),
  );
  await create("plain");
  // Its own grace is short, and it heeds no signal: SIGKILL ends it.
  await create("stubborn", {
    terminationGracePeriodSeconds: 1,
    containers: [{ ...sleeper(), command: ["sh", "-c", "trap '' TERM; while true; do sleep 0.1; done"] }],
  });
  for (const name of ["plain", "stubborn", "critical-node-1"]) await until(name, "ready", isReady, patienceMs);

  process.kill(kubelet.pid, "SIGPWR");
  const hasEnded = ({ status }: Pod) => status?.phase === "Failed" && status.reason === "Terminated";
  for (const name of ["plain", "stubborn", "critical-node-1"]) {
    const { status } = await until(name, "ended", hasEnded, patienceMs);
    t.equal(status?.message, message, name);
    t.match(podCondition(status, "DisruptionTarget"), { status: "True", reason: "TerminationByKubelet", message });
  }
  const order = [...kubelet.log().matchAll(/killing pod with gracePeriod.*?default\/([\w-]+)/g)].map(
    ([, name]) => name,
  );
  t.same(order.slice(0, 2).sort(), ["plain", "stubborn"]);
  t.same(order.slice(2), ["critical-node-1"]);
  const lines = kubelet.log().split("\n");
  const at = (words: RegExp) => lines.findIndex((line) => words.test(line));
  t.ok(at(/Done waiting for all pods in group/) < at(/gracePeriod.*critical-node-1/), "one group after the other");

  const ready = await eventually(
    "the node is not ready",
    async () => {
      const node = await server.client.get(nodes, { name: "node-1" });
      const condition = node.status?.conditions?.find(({ type }) => type === "Ready");
      return condition?.status === "False" && condition;
    },
    patienceMs,
  );
  t.match(ready, { reason: "KubeletNotReady", message: "node is shutting down" });
  await create("late");
  const late = await until("late", "refused", ({ status }) => status?.phase === "Failed", patienceMs);
  t.match(late.status, {
    reason: "NodeShutdown",
    message: "Pod was rejected: Pod was rejected as the node is shutting down.",
  });
  await eventually(
    "the event",
    async () => /NodeShutdown: Shutdown manager detected shutdown event/.test(await eventsOf("node-1")),
    patienceMs,
  );
});
