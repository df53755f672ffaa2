// How long `picokube up` takes from nothing to a Ready node, with everything built.

import { createCluster } from "../e2e/harness/cluster.js";
import { type Benchmark, measurement, median, timed } from "./measurement.js";

const runs = 3;

export const upToReady: Benchmark = {
  name: "up-to-ready",
  async run(say) {
    const times: number[] = [];
    const bare: number[] = [];
    for (let i = 0; i < runs; i++) {
      say(`run ${i + 1} of ${runs}`);
      bare.push(await timed(sixBareProcesses));
      let dispose: (() => Promise<void>) | undefined;
      times.push(
        await timed(async () => {
          ({ dispose } = await createCluster());
        }),
      );
      await dispose?.();
    }
    return [
      measurement({
        name: "picokube up to Ready",
        value: median(times) / 1000,
        unit: "s",
        baseline: median(bare) / 1000,
        against: "six empty node processes",
        target: "≤ 5 s",
      }),
    ];
  },
};

async function sixBareProcesses(): Promise<void> {
  const { spawn } = await import("node:child_process");
  await Promise.all(
    Array.from({ length: 6 }, () => new Promise((done) => spawn(process.execPath, ["-e", "0"]).once("exit", done))),
  );
}
