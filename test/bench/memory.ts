// Resident memory of each process of a small cluster at rest, against a node process that does nothing.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createCluster } from "../e2e/harness/cluster.js";
import { kubectlFor } from "../e2e/harness/kubectl.js";
import { type Benchmark, measurement } from "./measurement.js";

const settleMs = 20_000;

function residentMib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

async function bareNodeMib(): Promise<number> {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6)"]);
  await new Promise((done) => setTimeout(done, 500));
  const mib = residentMib(child.pid!);
  child.kill();
  return mib;
}

export const memory: Benchmark = {
  name: "memory",
  async run(say) {
    const baseline = await bareNodeMib();
    const { cluster, dispose } = await createCluster();
    try {
      const kubectl = kubectlFor(cluster);
      await kubectl.run(["create", "deployment", "web", "--image=nginx", "--replicas=3"]);
      await kubectl.run(["rollout", "status", "deployment/web", "--timeout=90s"]);
      say(`a cluster with three pods settles for ${settleMs / 1000} s`);
      await new Promise((done) => setTimeout(done, settleMs));
      const { components } = JSON.parse(readFileSync(join(cluster.dataDir, "run", "processes.json"), "utf8"));
      return Object.entries(components as Record<string, { process: { pid: number } }>).map(([name, row]) =>
        measurement({
          name: `memory of ${name}`,
          value: residentMib(row.process.pid),
          unit: "MiB",
          baseline,
          against: "bare node",
          target: "≤ 90 MiB",
        }),
      );
    } finally {
      await dispose();
    }
  },
};
