// Service rules in a real kernel, written by the real kube-proxy from a real apiserver, each number of Services in a network
// namespace of its own: the first write and one endpoint's change beside what iptables-restore takes by itself for the
// same, and packets through a cluster IP beside those to the pod's own address.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { text as textOf } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { deleteNamespaces, ip } from "@picokube/kube-proxy/ip-command.testing";
import { type Benchmark, type Measurement, measurement } from "./measurement.js";
import type { Raw } from "./raw-restore.js";
import type { RequestFigures, Requests } from "./service-requests.js";

/** What services-in-namespace.ts prints. */
export interface ServicesPicture {
  readonly firstSyncSeconds: number;
  /** CPU seconds of the proxy and of the iptables processes that it ran, for the first write. */
  readonly firstSyncCpuSeconds: number;
  readonly rawFirstSync: Raw;
  readonly changeSeconds: number;
  readonly changeCpuSeconds: number;
  /** Median from the API's change to the rules being there. */
  readonly changeToRulesMs: number;
  readonly rawChange: Raw;
  /** Connections that each endpoint got beside the requests: only where they were asked for. */
  readonly packets?: RequestFigures & { readonly shares: readonly number[] };
}

const sizes = [100, 1_000, 5_000];

async function pictureOf(count: number, variant: string, withPackets: boolean): Promise<ServicesPicture> {
  const name = `bsv${process.pid}`;
  ip("netns", "add", name);
  try {
    const script = fileURLToPath(new URL("./services-in-namespace.js", import.meta.url));
    const args = [name, String(count), variant, withPackets ? "packets" : ""];
    const argv = [`--net=/run/netns/${name}`, process.execPath, script, ...args];
    const child = spawn("nsenter", argv, { stdio: ["ignore", "pipe", "inherit"] });
    const [printed] = await Promise.all([textOf(child.stdout), once(child, "exit")]);
    return JSON.parse(printed) as ServicesPicture;
  } finally {
    deleteNamespaces(name);
  }
}

function rulesOf(count: number, variant: string, picture: ServicesPicture): Measurement[] {
  const { rawFirstSync, rawChange } = picture;
  return [
    measurement({
      name: `first rules of ${count} services × 10 endpoints, iptables ${variant}`,
      value: picture.firstSyncSeconds,
      unit: "s",
      baseline: rawFirstSync.wallMs / 1000,
      against: "iptables-restore of the same rules at once, a minute at most",
      details: {
        "CPU s": picture.firstSyncCpuSeconds,
        "CPU s of the baseline": rawFirstSync.cpuMs / 1000,
        "CPU ms a service": (picture.firstSyncCpuSeconds * 1000) / count,
      },
      target: count === 5_000 ? "< 3 s" : "reported",
    }),
    measurement({
      name: `one endpoint's change among ${count} services, iptables ${variant}`,
      value: picture.changeSeconds * 1000,
      unit: "ms",
      baseline: rawChange.wallMs,
      against: "iptables-restore of one rule beside them",
      details: {
        "until rules are there, median ms": picture.changeToRulesMs,
        "CPU ms": picture.changeCpuSeconds * 1000,
        "CPU ms of the baseline": rawChange.cpuMs,
      },
      target: count === 5_000 ? "< 100 ms; median < 200 ms" : "reported",
    }),
  ];
}

function requestsOf(name: string, figures: Requests): Measurement {
  return {
    ...measurement({
      name: `requests through a cluster IP, ${name}`,
      value: figures.viaPerSecond,
      unit: "/s",
      baseline: figures.directPerSecond,
      against: "the endpoint's own address, on another node",
      details: { "p99 ms": figures.viaP99Ms, "p99 ms of the baseline": figures.directP99Ms },
      target: "≥ 0.95",
    }),
    ratio: figures.ratio,
  };
}

// An even choice is random: with 20,000 connections a share's standard deviation is 2.1 % of even.
function spreadOf(shares: readonly number[]): Measurement {
  const even = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  return measurement({
    name: "largest share of 10 endpoints, 20,000 connections",
    value: Math.max(...shares) / even,
    unit: "of even",
    baseline: 1,
    against: "an even share",
    details: {
      "smallest share": Math.min(...shares) / even,
      "chi-square (even below 16.9, 19 of 20 times)": shares.reduce(
        (sum, share) => sum + (share - even) ** 2 / even,
        0,
      ),
    },
    target: "≤ 1.05",
  });
}

export const serviceRules: Benchmark = {
  name: "services",
  async run(say) {
    const all: Measurement[] = [];
    for (const variant of ["nft", "legacy"])
      for (const count of sizes) {
        say(`${count} services, iptables ${variant}`);
        const picture = await pictureOf(count, variant, all.length === 0);
        all.push(...rulesOf(count, variant, picture));
        if (picture.packets)
          all.push(
            requestsOf("a connection each", picture.packets.newConnections),
            requestsOf("connections kept", picture.packets.keptAlive),
            spreadOf(picture.packets.shares),
          );
      }
    return all;
  },
};
