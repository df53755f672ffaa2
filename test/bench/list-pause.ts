// The longest turn of the apiserver's event loop while a list of 100,000 pods streams, as the process itself tells by
// nodejs_eventloop_lag_max_seconds, without the 10 ms between two looks at the clock. Against a bare fastify that streams
// the same bytes from a file. Told from outside too: the slowest of the small GETs meanwhile.

import { type BenchServer, startApiServerWithPods } from "./api-server.js";
import { openConnection, type Request } from "./connection.js";
import { type Benchmark, measurement, median } from "./measurement.js";

const stored = 100_000;
const rounds = 3;
const resolutionMs = 10;
const list = { method: "GET", path: "/api/v1/pods" };

interface Pause {
  readonly pauseMs: number;
  readonly slowestGetMs: number;
  readonly chunks: readonly Buffer[];
}

async function pauseWhile(server: BenchServer, streamed: Request, small: Request): Promise<Pause> {
  const [reader, prober] = [await openConnection(server.target), await openConnection(server.target)];
  await prober.fetch(small);
  await server.stats();
  let reading = true;
  let slowestGetMs = 0;
  const probing = (async () => {
    while (reading) {
      const startedMs = performance.now();
      await prober.fetch(small);
      slowestGetMs = Math.max(slowestGetMs, performance.now() - startedMs);
    }
  })();
  const chunks = await reader.fetch(streamed);
  reading = false;
  await probing;
  const { lagMs } = await server.stats();
  for (const connection of [reader, prober]) connection.close();
  return { pauseMs: Math.max(0, lagMs - resolutionMs), slowestGetMs, chunks };
}

export const listPause: Benchmark = {
  name: "list-pause",
  async run(say) {
    const server = await startApiServerWithPods(stored);
    try {
      const bare = await server.bareServer();
      const version = { method: "GET", path: "/version" };
      const own = [await pauseWhile(server, list, version)];
      bare.offer("pods", own[0]!.chunks);
      bare.offer("version", Buffer.from("{}"));
      say(`${stored} pods`);
      const baseline: Pause[] = [];
      own.length = 0;
      for (let round = 0; round < rounds; round++) {
        const streamed = { method: "GET", path: "/stream/pods" };
        baseline.push(await pauseWhile(bare, streamed, { method: "GET", path: "/file/version" }));
        own.push({ ...(await pauseWhile(server, list, version)), chunks: [] });
      }
      return [
        measurement({
          name: `longest pause while ${stored} pods stream`,
          value: median(own.map(({ pauseMs }) => pauseMs)),
          unit: "ms",
          baseline: median(baseline.map(({ pauseMs }) => pauseMs)),
          against: "bare fastify, the same bytes from a file",
          details: {
            "best ms": Math.min(...own.map(({ pauseMs }) => pauseMs)),
            "slowest small GET, ms": median(own.map(({ slowestGetMs }) => slowestGetMs)),
            "the same of the baseline": median(baseline.map(({ slowestGetMs }) => slowestGetMs)),
          },
          target: "≤ 20 ms",
        }),
      ];
    } finally {
      await server.dispose();
    }
  },
};
