// A watch that begins with the state: 5,000 initial events and the mark behind them, against a bare fastify that sends
// the same bytes.

import { startApiServerWithPods } from "./api-server.js";
import { openConnection, type Request, type Target } from "./connection.js";
import { type Benchmark, measurement, median, timed } from "./measurement.js";

const stored = 5_000;
const rounds = 12;
const END = "k8s.io/initial-events-end";
const query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";

/** Reads a stream on a connection of its own until the mark of the end has come. */
async function readInitial(target: Target, request: Request): Promise<Buffer[]> {
  const connection = await openConnection(target);
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    connection
      .stream(request, (chunk) => {
        chunks.push(chunk);
        if (chunk.includes(END)) resolve();
      })
      .catch(reject);
  });
  connection.close();
  return chunks;
}

export const watchStart: Benchmark = {
  name: "watch-start",
  async run(say) {
    const server = await startApiServerWithPods(stored);
    try {
      const bare = await server.bareServer();
      const request = { method: "GET", path: `/api/v1/pods?${query}` };
      bare.offer("initial", await readInitial(server.target, request));
      const bareRequest = { method: "GET", path: "/file/initial" };
      const own: number[] = [];
      const baseline: number[] = [];
      say(`${stored} initial events`);
      for (let round = 0; round < rounds; round++) {
        baseline.push(await timed(() => readInitial(bare.target, bareRequest)));
        own.push(await timed(() => readInitial(server.target, request)));
      }
      return [
        measurement({
          name: `watch start with ${stored} initial events`,
          value: median(own),
          unit: "ms",
          baseline: median(baseline),
          against: "bare fastify, same bytes",
          details: { "best ms": Math.min(...own), "best ms of the baseline": Math.min(...baseline) },
          target: "reported",
        }),
      ];
    } finally {
      await server.dispose();
    }
  },
};
