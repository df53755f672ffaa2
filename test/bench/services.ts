// Service rules in a real kernel, written by the real kube-proxy from a real apiserver, each number of Services in a network
// namespace of its own: the first write, one endpoint's change, and packets through a cluster IP against the pod's own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { text as textOf } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { deleteNamespaces, ip } from "@picokube/kube-proxy/ip-command.testing";
import { type Benchmark, type Measurement, measurement } from "./measurement.js";

/** What services-in-namespace.ts prints. */
export interface ServicesPicture {
  readonly firstSyncSeconds: number;
  /** CPU seconds of the proxy and of the iptables processes that it ran, for the first write. */
  readonly firstSyncCpuSeconds: number;
  readonly changeSeconds: number;
  readonly changeCpuSeconds: number;
  readonly changeToRulesMs: number;
  readonly backend: string;
  readonly viaServicePerSecond: number;
  readonly directPerSecond: number;
  readonly viaServiceP99Ms: number;
  readonly directP99Ms: number;
  /** The largest share of an endpoint, over the even one: 1.05 is 5 % too many. */
  readonly largestShare: number;
  readonly smallestShare: number;
}

const few = 100;
const sizes = [few, 1_000, 5_000];

async function pictureOf(count: number, variant: string): Promise<ServicesPicture> {
  const name = `bsv${process.pid}`;
  ip("netns", "add", name);
  try {
    const script = fileURLToPath(new URL("./services-in-namespace.js", import.meta.url));
    const argv = [`--net=/run/netns/${name}`, process.execPath, script, name, String(count), variant];
    const child = spawn("nsenter", argv, { stdio: ["ignore", "pipe", "inherit"] });
    const [printed] = await Promise.all([textOf(child.stdout), once(child, "exit")]);
    return JSON.parse(printed) as ServicesPicture;
  } finally {
    deleteNamespaces(name);
  }
}

function rulesOf(variant: string, pictures: ReadonlyMap<number, ServicesPicture>): Measurement[] {
  const small = pictures.get(few)!;
  return [...pictures].flatMap(([count, picture]) => [
    measurement({
      name: `first rules of ${count} services × 10 endpoints, iptables ${variant}`,
      value: picture.firstSyncSeconds,
      unit: "s",
      baseline: small.firstSyncSeconds * (count / few),
      against: `${few} services, ${count / few} times`,
      details: { "CPU s": picture.firstSyncCpuSeconds },
      target: count === 5_000 ? "< 3 s" : "reported",
    }),
    measurement({
      name: `one endpoint's change among ${count} services, iptables ${variant}`,
      value: picture.changeSeconds * 1000,
      unit: "ms",
      baseline: small.changeSeconds * 1000,
      against: `among ${few}`,
      details: {
        "until rules are there, median ms": picture.changeToRulesMs,
        "CPU ms": picture.changeCpuSeconds * 1000,
      },
      target: count === 5_000 ? "< 100 ms; median < 200 ms" : "reported",
    }),
  ]);
}

function packetsOf({ viaServicePerSecond, directPerSecond, ...picture }: ServicesPicture): Measurement[] {
  return [
    measurement({
      name: "requests through a cluster IP, a connection each",
      value: viaServicePerSecond,
      unit: "/s",
      baseline: directPerSecond,
      against: "the pod's own address",
      details: { "p99 ms": picture.viaServiceP99Ms, "p99 ms of the baseline": picture.directP99Ms },
      target: "≥ 0.95",
    }),
    measurement({
      name: "largest share of 10 endpoints, 20,000 connections",
      value: picture.largestShare,
      unit: "of even",
      baseline: 1,
      against: "an even share",
      details: { "smallest share": picture.smallestShare },
      target: "≤ 1.05",
    }),
  ];
}

export const serviceRules: Benchmark = {
  name: "services",
  async run(say) {
    const all: Measurement[] = [];
    for (const variant of ["nft", "legacy"]) {
      const pictures = new Map<number, ServicesPicture>();
      for (const count of sizes) {
        say(`${count} services, iptables ${variant}`);
        pictures.set(count, await pictureOf(count, variant));
      }
      all.push(...rulesOf(variant, pictures), ...(variant === "nft" ? packetsOf(pictures.get(few)!) : []));
    }
    return all;
  },
};
