// Sidecars on a real engine: in which order they start, are restarted, and end, told by what the containers themselves
// write into one journal, which outlives them.

import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Container, Pod } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { isReady, podsOf, startKubelet } from "../kubelet.testing.js";

const patienceMs = 120_000;

/** A container that writes into the journal when it begins and when it is told to end. */
function actor(name: string, { before = "", atEnd = "exit 0" } = {}): Container {
  const say = (words: string) => `echo "${name} ${words}" >> /journal/lines`;
  const script = `${say("begins")}; ${before} trap '${say("ends")}; ${atEnd}' TERM; while true; do sleep 0.1; done`;
  const command = ["sh", "-c", script];
  return { name, image: "busybox", imagePullPolicy: "IfNotPresent", command, volumeMounts: [journal] };
}

const journal = { name: "journal", mountPath: "/journal" };
const sidecar = (container: Container): Container => ({ ...container, restartPolicy: "Always" });
const shell = (name: string, script: string): Container => ({ ...actor(name), command: ["sh", "-c", script] });
const exec = (script: string) => ({ exec: { command: ["sh", "-c", script] } });
/** Waits until the journal holds so many lines of these words. */
const wait = (words: string, times = 1) =>
  `until [ "$(grep -c '${words}' /journal/lines)" -ge ${times} ]; do sleep 0.1; done`;

test("sidecars", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { create, until, get, kubectl, remove } = await podsOf(server);
  const kubelet = await startKubelet(t, server, { bridge: "picotest71", subnet: 71 });
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")), patienceMs);

  const pathOf = (name: string) => join(kubelet.rootDir, "journals", name);
  const play = async (name: string, spec: Parameters<typeof create>[1]) => {
    mkdirSync(pathOf(name), { recursive: true });
    // On a busy machine a shell may need a while to hear a signal.
    await create(name, {
      terminationGracePeriodSeconds: 60,
      ...spec,
      volumes: [{ name: "journal", hostPath: { path: pathOf(name) } }],
    });
  };
  const lines = (name: string) =>
    readFileSync(join(pathOf(name), "lines"), "utf8")
      .trim()
      .split("\n");
  const initStatus = (pod: Pod, name: string) => pod.status?.initContainerStatuses?.find((s) => s.name === name);

  await t.test("each starts when the one before it has, and ends after those it serves", async (t) => {
    const first = sidecar({
      ...actor("first", { before: "sleep 1; echo first is up >> /journal/lines;" }),
      startupProbe: { ...exec("grep -q 'first is up' /journal/lines"), periodSeconds: 1, failureThreshold: 60 },
      lifecycle: { preStop: exec("echo first preStop >> /journal/lines") },
    });
    const second = sidecar({
      ...actor("second"),
      lifecycle: { preStop: exec("echo second preStop >> /journal/lines") },
    });
    // The hooks run all at once: this one ends only after the sidecars' have.
    const last = exec(`${wait("first preStop")}; ${wait("second preStop")}; echo main preStop >> /journal/lines`);
    await play("order", {
      terminationGracePeriodSeconds: 120,
      initContainers: [first, shell("init", "echo init runs >> /journal/lines"), second],
      containers: [{ ...actor("main"), lifecycle: { preStop: last } }],
    });
    await until("order", "ready", isReady, patienceMs);
    // It runs before its shell has said so.
    await eventually("main begins", async () => lines("order").includes("main begins"), patienceMs);
    t.same(lines("order"), ["first begins", "first is up", "init runs", "second begins", "main begins"]);
    await kubectl("delete", "pod", "order", "--wait=false");
    await eventually("it has gone", async () => (await get("order")) === undefined, patienceMs);
    const told = lines("order").slice(5);
    t.same(told.slice(0, 2).sort(), ["first preStop", "second preStop"]);
    t.same(told.slice(2), ["main preStop", "main ends", "second ends", "first ends"]);
  });

  await t.test("one that crashes is restarted while an init container goes on", async (t) => {
    const fragile = sidecar(
      actor("fragile", { before: "[ -e /journal/ran ] || { touch /journal/ran; sleep 1; exit 1; };" }),
    );
    await play("crash", {
      initContainers: [fragile, shell("init", wait("fragile begins", 2))],
      containers: [actor("main")],
    });
    const pod = await until("crash", "ready", isReady, patienceMs);
    t.match(initStatus(pod, "fragile"), {
      restartCount: 1,
      started: true,
      lastState: { terminated: { exitCode: 1, reason: "Error" } },
    });
    t.match(initStatus(pod, "init"), { restartCount: 0, state: { terminated: { reason: "Completed" } } });
    await remove("crash");
  });

  await t.test("a failing container restarts, and its sidecar does not", async (t) => {
    await play("failing", {
      initContainers: [sidecar(actor("side"))],
      containers: [shell("main", "exit 1")],
    });
    const again = ({ status }: Pod) => (status?.containerStatuses?.[0]?.restartCount ?? 0) >= 1;
    const pod = await until("failing", "restarted", again, patienceMs);
    t.match(initStatus(pod, "side"), { restartCount: 0, ready: true, state: { running: {} } });
    await eventually("the sidecar begins", async () => lines("failing").length > 0, patienceMs);
    t.same(lines("failing"), ["side begins"]);
    await remove("failing");
  });

  await t.test("a job's pod succeeds though its sidecar runs, and however that ends", async (t) => {
    await play("job", {
      restartPolicy: "Never",
      initContainers: [sidecar(actor("side", { atEnd: "exit 3" }))],
      containers: [shell("main", "echo done >> /journal/lines")],
    });
    const pod = await until(
      "job",
      "ended",
      ({ status }) => status?.phase !== "Pending" && status?.phase !== "Running",
      patienceMs,
    );
    t.equal(pod.status?.phase, "Succeeded");
    t.match(initStatus(pod, "side"), { state: { terminated: { exitCode: 3, reason: "Error" } } });
    t.same(lines("job"), ["side begins", "done", "side ends"]);
  });
});
