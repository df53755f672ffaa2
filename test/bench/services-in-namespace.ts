// The part of the Services benchmark that runs inside a network namespace: `node services-in-namespace.js NAMESPACE COUNT
// VARIANT` prints its figures as JSON.

import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { services } from "@picokube/api/core/v1";
import { endpointslices } from "@picokube/api/discovery/v1";
import { ip } from "@picokube/kube-proxy/ip-command.testing";
import { outsideIp, type ProxiedNode, podPort, startProxiedNode } from "@picokube/kube-proxy/proxied-node.testing";
import { inParallel, median, timed } from "./measurement.js";
import { rawChange, rawFirstSync } from "./raw-restore.js";
import type { RequestFigures } from "./service-requests.js";
import type { ServicesPicture } from "./services.js";

const [namespace, countText, variant, withPackets] = process.argv.slice(2) as [string, string, string, string];
const count = Number(countText);
const endpointsEach = 10;
const changes = 21;
/** Two servers beyond the node, as pods of another node are: packets to them are routed with and without a Service. */
const requestPorts = [9_090, 9_091] as const;

/** Ten addresses of pod a's namespace for the Service whose spread is measured; others' endpoints are never asked. */
const spread = Array.from({ length: endpointsEach }, (_, i) => `10.244.0.${100 + i}`);

function sliceOf(service: string, addresses: readonly string[], port = podPort) {
  return {
    metadata: { name: service, namespace: "default", labels: { "kubernetes.io/service-name": service } },
    addressType: "IPv4",
    ports: [{ port, protocol: "TCP", name: "" }],
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
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** CPU seconds of a process and of its children that have ended. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}

async function measureRules(node: ProxiedNode): Promise<Omit<ServicesPicture, "packets">> {
  const { client } = node;
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
  return {
    firstSyncSeconds: first.get(histogram("full", "sum"))!,
    firstSyncCpuSeconds,
    rawFirstSync: await rawFirstSync(`${namespace}-raw`, variant),
    changeSeconds: grown("sum") / grown("count"),
    changeCpuSeconds: (cpuSeconds(proxy.pid!) - cpuBefore) / changes,
    changeToRulesMs: median(untilRules),
    rawChange: await rawChange(variant),
  };
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

interface Measured {
  readonly spreadIp: string;
  /** Cluster IP and port of a Service, then the address of another one's only endpoint. */
  readonly pairs: readonly string[];
}

/** Services whose packets are measured. */
async function measuredServices(node: ProxiedNode): Promise<Measured> {
  for (const address of spread) ip("-n", `${namespace}-a`, "addr", "add", `${address}/24`, "dev", "eth0");
  const { clusterIP: spreadIp } = await node.service("spread", { ports: [{ port: 80 }] });
  await node.client.create(endpointslices, sliceOf("spread", spread) as never);
  const pairs: string[] = [];
  for (const port of requestPorts) {
    const { clusterIP } = await node.service(`of-${port}`, { ports: [{ port: 80 }] });
    await node.client.create(endpointslices, sliceOf(`of-${port}`, [outsideIp], port) as never);
    pairs.push(`${clusterIP}:80`, `${outsideIp}:${port}`);
  }
  // Each Service beside the other one's server: of both ways no port is used twice.
  return { spreadIp, pairs: [pairs[0]!, pairs[3]!, pairs[2]!, pairs[1]!] };
}

async function measurePackets({ spreadIp, pairs }: Measured): Promise<ServicesPicture["packets"]> {
  const script = fileURLToPath(new URL("./service-requests.js", import.meta.url));
  const inNamespace = (name: string, ...args: readonly string[]) =>
    [`--net=/run/netns/${namespace}-${name}`, process.execPath, script, ...args] as const;
  const servers = requestPorts.map((port) =>
    spawn("nsenter", inNamespace("outside", "serve", String(port)), { stdio: ["ignore", "pipe", "inherit"] }),
  );
  try {
    await Promise.all(servers.map(({ stdout }) => once(stdout, "data")));
    const { stdout } = await promisify(execFile)("nsenter", inNamespace("c", "ask", ...pairs));
    return { ...(JSON.parse(stdout) as RequestFigures), shares: await shares(spreadIp) };
  } finally {
    for (const server of servers) server.kill();
  }
}

async function measure(node: ProxiedNode): Promise<ServicesPicture> {
  const { client } = node;
  const measured = await measuredServices(node);
  await inParallel(count, 64, async (i) => {
    const name = `s${i}`;
    await client.create(services, {
      metadata: { name, namespace: "default" },
      spec: { ports: [{ port: 80 }] },
    } as never);
    await client.create(endpointslices, sliceOf(name, addressesOf(i)) as never);
  });
  const rules = await measureRules(node);
  return { ...rules, ...(withPackets ? { packets: await measurePackets(measured) } : {}) };
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
