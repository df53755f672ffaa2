// One change to 1,000 watchers: the time until the last one has it, against a bare fastify that writes the same bytes to
// 1,000 open streams.

import { setTimeout as sleep } from "node:timers/promises";
import { startApiServerWithPods } from "./api-server.js";
import { type Connection, openConnection, type Request, type Target } from "./connection.js";
import { type Benchmark, measurement, median, timed } from "./measurement.js";

const watchers = 1_000;
const rounds = 15;
const path = "/api/v1/namespaces/default/configmaps";

/** One object of 2 KB, that says which round it is of. */
function changed(mark: string): string {
  const data = { mark, payload: "x".repeat(2_000) };
  return JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "changed" }, data });
}

/** Opens the streams; what comes back makes one change and resolves once all streams have its mark. */
async function openWatchers(target: Target, { watch, change }: { watch: string; change(mark: string): Request }) {
  let awaited = Buffer.from("nothing yet");
  let missing = 0;
  let done = () => {};
  const connections: Connection[] = [];
  for (let opened = 0; opened < watchers; opened++) {
    let round: Buffer | undefined;
    let tail: Buffer = Buffer.alloc(0);
    const connection = await openConnection(target);
    connections.push(connection);
    await connection.stream({ method: "GET", path: watch }, (chunk) => {
      if (round === awaited) return;
      // The mark may lie across two chunks.
      tail = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
      if (!tail.includes(awaited)) return;
      round = awaited;
      tail = Buffer.alloc(0);
      if (--missing === 0) done();
    });
  }
  return {
    async round(): Promise<number> {
      const mark = `mark-${Math.random().toString(36).slice(2)}`;
      awaited = Buffer.from(mark);
      missing = watchers;
      const all = new Promise<void>((resolve) => {
        done = resolve;
      });
      // Not one for all rounds: servers close what has said nothing for long.
      const writer = await openConnection(target);
      const ms = await timed(() => Promise.all([writer.fetch(change(mark)), all]));
      writer.close();
      await sleep(20);
      return ms;
    },
    close() {
      for (const connection of connections) connection.close();
    },
  };
}

export const fanOut: Benchmark = {
  name: "fan-out",
  async run(say) {
    const server = await startApiServerWithPods(0);
    try {
      const bare = await server.bareServer();
      say(`${watchers} watchers of each`);
      const writer = await openConnection(server.target);
      await writer.fetch({ method: "POST", path, body: changed("first") });
      writer.close();
      const own = await openWatchers(server.target, {
        watch: `${path}?watch=1`,
        change: (mark) => ({ method: "PUT", path: `${path}/changed`, body: changed(mark) }),
      });
      const baseline = await openWatchers(bare.target, {
        watch: "/watch",
        change: (mark) => ({ method: "POST", path: "/push", body: changed(mark) }),
      });
      await Promise.all([own.round(), baseline.round()]);
      const times: { own: number; baseline: number }[] = [];
      for (let round = 0; round < rounds; round++) {
        times.push({ baseline: await baseline.round(), own: await own.round() });
      }
      own.close();
      baseline.close();
      return [
        measurement({
          name: `one change to ${watchers} watchers`,
          value: median(times.map((each) => each.own)),
          unit: "ms",
          baseline: median(times.map((each) => each.baseline)),
          against: `bare fastify, ${watchers} streams`,
          details: { "best ms": Math.min(...times.map((each) => each.own)) },
          target: "≤ 60 ms",
        }),
      ];
    } finally {
      await server.dispose();
    }
  },
};
