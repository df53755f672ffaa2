// One change to 500 watchers: the time until the last one has it, against a bare fastify that writes the same bytes to
// 500 open streams.

import { setTimeout as sleep } from "node:timers/promises";
import { type Endpoint, startControlPlane } from "./control-plane.js";
import { type Benchmark, measurement, median } from "./measurement.js";

const watchers = 500;
const rounds = 10;
const path = "/api/v1/namespaces/default/configmaps";

/** Opens the streams, makes each change and measures until all streams have its mark. */
async function measure(
  endpoint: Endpoint,
  watchPath: string,
  change: (mark: string) => Promise<unknown>,
): Promise<number> {
  let mark = "";
  let seen = 0;
  let done = () => {};
  const closers: (() => void)[] = [];
  for (let i = 0; i < watchers; i++) {
    let tail = "";
    let last = "";
    closers.push(
      await endpoint.stream(watchPath, (chunk) => {
        tail = (tail + chunk.toString("latin1")).slice(-8_192);
        if (mark === "" || last === mark || !tail.includes(mark)) return;
        last = mark;
        if (++seen === watchers) done();
      }),
    );
  }
  await sleep(500);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    seen = 0;
    mark = `mark-${round}-${Math.random().toString(36).slice(2)}`;
    const all = new Promise<void>((resolve) => {
      done = resolve;
    });
    const startedMs = performance.now();
    await change(mark);
    await all;
    times.push(performance.now() - startedMs);
    await sleep(50);
  }
  for (const close of closers) close();
  return median(times);
}

export const fanOut: Benchmark = {
  name: "fan-out",
  async run(say) {
    const plane = await startControlPlane();
    try {
      say(`${watchers} watchers`);
      const object = (mark: string) =>
        JSON.stringify({
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name: "changed" },
          data: { mark, payload: "x".repeat(2_000) },
        });
      const first = await plane.api.fetch("POST", path, object("first"));
      const own = await measure(plane.api, `${path}?watch=1`, (mark) =>
        plane.api.fetch("PUT", `${path}/changed`, object(mark)),
      );
      const bare = await plane.bareServer(first);
      const baseline = await measure(bare, "/watch", (mark) => bare.fetch("POST", "/push", object(mark)));
      bare.stop();
      return [
        measurement({
          name: "one change to 500 watchers",
          value: own,
          unit: "ms",
          baseline,
          against: "bare fastify, 500 streams",
          target: "reported",
        }),
      ];
    } finally {
      await plane.dispose();
    }
  },
};
