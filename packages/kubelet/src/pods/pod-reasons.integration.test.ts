// Every reason that a real engine can bring a pod's container into, as the API shows it: state, last state, restart count,
// phase, conditions, events. One kubelet; all pods at once, and a watch that misses nothing of what was shown.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodes, type Pod, pods } from "@picokube/api/core/v1";
import { podCondition } from "@picokube/api/pod";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import Docker from "dockerode";
import { type Test, test } from "tap";
import { isReady, podsOf, sleeper, startKubelet } from "../kubelet.testing.js";
import { conditionsOf, exec, never, podReasons, shell } from "./pod-reasons.testing.js";

const patienceMs = 120_000;
const stopSignalImage = "picokube-test-stop-signal";
const docker = new Docker({ socketPath: "/var/run/docker.sock" });

/** On a busy machine a shell may need a while to hear a signal. */
const unhurried = { terminationGracePeriodSeconds: 60 };

/** All that the API has shown of each pod, in order. */
function recordPods(t: Test, { client }: TestApiServer): Map<string, Pod[]> {
  const shown = new Map<string, Pod[]>();
  const done = new AbortController();
  const watching = (async () => {
    for await (const { object } of client.watch(pods, { namespace: "default", signal: done.signal })) {
      const { name } = object.metadata;
      shown.set(name, [...(shown.get(name) ?? []), object as Pod]);
    }
  })().catch((error: unknown) => {
    if (!done.signal.aborted) throw error;
  });
  t.teardown(() => {
    done.abort();
    return watching;
  });
  return shown;
}

