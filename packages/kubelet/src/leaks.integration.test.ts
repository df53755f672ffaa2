// What thirty pods leave behind on the host and in the kubelet when they are gone: nothing. Counts, never guesses.

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { configmaps, type Pod, pods } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { eventually, isReady, podsOf, run, sleeper, startKubelet } from "./kubelet.testing.js";

const bridge = "picotest21";
const rounds = 3;
const perRound = 10;

const filesBelow = (directory: string) =>
  (readdirSync(directory, { recursive: true }) as string[])
    // Where the search for the next free address goes on.
    .filter((path) => !path.endsWith("last_reserved_ip"))
    .sort();

/** How many descriptors the process has of each kind. Without the idle connections to the apiserver, of which the pool
 * keeps as many as were once needed at a time. */
async function descriptors(pid: number, apiserver: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    let target: string;
    try {
      target = readlinkSync(`/proc/${pid}/fd/${descriptor}`).replace(/:\[\d+\]$/, "");
    } catch {
      continue;
    }
    counts[target] = (counts[target] ?? 0) + 1;
  }
  const filter = ["-Htnp", "state", "established", `( dport = :${new URL(apiserver).port} )`];
  const pooled = (await run("ss", filter)).stdout.split("\n").filter((line) => line.includes(`pid=${pid},`)).length;
  return { ...counts, socket: (counts.socket ?? 0) - pooled };
}

/** Cgroup folders of these pods in any hierarchy. */
async function cgroupsOf(uids: readonly string[]): Promise<string[]> {
  const { stdout } = await run("find", ["/sys/fs/cgroup", "-type", "d", "-name", "pod*"], { maxBuffer: 1e8 });
  return stdout.split("\n").filter((path) => uids.some((uid) => path.includes(uid)));
}

const spec = (index: number): Partial<Pod["spec"] & object> => {
  // A busy machine may take long for an exec.
  const probe = { exec: { command: ["true"] }, periodSeconds: 1, timeoutSeconds: 20 };
  return {
    terminationGracePeriodSeconds: 2,
    containers: [
      {
        ...sleeper(),
        resources: { limits: { memory: "32Mi", cpu: "500m" }, requests: { memory: "1Mi", cpu: "1m" } },
        readinessProbe: probe,
        livenessProbe: { tcpSocket: { port: 1 }, periodSeconds: 1, failureThreshold: 100 },
        ...(index === 0 ? { ports: [{ containerPort: 80, hostPort: 38_081 }] } : {}),
        volumeMounts: [
          { name: "memory", mountPath: "/memory" },
          { name: "disk", mountPath: "/disk", subPath: "inner" },
          { name: "settings", mountPath: "/settings" },
        ],
      },
      { ...sleeper("second"), lifecycle: { preStop: { exec: { command: ["true"] } } } },
    ],
    volumes: [
      { name: "memory", emptyDir: { medium: "Memory" } },
      { name: "disk", emptyDir: {} },
      { name: "settings", configMap: { name: "settings" } },
    ],
  };
};

test("thirty pods leave nothing", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { create, until, get, kubectl } = await podsOf(server);
  await server.client.create(configmaps, { metadata: { name: "settings", namespace: "default" }, data: { k: "v" } });
  const kubelet = await startKubelet(t, server, { bridge, subnet: 21 });
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")));

  const everything = async () => ({
    containers: (await kubelet.containers()).map(({ Names }) => Names),
    links: (await run("ip", ["-o", "link", "show", "master", bridge])).stdout,
    leases: readdirSync(join(kubelet.rootDir, "network", bridge)).filter((name) => name !== "last_reserved_ip"),
    mounts: readFileSync("/proc/mounts", "utf8")
      .split("\n")
      .filter((line) => line.includes(kubelet.rootDir)),
    files: filesBelow(kubelet.rootDir).filter((path) => !path.startsWith("network/")),
    rules: (await run("iptables-save")).stdout.split("\n").filter((line) => line.includes(bridge)),
  });
  const round = async (number: number): Promise<string[]> => {
    const names = Array.from({ length: perRound }, (_, index) => `leak-${number}-${index}`);
    const made = await Promise.all(names.map((name, index) => create(name, spec(index))));
    await Promise.all(names.map((name) => until(name, "ready", isReady, 90_000)));
    await Promise.all(names.map((name) => server.client.delete(pods, { name, namespace: "default" })));
    for (const name of names) {
      await eventually(`${name} is gone`, async () => (await get(name)) === undefined, 90_000);
    }
    return made.map(({ metadata }) => metadata.uid);
  };

  // One pod first: what is made once and kept (bridge, cgroups of classes, connections) is no leak.
  await create("first", spec(0));
  await until("first", "ready", isReady, 60_000);
  await server.client.delete(pods, { name: "first", namespace: "default" });
  await eventually("the first pod is gone", async () => (await kubelet.containers()).length === 0);
  const before = await eventually("all of it is gone", async () => {
    const found = await everything();
    // A pod's log files are the last to go.
    const logs = found.files.filter((path) => path.startsWith("log/pods/"));
    return found.leases.length + found.links.length + found.mounts.length + logs.length === 0 && found;
  });
  const descriptorsBefore = await descriptors(kubelet.pid, server.url);
  const timers = async () => {
    const metrics = await kubectl("get", "--raw", "/api/v1/nodes/node-1/proxy/metrics");
    return Number(/^nodejs_active_resources\{type="Timeout"\} (\d+)$/m.exec(metrics)?.[1]);
  };
  const timersBefore = await timers();

  const uids: string[] = [];
  for (let number = 0; number < rounds; number++) uids.push(...(await round(number)));
  await eventually("no containers", async () => (await kubelet.containers()).length === 0);
  const same = async () => JSON.stringify(await everything()) === JSON.stringify(before);
  await eventually("the host is as before", same).catch(() => undefined);
  t.same(await everything(), before);
  t.same(await cgroupsOf(uids), []);
  t.match(before.rules.join("\n"), "PICO-HPORTS");

  const grown = async () => {
    const now = await descriptors(kubelet.pid, server.url);
    return Object.entries(now).filter(([target, count]) => count > (descriptorsBefore[target] ?? 0));
  };
  await eventually("descriptors are as before", async () => (await grown()).length === 0).catch(() => undefined);
  // Requests that happen to be under way have timers too; a timer a pod would be thirty.
  const timersAfter = await timers();
  t.ok(timersAfter < timersBefore + perRound, `timers before and after: ${timersBefore}, ${timersAfter}`);
  t.same(await grown(), [], JSON.stringify(descriptorsBefore));

  // A pod that has ended keeps its log files, and --cleanup finds them.
  await create("ended", { restartPolicy: "Never", containers: [{ name: "c", image: "busybox", command: ["true"] }] });
  await until("ended", "has ended", ({ status }) => status?.phase === "Succeeded", 60_000);
  const logs = join(kubelet.rootDir, "log");
  await eventually("its log file", async () => filesBelow(logs).some((path) => path.endsWith("0.log")));
  t.equal(await kubelet.stop(), 0);
  await kubelet.cleanup();
  t.same(filesBelow(logs), ["containers", "pods"]);
});
