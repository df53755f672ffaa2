// Pods that do not end as they are asked to, and one that takes all it can get: each shows what upstream would show, holds
// up no other, and leaves nothing.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Pod, pods } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { isReady, podsOf, startKubelet } from "./kubelet.testing.js";
import { cgroupsOf, tracesOf } from "./traces.testing.js";

const bridge = "picotest64";
const patienceMs = 120_000;
const maxPids = 30;
const finalizer = "example.com/looked-at";

const shell = (...lines: string[]) => ({
  image: "busybox",
  imagePullPolicy: "Never" as const,
  command: ["sh", "-c", lines.join("\n")],
});
const data = { volumes: [{ name: "data", emptyDir: {} }] };
const volumeMounts = [{ name: "data", mountPath: "/data" }];

test("pods that will not end, and one that forks", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { client } = server;
  const { create, until, get, kubectl, eventsOf, remove } = await podsOf(server);
  const kubelet = await startKubelet(t, server, { bridge, subnet: 64, flags: [`--pod-max-pids=${maxPids}`] });
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")), patienceMs);
  const isGone = (name: string) => eventually(`${name} is gone`, async () => !(await get(name)), patienceMs);
  await create("first", { containers: [{ ...shell("exit 0"), name: "c" }] });
  const hasRun = ({ status }: Pod) => status?.containerStatuses?.[0]?.containerID;
  await until("first", "has run", hasRun, patienceMs);
  await remove("first");
  const isFree = async () => (await tracesOf(kubelet, bridge)).containers.length === 0;
  await eventually("nothing runs", isFree, patienceMs);
  const before = await tracesOf(kubelet, bridge);
  const uids: string[] = [];

  await t.test("a container that ignores SIGTERM is killed when its grace is over", async (t) => {
    const deaf = {
      ...shell("trap 'echo SIGTERM >> /data/heard' TERM", "echo here >> /data/heard", "while true; do sleep 0.1; done"),
      name: "deaf",
      volumeMounts,
    };
    const { metadata } = await create("deaf", { ...data, terminationGracePeriodSeconds: 3, containers: [deaf] });
    uids.push(metadata.uid);
    const heard = join(kubelet.rootDir, "pods", metadata.uid, "volumes", "kubernetes.io~empty-dir", "data", "heard");
    const hears = async (word: string) => existsSync(heard) && readFileSync(heard, "utf8").includes(word);
    await eventually("it listens", () => hears("here"), patienceMs);
    // So that its end can be looked at.
    const name = { name: "deaf", namespace: "default" };
    await client.patch(pods, name, { metadata: { finalizers: [finalizer] } }, { type: "merge" });
    await client.delete(pods, name);
    await eventually("it is asked first", () => hears("SIGTERM"), patienceMs);
    const ended = (pod: Pod) => pod.status?.containerStatuses?.[0]?.state?.terminated;
    const pod = await until("deaf", "has ended", ended, patienceMs);
    t.match(ended(pod), { exitCode: 137, reason: "Error" });
    const failed = await until("deaf", "its phase", ({ status }) => status?.phase === "Failed", patienceMs);
    const askedAt = Date.parse(failed.metadata.deletionTimestamp!) - 3000;
    t.ok(Date.parse(ended(failed)!.finishedAt!) >= askedAt + 2000, "it had its grace");
    t.match(await eventsOf("deaf"), "Killing: Stopping container deaf");
    await client.patch(pods, name, { metadata: { finalizers: null } }, { type: "merge" });
    await isGone("deaf");
  });

  await t.test("one whose liveness fails is killed all the same, and started again", async (t) => {
    const never = { exec: { command: ["false"] }, periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 30 };
    const deaf = { ...shell("trap '' TERM", "while true; do sleep 0.1; done"), name: "deaf", livenessProbe: never };
    const { metadata } = await create("sick", { terminationGracePeriodSeconds: 2, containers: [deaf] });
    uids.push(metadata.uid);
    const isAgain = ({ status }: Pod) => status?.containerStatuses?.[0]?.restartCount;
    const pod = await until("sick", "is started again", isAgain, patienceMs);
    t.match(pod.status?.containerStatuses?.[0]?.lastState?.terminated, { exitCode: 137, reason: "Error" });
    t.match(await eventsOf("sick"), "Killing: Container deaf failed liveness probe, will be restarted");
    await remove("sick");
  });

  await t.test("a pod that forks gets to its limit, and no other pod feels it", async (t) => {
    const forks = {
      ...shell(
        "trap 'exit 0' TERM",
        "mkfifo /wait",
        // What has no more forks ends; the shell itself needs none to wait.
        "(while true; do sleep 3600 & done) 2>/data/said",
        "echo full >> /data/said",
        "while true; do read x <>/wait; done",
      ),
      name: "forks",
      volumeMounts,
    };
    const made = await create("forks", { ...data, containers: [forks] });
    await create("calm", { containers: [{ ...shell("trap 'exit 0' TERM", "sleep 3600 & wait"), name: "c" }] });
    const { uid } = made.metadata;
    const said = join(kubelet.rootDir, "pods", uid, "volumes", "kubernetes.io~empty-dir", "data", "said");
    const isFull = async () => existsSync(said) && readFileSync(said, "utf8").includes("full");
    await eventually("it has all it can get", isFull, patienceMs);
    t.match(readFileSync(said, "utf8"), "can't fork: Resource temporarily unavailable");
    const [folder] = (await cgroupsOf([uid])).filter((path) => existsSync(join(path, "pids.max")));
    t.equal(Number(readFileSync(join(folder!, "pids.max"), "utf8")), maxPids);
    t.ok(Number(readFileSync(join(folder!, "pids.current"), "utf8")) >= maxPids - 2);
    const pod = await until("forks", "it runs on", isReady, patienceMs);
    t.equal(pod.status?.containerStatuses?.[0]?.restartCount, 0);
    await until("calm", "ready", isReady, patienceMs);
    t.equal(await kubectl("exec", "calm", "--", "echo", "fine"), "fine\n");
    uids.push(uid, (await get("calm"))!.metadata.uid);
    await Promise.all([remove("forks"), remove("calm")]);
  });

  await t.test("nothing of them is left", async (t) => {
    const same = async () => JSON.stringify(await tracesOf(kubelet, bridge)) === JSON.stringify(before);
    await eventually("the host is as before", same, patienceMs).catch((error: Error) => t.comment(error.message));
    t.same(await tracesOf(kubelet, bridge), before);
    t.same(await cgroupsOf(uids), []);
    t.equal(uids.length, 4);
  });
});