test("what the API shows of a pod", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { create, until, kubectl, eventsOf } = await podsOf(server);
  const kubelet = await startKubelet(t, server, { bridge: "picotest70", subnet: 70 });
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")), patienceMs);
  const shown = recordPods(t, server);
  for (const { name, spec } of podReasons) await create(name, spec);
  const waitsFor = ({ status }: Pod) => status?.containerStatuses?.[0]?.state?.waiting?.reason;

  for (const { name, at, before, phase, state, lastState, restarts, status, conditions, events = [] } of podReasons) {
    await t.test(`${name}: ${at}`, async (t) => {
      const isAsWanted = (pod: Pod) =>
        (pod.status?.phase === at || waitsFor(pod) === at) &&
        Object.entries(conditions).every(([type, is]) => conditionsOf(pod)[type] === is);
      const pod = await eventually(`${name}: ${at}`, async () => shown.get(name)?.find(isAsWanted), patienceMs).catch(
        (error: Error) => {
          throw new Error(`${error.message}; shown: ${JSON.stringify(shown.get(name)?.map(({ status }) => status))}`);
        },
      );
      const [container] = pod.status?.containerStatuses ?? [];
      t.equal(pod.status?.phase, phase, "phase");
      t.match(container?.state, state, "state");
      if (status) t.match(pod.status, status, "reason and message");
      if (lastState) t.match(container?.lastState, lastState, "last state");
      if (restarts !== undefined) t.equal(container?.restartCount, restarts, "restarts");
      if (before)
        t.ok(
          shown.get(name)?.some((pod) => waitsFor(pod) === before),
          `after ${before}`,
        );
      for (const words of events) {
        await eventually(`${name}: ${words}`, async () => words.test(await eventsOf(name)), patienceMs);
      }
    });
  }

  await t.test("a container that the engine lost counts as a restart, with Never as the pod's failure", async (t) => {
    await create("lost", { containers: [sleeper()] });
    await create("lost-once", { containers: [sleeper()], ...never });
    const found = [
      await until("lost", "ready", isReady, patienceMs),
      await until("lost-once", "ready", isReady, patienceMs),
    ];
    // Nobody sees how they end.
    await kubelet.stop();
    for (const { status } of found) {
      const id = status!.containerStatuses![0]!.containerID!.replace("docker://", "");
      await docker.getContainer(id).remove({ force: true });
    }
    kubelet.start();
    const lostState = { exitCode: 137, reason: "ContainerStatusUnknown" };
    const isAgain = (pod: Pod) => isReady(pod) && pod.status?.containerStatuses?.[0]?.restartCount === 1;
    const again = await until("lost", "ready again", isAgain, patienceMs);
    t.match(again.status?.containerStatuses, [{ lastState: { terminated: lostState } }]);
    const hasEnded = ({ status }: Pod) =>
      status?.phase === "Failed" && status.containerStatuses?.[0]?.state?.terminated;
    const once = await until("lost-once", "failed", hasEnded, patienceMs);
    const message = "The container could not be located when the pod was terminated";
    t.match(once.status?.containerStatuses, [{ restartCount: 1, state: { terminated: { ...lostState, message } } }]);
  });

  await t.test("restarts are counted on when the engine's dead containers are removed", async (t) => {
    const { uid } = shown.get("crash")!.at(-1)!.metadata;
    const restarts = ({ status }: Pod) => status?.containerStatuses?.[0]?.restartCount ?? 0;
    // Some may be removed by the kubelet, or start, meanwhile: what matters is that the count never goes back.
    for (const { Id } of await docker.listContainers({
      all: true,
      filters: { label: [`io.kubernetes.pod.uid=${uid}`, "io.kubernetes.docker.type=container"], status: ["exited"] },
    })) {
      await docker
        .getContainer(Id)
        .remove({ force: true })
        .catch(() => undefined);
    }
    const before = restarts(shown.get("crash")!.at(-1)!);
    const again = await until("crash", "restarted", (pod) => restarts(pod) > before, patienceMs);
    t.match(again.status?.containerStatuses, [{ lastState: { terminated: { exitCode: 1, reason: "Error" } } }]);
    const counts = shown.get("crash")!.map(restarts);
    t.same(
      counts,
      [...counts].sort((a, b) => a - b),
    );
  });

  await t.test("a pod ends by its image's own signal, also when its preStop hook fails", async (t) => {
    const base = await docker.createContainer({ Image: "busybox", StopSignal: "SIGUSR1" });
    await base.commit({ repo: stopSignalImage, tag: "1" });
    await base.remove({ force: true });
    t.teardown(() => docker.getImage(`${stopSignalImage}:1`).remove({ force: true }));
    const script = "trap 'echo asked; exit 5' USR1; while true; do sleep 0.1; done";
    const container = { image: `${stopSignalImage}:1`, lifecycle: { preStop: exec("exit 1") } };
    await create("signal", { ...unhurried, ...shell(script, container) });
    await until("signal", "ready", isReady, patienceMs);
    await kubectl("delete", "pod", "signal", "--timeout=90s");
    const hasEnded = ({ status }: Pod) => status?.containerStatuses?.[0]?.state?.terminated;
    const ended = await eventually("its end", async () => shown.get("signal")?.find(hasEnded), patienceMs);
    t.match(ended.status, { phase: "Failed", containerStatuses: [{ state: { terminated: { exitCode: 5 } } }] });
    await eventually(
      "the hook's event",
      async () => /^FailedPreStopHook: PreStopHook failed$/m.test(await eventsOf("signal")),
      patienceMs,
    );
  });

  await t.test("readiness gates, and conditions of others", async (t) => {
    await create("gated", { readinessGates: [{ conditionType: "example.com/gate" }] });
    const missing = 'corresponding condition of pod readiness gate "example.com/gate" does not exist.';
    const closed = 'the status of pod readiness gate "example.com/gate" is not "True", but False';
    const shows = (words: string) => (pod: Pod) => conditionsOf(pod).Ready === words;
    const set = (type: string, status: string, reason: string) => {
      const patch = { status: { conditions: [{ type, status, reason }] } };
      return kubectl("patch", "pod", "gated", "--subresource=status", "-p", JSON.stringify(patch));
    };
    const pod = await until("gated", "waits", shows(`False ReadinessGatesNotReady ${missing}`), patienceMs);
    t.equal(conditionsOf(pod).ContainersReady, "True");
    await set("DisruptionTarget", "True", "EvictionByEvictionAPI");
    await set("example.com/gate", "False", "Closed");
    await until("gated", "is closed", shows(`False ReadinessGatesNotReady ${closed}`), patienceMs);
    await set("example.com/gate", "True", "Open");
    const open = await until("gated", "is ready", shows("True"), patienceMs);
    t.match(podCondition(open.status, "DisruptionTarget"), { status: "True", reason: "EvictionByEvictionAPI" });
    t.match(podCondition(open.status, "example.com/gate"), { status: "True", reason: "Open" });
  });

  await t.test("a pod for another node is refused, and one makes room for a critical one", async (t) => {
    await create("elsewhere", { nodeSelector: { "example.com/zone": "b" } });
    const refused = await until("elsewhere", "refused", ({ status }) => status?.phase === "Failed", patienceMs);
    const words = "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector";
    t.match(refused.status, { reason: "NodeAffinity", message: `Pod was rejected: ${words}` });
    t.equal(refused.status?.containerStatuses, undefined);

    const { cpu } = (await server.client.get(nodes, { name: "node-1" })).status!.allocatable!;
    await create("large", {
      ...unhurried,
      containers: [{ ...sleeper(), resources: { requests: { cpu: String(cpu) } } }],
    });
    await until("large", "ready", isReady, patienceMs);
    const spec = {
      terminationGracePeriodSeconds: 1,
      containers: [{ ...sleeper(), imagePullPolicy: "IfNotPresent", resources: { requests: { cpu: "100m" } } }],
    };
    const critical = { apiVersion: "v1", kind: "Pod", metadata: { name: "critical" }, spec };
    writeFileSync(join(kubelet.manifests, "critical.json"), JSON.stringify(critical));
    const { status } = await until("large", "preempted", (pod) => pod.status?.phase === "Failed", patienceMs);
    t.match(status, { reason: "Preempting", message: "Preempted in order to admit critical pod" });
    t.match(status?.containerStatuses, [{ state: { terminated: { exitCode: 0 } } }]);
    const message = "Pod was preempted by Kubelet to accommodate a critical pod.";
    t.match(podCondition(status, "DisruptionTarget"), { status: "True", reason: "TerminationByKubelet", message });
    await until("critical-node-1", "ready", isReady, patienceMs);
    const told = /^Preempting: Preempted in order to admit critical pod$/m;
    await eventually("the event", async () => told.test(await eventsOf("large")), patienceMs);
  });
});
