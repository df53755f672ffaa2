// The kubelet while its Docker daemon is killed and comes back: the node says so in upstream's words, no pod is lost, and
// none is restarted that went on running. On a daemon of the test's own.

import { mkdirSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { nodes, type Pod, pods } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { startDockerDaemon } from "./docker-daemon.testing.js";
import { isReady, podsOf, run, sleeper, startKubelet } from "./kubelet.testing.js";

const patienceMs = 120_000;

test("the engine cannot remove what has ended", async (t) => {
  const [server, daemon] = await Promise.all([
    startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] }),
    startDockerDaemon(t, { images: ["busybox"] }),
  ]);
  const { create, until, get } = await podsOf(server);
  const place = { bridge: "picotest96", subnet: 96, dockerSocket: daemon.socket };
  const kubelet = await startKubelet(t, server, place);
  await eventually("the node", () => server.client.get(nodes, { name: "node-1" }).catch(() => undefined), patienceMs);
  const sandboxOf = async (attempt: number) => {
    const found = (await kubelet.containers()).find(({ Names }) => Names.some(isSandbox(attempt)));
    return daemon.docker.getContainer(found!.Id);
  };
  const restarted = (times: number) =>
    until(
      "web",
      `ready after ${times} restarts`,
      (pod) => isReady(pod) && pod.status?.containerStatuses?.[0]?.restartCount === times,
      patienceMs,
    );
  await create("web", { terminationGracePeriodSeconds: 1, containers: [sleeper()] });
  await until("web", "ready", isReady, patienceMs);

  // A mount that the engine does not see, as an engine leaves below its data that died while it made a sandbox.
  const aside = join(dirname(daemon.dataRoot), "aside");
  mkdirSync(aside);
  await run("mount", ["--bind", "--make-private", daemon.dataRoot, aside]);
  const first = await sandboxOf(0);
  const { MergedDir: merged } = (await first.inspect()).GraphDriver.Data as unknown as { MergedDir: string };
  await first.kill();
  await restarted(1);
  const hidden = join(aside, relative(daemon.dataRoot, merged));
  mkdirSync(hidden);
  await run("mount", ["-t", "tmpfs", "tmpfs", hidden]);

  await t.test("the pod lives on", async () => {
    await (await sandboxOf(1)).kill();
    await restarted(2);
    const told = async () => /Cannot remove a dead container yet.*device or resource busy/.test(kubelet.log());
    await eventually("the kubelet tells of it", told, patienceMs);
  });

  await t.test("the pod ends and is forgotten, the rest goes when it can", async (t) => {
    await server.client.delete(pods, { name: "web", namespace: "default" });
    await eventually("web is gone", async () => (await get("web")) === undefined, patienceMs);
    await eventually("its directory is gone", async () => readdirSync(join(kubelet.rootDir, "pods")).length === 0);
    const names = async () => (await kubelet.containers()).flatMap(({ Names }) => Names);
    await eventually("all but one are gone", async () => (await names()).length === 1, patienceMs);
    t.ok((await names()).some(isSandbox(0)));
    await run("umount", [hidden]);
    // Which looks for orphans when it starts, and then once a minute.
    await kubelet.stop();
    kubelet.start();
    await eventually("nothing is left", async () => (await names()).length === 0, patienceMs);
  });
});

const isSandbox = (attempt: number) => (name: string) => name.startsWith("/k8s_POD_") && name.endsWith(`_${attempt}`);

