// The cluster's DNS server against dnsmasq on the same host: answers a second for 1,000 Services from memory, and for names
// outside that both have asked another resolver for and kept. CPU time is told beside it: it says more on a busy machine. So
// is a bare Node.js socket that answers without looking: what lies between it and dnsmasq is Node.js's, the rest is ours.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { services } from "@picokube/api/core/v1";
import { freePort, startApiServer } from "@picokube/testing/apiserver";
import { type DnsLoad, dnsLoad } from "./dns-load.js";
import { type Benchmark, inParallel, type Measurement, measurement, median } from "./measurement.js";

const serviceCount = 1_000;
const outsideCount = 500;
const queries = 60_000;
const rounds = 5;
const ticksPerSecond = 100;
// As `picokube up` starts cluster-dns.
const youngGeneration = "--max-semi-space-size=8";
const bareSocket = fileURLToPath(new URL("bare-datagrams.js", import.meta.url));
const ownExecutable = fileURLToPath(new URL("../../../packages/cluster-dns/bin/cluster-dns.js", import.meta.url));

interface Server {
  readonly port: number;
  readonly pid: number;
}

export const dns: Benchmark = {
  name: "dns",
  async run(say) {
    const callbacks: (() => unknown)[] = [];
    const directory = mkdtempSync(join(tmpdir(), "picokube-bench-dns-"));
    callbacks.push(() => rmSync(directory, { recursive: true, force: true }));

    function run(command: string, argv: readonly string[]): number {
      const child: ChildProcess = spawn(command, argv, { stdio: ["ignore", "ignore", "inherit"] });
      callbacks.push(async () => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exited = once(child, "exit");
        child.kill();
        await exited;
      });
      return child.pid!;
    }

    async function dnsmasq(flags: readonly string[]): Promise<Server> {
      const port = await freePort();
      const common = ["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root"];
      const place = [
        `--port=${port}`,
        "--listen-address=127.0.0.1",
        "--bind-interfaces",
        `--pid-file=${join(directory, `${port}.pid`)}`,
      ];
      return { port, pid: run("dnsmasq", [...common, ...place, ...flags]) };
    }

    try {
      const apiServer = await startApiServer({ teardown: (callback) => callbacks.push(callback) });
      say(`${serviceCount} Services`);
      const addresses = new Map<string, string>();
      await inParallel(serviceCount, 8, async (i) => {
        const metadata = { name: `service-${i}`, namespace: "default" };
        const service = await apiServer.client.create(services, { metadata, spec: { ports: [{ port: 80 }] } });
        addresses.set(`service-${i}.default.svc.cluster.local`, service.spec!.clusterIP!);
      });
      const hosts = join(directory, "hosts");
      writeFileSync(hosts, [...addresses].map(([name, ip]) => `${ip} ${name}\n`).join(""));
      const outside = await dnsmasq(["--address=/example.test/203.0.113.7", "--local-ttl=3600"]);
      const baseline = await dnsmasq([
        `--addn-hosts=${hosts}`,
        "--local-ttl=30",
        "--cache-size=10000",
        `--server=127.0.0.1#${outside.port}`,
      ]);
      const port = await freePort();
      const resolvConf = join(directory, "resolv.conf");
      writeFileSync(resolvConf, "");
      const pid = run(process.execPath, [
        youngGeneration,
        ...(process.env.PICOKUBE_BENCH_NODE_FLAGS?.split(" ") ?? []),
        ownExecutable,
        `--kubeconfig=${apiServer.as("cluster-dns").kubeconfig}`,
        "--bind-address=127.0.0.1",
        `--port=${port}`,
        `--health-port=${await freePort()}`,
        `--resolv-conf=${resolvConf}`,
        `--stub-domains=example.test=127.0.0.1:${outside.port}`,
        "--cache-ttl=3600",
      ]);
      const own = { port, pid };
      const barePort = await freePort();
      const bare = { port: barePort, pid: run(process.execPath, [youngGeneration, bareSocket, String(barePort)]) };
      const names = [...addresses.keys()];
      const others = Array.from({ length: outsideCount }, (_, i) => `host-${i}.example.test`);
      return [
        await compare("DNS answers, Services", { own, baseline, bare, names, say }),
        await compare("DNS answers, kept ones of others", { own, baseline, bare, names: others, say }),
      ];
    } finally {
      for (const callback of callbacks.reverse()) await callback();
    }
  },
};

interface Comparison {
  readonly own: Server;
  readonly baseline: Server;
  readonly bare: Server;
  readonly names: readonly string[];
  say(text: string): void;
}

async function compare(name: string, { own, baseline, bare, names, say }: Comparison): Promise<Measurement> {
  say(name);
  const servers = [own, baseline, bare].map(({ port, pid }) => ({ port, pid, loads: [] as DnsLoad[], cpu: 0 }));
  // All know all names by then.
  for (const { port } of servers) await dnsLoad({ port, names, count: 2 * names.length });
  for (let round = 0; round < rounds; round++)
    for (const server of servers) {
      const before = cpuSeconds(server.pid);
      server.loads.push(await dnsLoad({ port: server.port, names, count: queries }));
      server.cpu += cpuSeconds(server.pid) - before;
    }
  const [ours, theirs, least] = servers.map(({ loads, cpu }) => ({
    perSecond: median(loads.map(({ perSecond }) => perSecond)),
    p99Ms: median(loads.map(({ p99Ms }) => p99Ms)),
    cpuPerMillion: (cpu / (rounds * queries)) * 1e6,
  })) as [Figures, Figures, Figures];
  return measurement({
    name,
    value: ours.perSecond,
    unit: "/s",
    baseline: theirs.perSecond,
    against: "dnsmasq",
    details: {
      "p99 ms": ours.p99Ms,
      "p99 ms of dnsmasq": theirs.p99Ms,
      "CPU s for a million": ours.cpuPerMillion,
      "of dnsmasq": theirs.cpuPerMillion,
      "of a bare Node.js socket": least.cpuPerMillion,
      "answers for dnsmasq's CPU time": theirs.cpuPerMillion / ours.cpuPerMillion,
      "answers a second of a bare socket": least.perSecond,
      "ratio to it": ours.perSecond / least.perSecond,
    },
    target: "≥ 0.8",
  });
}

interface Figures {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly cpuPerMillion: number;
}

// In user and in kernel mode.
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
