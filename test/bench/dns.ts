// The cluster's DNS server against dnsmasq on the same host: answers a second for 1,000 Services from memory, and for names
// outside that both have asked another resolver for and kept. CPU time is told beside it: it says more on a busy machine.

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
        "--max-semi-space-size=8",
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
      const names = [...addresses.keys()];
      const others = Array.from({ length: outsideCount }, (_, i) => `host-${i}.example.test`);
      return [
        await compare("DNS answers, Services", { own, baseline, names, say }),
        await compare("DNS answers, kept ones of others", { own, baseline, names: others, say }),
      ];
    } finally {
      for (const callback of callbacks.reverse()) await callback();
    }
  },
};

async function compare(
  name: string,
  { own, baseline, names, say }: { own: Server; baseline: Server; names: readonly string[]; say(text: string): void },
): Promise<Measurement> {
  say(name);
  const [ours, theirs]: [DnsLoad[], DnsLoad[]] = [[], []];
  const cpu = { own: 0, baseline: 0 };
  // Both know all names by then.
  for (const { port } of [own, baseline]) await dnsLoad({ port, names, count: 2 * names.length });
  for (let round = 0; round < rounds; round++)
    for (const [server, results, who] of [
      [own, ours, "own"],
      [baseline, theirs, "baseline"],
    ] as const) {
      const before = cpuSeconds(server.pid);
      results.push(await dnsLoad({ port: server.port, names, count: queries }));
      cpu[who] += cpuSeconds(server.pid) - before;
    }
  const perMillion = (seconds: number) => (seconds / (rounds * queries)) * 1e6;
  return measurement({
    name,
    value: median(ours.map(({ perSecond }) => perSecond)),
    unit: "/s",
    baseline: median(theirs.map(({ perSecond }) => perSecond)),
    against: "dnsmasq",
    details: {
      "p99 ms": median(ours.map(({ p99Ms }) => p99Ms)),
      "p99 ms of dnsmasq": median(theirs.map(({ p99Ms }) => p99Ms)),
      "CPU s for a million": perMillion(cpu.own),
      "CPU s of dnsmasq": perMillion(cpu.baseline),
    },
    target: "reported",
  });
}

// In user and in kernel mode.
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