test("a Docker daemon that is killed and started again", async (t) => {
  const [server, daemon] = await Promise.all([
    startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] }),
    startDockerDaemon(t, { images: ["busybox"] }),
  ]);
  const { create, until, get, eventsOf } = await podsOf(server);
  const place = { bridge: "picotest20", subnet: 20, dockerSocket: daemon.socket };
  const kubelet = await startKubelet(t, server, { ...place, flags: ["--runtime-request-timeout=10s"] });
  const readyCondition = async () => {
    const node = await server.client.get(nodes, { name: "node-1" }).catch(() => undefined);
    return node?.status?.conditions?.find(({ type }) => type === "Ready");
  };
  const nodeBecomes = (status: string) =>
    eventually(
      `Ready is ${status}`,
      async () => {
        const condition = await readyCondition();
        return condition?.status === status ? condition : undefined;
      },
      patienceMs,
    );
  const alive = { exec: { command: ["true"] }, periodSeconds: 1, failureThreshold: 1 };
  await nodeBecomes("True");
  await create("web", { containers: [{ ...sleeper(), livenessProbe: alive, readinessProbe: alive }] });
  await until("web", "ready", isReady, patienceMs);

  await t.test("the node is not ready, the kubelet lives on", async (t) => {
    await daemon.stop("SIGKILL");
    const condition = await nodeBecomes("False");
    t.match(condition, { reason: "KubeletNotReady", message: "container runtime is down" });
    // Long enough for the probes above to have failed, had they been believed.
    await eventually("a probe errored", async () => /probe errored/.test(await eventsOf("web")));
    t.ok(kubelet.running);
    t.match(await eventsOf("node-1"), "Node node-1 status is now: NodeNotReady");
  });

  await t.test("its pods are started again in new sandboxes", async (t) => {
    await daemon.start();
    t.match(await nodeBecomes("True"), { reason: "KubeletReady", message: "kubelet is posting ready status" });
    const pod = await until(
      "web",
      "restarted",
      (pod) => isReady(pod) && (pod.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0,
      patienceMs,
    );
    t.equal(pod.status?.containerStatuses?.[0]?.restartCount, 1);
    t.equal((await kubelet.containers()).filter(({ State }) => State === "running").length, 2);
    t.notMatch(await eventsOf("web"), /failed liveness probe/);
  });

  await t.test("with live restore they go on running and are adopted", async (t) => {
    const before = (await get("web"))!;
    const running = (await kubelet.containers()).filter(({ State }) => State === "running").map(({ Id }) => Id);
    await daemon.stop("SIGKILL");
    await nodeBecomes("False");
    await daemon.start({ liveRestore: true });
    await nodeBecomes("True");
    const after = await until("web", "ready", isReady, patienceMs);
    t.equal(after.status?.containerStatuses?.[0]?.containerID, before.status?.containerStatuses?.[0]?.containerID);
    t.equal(after.status?.podIP, before.status?.podIP);
    const now = (await kubelet.containers()).filter(({ State }) => State === "running").map(({ Id }) => Id);
    t.same(now.sort(), running.sort());
    t.equal((await get("web"))?.status?.containerStatuses?.[0]?.restartCount, 1);
  });

  await t.test("a daemon that hangs makes the node not ready, until it goes on", async (t) => {
    const before = (await get("web"))!.status!.containerStatuses;
    daemon.signal("SIGSTOP");
    try {
      const condition = await nodeBecomes("False");
      t.match(condition, { reason: "KubeletNotReady", message: "container runtime is down" });
      const givesUp = async () => /container runtime failed" err="context deadline exceeded"/.test(kubelet.log());
      await eventually("the kubelet waits no longer for an answer", givesUp, patienceMs);
      t.ok(kubelet.running);
    } finally {
      daemon.signal("SIGCONT");
    }
    t.match(await nodeBecomes("True"), { reason: "KubeletReady" });
    const after = await until("web", "ready", isReady, patienceMs);
    t.match(after.status?.containerStatuses, [{ containerID: before![0]!.containerID, restartCount: 1 }]);
  });

  await t.test("a pod of the time of the outage starts afterwards, and one deleted then goes", async (t) => {
    await daemon.stop("SIGTERM");
    await nodeBecomes("False");
    await create("late");
    await server.client.delete(pods, { name: "web", namespace: "default" });
    await daemon.start();
    await until("late", "ready", isReady, patienceMs);
    await eventually("web is gone", async () => (await get("web")) === undefined, patienceMs);
    const owners = async () => (await kubelet.containers()).map(({ Labels }) => Labels["io.kubernetes.pod.name"]);
    // Its containers, which run no more, go once the API has forgotten it.
    await eventually("nothing of it is left", async () => !(await owners()).includes("web"), patienceMs);
    t.same(await owners(), ["late", "late"]);
    t.ok(kubelet.running);
  });

  await t.test("a kubelet that starts without its daemon waits for it, and starts its pods again once", async (t) => {
    t.equal(await kubelet.stop(), 0);
    await daemon.stop("SIGTERM");
    kubelet.start();
    const waits = async () => /The container runtime does not answer, waiting for it/.test(kubelet.log());
    await eventually("the kubelet waits", waits, patienceMs);
    await daemon.start();
    const isAgain = (pod: Pod) => isReady(pod) && pod.status?.containerStatuses?.[0]?.restartCount === 1;
    await until("late", "ready again", isAgain, patienceMs);
    await nodeBecomes("True");
  });
});
