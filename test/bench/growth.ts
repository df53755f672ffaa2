// How rates change when a hundred times as much is stored: each write and each read of bounded size should not notice,
// a list of everything should take a hundred times as long. The baseline is the same server with 1,000 pods.
// And how much memory a stored object takes, against the bytes that it is.

import { readFileSync } from "node:fs";
import { type ApiServer, startApiServerWithPods } from "./api-server.js";
import { openConnection, type Request } from "./connection.js";
import { type Load, type Subject, underLoad } from "./load.js";
import { type Benchmark, type Measurement, measurement, timed } from "./measurement.js";
import { boundedReads } from "./reads.js";
import { writeSubjects } from "./writes.js";

const few = 1_000;
const many = 100_000;
const clients = 32;
const path = "/api/v1/pods";

interface Picture {
  readonly loads: { readonly [name: string]: Load };
  /** Milliseconds of the fastest list of everything. */
  readonly listMs: number;
  readonly listBytes: number;
  readonly residentBytes: number;
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

async function pictureOf(server: ApiServer): Promise<Picture> {
  const resident = residentBytes(server.pid);
  const reads = Object.entries<Request>(boundedReads).map(([name, request]): [string, Subject] => [
    name,
    { server, request: () => request },
  ]);
  const subjects: { [name: string]: Subject } = { ...(await writeSubjects(server)), ...Object.fromEntries(reads) };
  const loads = await underLoad(subjects, { clients, rounds: 2, roundMs: 500 });
  const connection = await openConnection(server.target);
  let listBytes = 0;
  let listMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const ms = await timed(async () => {
      const chunks = await connection.fetch({ method: "GET", path });
      listBytes = chunks.reduce((sum, { length }) => sum + length, 0);
    });
    listMs = Math.min(listMs, ms);
  }
  connection.close();
  return { loads, listMs, listBytes, residentBytes: resident };
}

async function withPods(count: number): Promise<Picture> {
  const server = await startApiServerWithPods(count);
  try {
    return await pictureOf(server);
  } finally {
    await server.dispose();
  }
}

export const growth: Benchmark = {
  name: "growth",
  async run(say) {
    say(`with ${few} pods`);
    const small = await withPods(few);
    say(`with ${many} pods`);
    const large = await withPods(many);
    const rates = Object.entries(large.loads).map(
      ([name, load]): Measurement =>
        measurement({
          name: `${name} with ${many} pods`,
          value: load.ratePerSecond,
          unit: "/s",
          baseline: small.loads[name]!.ratePerSecond,
          against: `with ${few} pods`,
          details: {
            "p99 ms": load.p99Ms,
            "CPU s/10,000": load.cpuSecondsPer10000,
            [`CPU s/10,000 with ${few}`]: small.loads[name]!.cpuSecondsPer10000,
          },
          target: "flat",
        }),
    );
    const mebibytes = (bytes: number) => (bytes / (many - few)) * 10_000 * 2 ** -20;
    return [
      ...rates,
      measurement({
        name: `list of ${many} pods, per MB`,
        value: large.listMs / (large.listBytes / 1e6),
        unit: "ms",
        baseline: small.listMs / (small.listBytes / 1e6),
        against: `list of ${few} pods, per MB`,
        details: { ms: large.listMs, MB: large.listBytes / 1e6 },
        target: "linear",
      }),
      measurement({
        name: "memory of 10,000 pods",
        value: mebibytes(large.residentBytes - small.residentBytes),
        unit: "MiB",
        baseline: mebibytes(large.listBytes - small.listBytes),
        against: "their bytes",
        target: "reported",
      }),
    ];
  },
};
