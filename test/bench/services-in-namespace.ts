// The part of the Services benchmark that runs inside a network namespace: `node services-in-namespace.js NAMESPACE COUNT
// VARIANT` prints its figures as JSON.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { services } from "@picokube/api/core/v1";
import { endpointslices } from "@picokube/api/discovery/v1";
import { ip } from "@picokube/kube-proxy/ip-command.testing";
import { type ProxiedNode, podPort, pods, startProxiedNode } from "@picokube/kube-proxy/proxied-node.testing";
import { inParallel, median, timed } from "./measurement.js";
import type { ServicesPicture } from "./services.js";

const [namespace, countText, variant] = process.argv.slice(2) as [string, string, string];
const count = Number(countText);
const endpointsEach = 10;
const changes = 31;

/** Ten addresses of pod a's namespace for the Service that is measured; others' endpoints are never asked. */
const spread = Array.from({ length: endpointsEach }, (_, i) => `10.244.0.${100 + i}`);

function sliceOf(service: string, addresses: readonly string[]) {
  return {
    metadata: { name: service, namespace: "default", labels: { "kubernetes.io/service-name": service } },
    addressType: "IPv4",
    ports: [{ port: podPort, protocol: "TCP", name: "" }],
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  };
}

const addressesOf = (service: number, shift = 0) =>
  Array.from({ length: endpointsEach }, (_, i) => {
    const n = service * endpointsEach + i + (i === 0 ? shift * 60_000 : 0);
    return `10.${128 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;
  });

async function metrics(): Promise<Map<string, number>> {
  const text = await (await fetch("http://127.0.0.1:10249/metrics")).text();
  return new Map(
    text.split("\n").map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

const label = '{ip_family="IPv4"}';
const histogram = (kind: "full" | "partial", what: "sum" | "count") =>
  `kubeproxy_sync_${kind}_proxy_rules_duration_seconds_${what}${label}`;

async function until(check: (now: Map<string, number>) => boolean): Promise<Map<string, number>> {
  for (;;) {
    const now = await metrics().catch(() => new Map<string, number>());
    if (check(now)) return now;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** CPU seconds of a process and of its children that have ended. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}

/** Requests a second with a connection each, from 16 at once, and the 99th percentile. */
async function load(host: string, port: number): Promise<{ rate: number; p99Ms: number }> {
  const times: number[] = [];
  const total = 4_000;
  const wallMs = await timed(() =>
    inParallel(total, 16, async () => {
      times.push(
        await timed(
          () =>
            new Promise<void>((resolve, reject) => {
              const asked = request({ host, port, agent: false }, (response) => {
                response.resume().on("end", resolve);
              });
              asked.on("error", reject).end();
            }),
        ),
      );
    }),
  );
  times.sort((a, b) => a - b);
  return { rate: total / (wallMs / 1000), p99Ms: times[Math.floor(total * 0.99)]! };
}

/** How often each endpoint's chain was taken, by the kernel's own counters. */
async function shares(clusterIp: string): Promise<number[]> {
  await inParallel(20_000, 64, async () => {
    await new Promise<void>((resolve, reject) => {
      const socket = connect(80, clusterIp, () => socket.resetAndDestroy());
      socket.on("close", () => resolve()).on("error", reject);
    });
  });
  const save = execFileSync(`iptables-${variant}-save`, ["-c", "-t", "nat"], { encoding: "utf8", maxBuffer: 1 << 30 });
  return spread.map((address) => {
    const rule = new RegExp(`^\\[(\\d+):\\d+\\] .*DNAT --to-destination ${address.replaceAll(".", "\\.")}:`, "m");
    return Number(rule.exec(save)?.[1] ?? 0);
  });
}

async function measure(node: ProxiedNode): Promise<ServicesPicture> {
  const { client } = node;
  for (const address of spread) ip("-n", `${namespace}-a`, "addr", "add", `${address}/24`, "dev", "eth0");
  const { clusterIP } = await node.service("spread", { ports: [{ port: 80 }] });
  await client.create(endpointslices, sliceOf("spread", spread) as never);
  const { clusterIP: one } = await node.service("one", { ports: [{ port: 80 }] });
  await node.endpoints("one", { a: {} });
  await inParallel(count, 64, async (i) => {
    const name = `s${i}`;
    await client.create(services, {
      metadata: { name, namespace: "default" },
      spec: { ports: [{ port: 80 }] },
    } as never);
    await client.create(endpointslices, sliceOf(name, addressesOf(i)) as never);
  });

  const flags = ["--cluster-cidr=10.244.0.0/16", `--iptables-variant=${variant}`, "--iptables-min-sync-period=0s"];
  const proxy = node.startProxy(...flags);
  await until((now) => now.has("process_cpu_seconds_total"));
  const startCpu = cpuSeconds(proxy.pid!);
  const first = await until((now) => (now.get(histogram("full", "count")) ?? 0) > 0);
  const firstSyncCpuSeconds = cpuSeconds(proxy.pid!) - startCpu;

  const cpuBefore = cpuSeconds(proxy.pid!);
  const untilRules: number[] = [];
  const before = await metrics();
  for (let i = 0; i < changes; i++) {
    const slice = await client.get(endpointslices, { namespace: "default", name: `s${i}` });
    const changed = { ...slice, endpoints: sliceOf("", addressesOf(i, 1)).endpoints };
    const from = node.log().length;
    untilRules.push(
      await timed(async () => {
        await client.update(endpointslices, changed as never);
        // The proxy says so; to ask it for its metrics would be more work than the change.
        while (!/SyncProxyRules complete.*IPv4/.test(node.log().slice(from)))
          await new Promise((resolve) => setTimeout(resolve, 1));
      }),
    );
  }
  const after = await metrics();
  const grown = (what: "sum" | "count") =>
    after.get(histogram("partial", what))! - (before.get(histogram("partial", what)) ?? 0);
  const changeCpuSeconds = (cpuSeconds(proxy.pid!) - cpuBefore) / changes;

  await load(pods.a, podPort);
  const rounds: { via: { rate: number; p99Ms: number }; direct: { rate: number; p99Ms: number } }[] = [];
  for (let i = 0; i < 5; i++) rounds.push({ via: await load(one, 80), direct: await load(pods.a, podPort) });
  const of = (pick: (round: (typeof rounds)[number]) => number) => median(rounds.map(pick));
  const taken = count === 100 ? await shares(clusterIP) : spread.map(() => 1);
  const even = taken.reduce((sum, share) => sum + share, 0) / taken.length;
  return {
    firstSyncSeconds: first.get(histogram("full", "sum"))!,
    firstSyncCpuSeconds,
    changeSeconds: grown("sum") / grown("count"),
    changeCpuSeconds,
    changeToRulesMs: median(untilRules),
    backend: variant,
    viaServicePerSecond: of(({ via }) => via.rate),
    directPerSecond: of(({ direct }) => direct.rate),
    viaServiceP99Ms: of(({ via }) => via.p99Ms),
    directP99Ms: of(({ direct }) => direct.p99Ms),
    largestShare: Math.max(...taken) / even,
    smallestShare: Math.min(...taken) / even,
  };
}

const callbacks: (() => unknown)[] = [];
ip("link", "set", "lo", "up");
try {
  const node = await startProxiedNode({ teardown: (callback) => void callbacks.push(callback) }, namespace);
  console.log(JSON.stringify(await measure(node)));
} finally {
  for (const callback of callbacks.reverse()) await callback();
}
process.exit(0);
