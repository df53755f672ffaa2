// What a local VM costs: how long `picokube node add` takes to a Ready node, and the memory of all that runs for it.

import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createCluster, runPicokube, type TestCluster } from "../e2e/harness/cluster.js";
import { type Benchmark, measurement, median, timed } from "./measurement.js";

const runs = 3;
const settleMs = 15_000;

export const localVm: Benchmark = {
  name: "local-vm",
  async run(say) {
    const { cluster, dispose } = await createCluster();
    try {
      const times: number[] = [];
      const bare: number[] = [];
      for (let i = 0; i < runs; i++) {
        say(`VM ${i + 1} of ${runs}`);
        bare.push(await timed(emptyNode));
        times.push(await timed(() => runPicokube(["node", "add"], { dataDir: cluster.dataDir })));
      }
      say(`${runs} VMs settle for ${settleMs / 1000} s`);
      await new Promise((done) => setTimeout(done, settleMs));
      const held = ["node-2", "node-3", "node-4"].map((name) => memoryOf(cluster, name));
      const idle = spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6)"]);
      await new Promise((done) => setTimeout(done, 500));
      const baseline = memoryMib(idle.pid!).own;
      idle.kill();
      return [
        measurement({
          name: "picokube node add to Ready",
          value: median(times) / 1000,
          unit: "s",
          baseline: median(bare) / 1000,
          against: "an empty node process",
          target: "≤ 5 s",
        }),
        measurement({
          name: "memory of a local VM",
          value: median(held.map(({ own }) => own)),
          unit: "MiB",
          baseline,
          against: "bare node",
          target: "≤ 250 MiB",
          details: { "MiB, shared pages counted for each process": median(held.map(({ resident }) => resident)) },
        }),
      ];
    } finally {
      await dispose();
    }
  },
};

function emptyNode(): Promise<unknown> {
  return new Promise((done) => spawn(process.execPath, ["-e", "0"]).once("exit", done));
}

/** Its supervisor, and everything in its network namespace: engine, containerd, kubelet, kube-proxy. */
function memoryOf({ dataDir }: TestCluster, name: string) {
  const directory = join(dataDir, "vms", name);
  const pids = readdirSync("/proc").filter((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      const command = readFileSync(`/proc/${entry}/cmdline`, "utf8").replaceAll("\0", " ");
      return command.includes(`${directory}/`) || command.includes(`supervise --data-dir=${dataDir} --node=${name} `);
    } catch {
      return false;
    }
  });
  const all = pids.map((pid) => memoryMib(Number(pid)));
  const sum = (of: (each: { own: number; resident: number }) => number) =>
    all.reduce((total, each) => total + of(each), 0);
  return { own: sum(({ own }) => own), resident: sum(({ resident }) => resident) };
}

/** Own: pages shared by n processes count as an n-th each. */
function memoryMib(pid: number): { own: number; resident: number } {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) / 1024;
    return { own: field("Pss"), resident: field("Rss") };
  } catch {
    return { own: 0, resident: 0 };
  }
}
