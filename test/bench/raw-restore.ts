// What iptables-restore takes by itself for the rules that a namespace holds: the baselines of the Services benchmark.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { ip } from "@picokube/kube-proxy/ip-command.testing";
import { median, timed } from "./measurement.js";

export interface Raw {
  readonly wallMs: number;
  /** CPU time of the process. */
  readonly cpuMs: number;
}

/** iptables-restore of the nft kind takes minutes for thousands of chains at once: it is ended after so long. */
const patienceMs = 60_000;
const changes = 11;

/** CPU time of our own children that have ended. */
function childrenMs(): number {
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

async function restore(command: readonly string[], input: string): Promise<Raw> {
  const before = childrenMs();
  const wallMs = await timed(async () => {
    const [name, ...args] = command;
    const child = spawn(name!, args, { stdio: ["pipe", "inherit", "inherit"], timeout: patienceMs });
    // Ended too early it takes no more.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    await once(child, "exit");
  });
  return { wallMs, cpuMs: childrenMs() - before };
}

/** The whole nat table of this namespace, restored at once in an empty one of the given name. */
export async function rawFirstSync(namespace: string, variant: string): Promise<Raw> {
  const rules = execFileSync(`iptables-${variant}-save`, ["-t", "nat"], { encoding: "utf8", maxBuffer: 1 << 30 });
  ip("netns", "add", namespace);
  try {
    return await restore(["nsenter", `--net=/run/netns/${namespace}`, `iptables-${variant}-restore`], rules);
  } finally {
    ip("netns", "delete", namespace);
  }
}

/** The smallest change: one rule of a chain that nothing leads to, beside all that this namespace holds. */
export async function rawChange(variant: string): Promise<Raw> {
  const input = "*nat\n:BENCH - [0:0]\n-A BENCH -j MARK --or-mark 0x4000\nCOMMIT\n";
  const all: Raw[] = [];
  for (let i = 0; i < changes; i++) all.push(await restore([`iptables-${variant}-restore`, "--noflush"], input));
  return {
    wallMs: median(all.map(({ wallMs }) => wallMs)),
    cpuMs: all.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / changes,
  };
}
