// Listing 5,000 pods, against a bare fastify that sends the same bytes.

import { startControlPlane } from "./control-plane.js";
import { type Benchmark, inParallel, measurement, median, timed } from "./measurement.js";

const count = 5_000;
const rounds = 15;

export const list: Benchmark = {
  name: "list",
  async run(say) {
    const plane = await startControlPlane();
    try {
      say(`creating ${count} pods`);
      await inParallel(count, 32, (i) =>
        plane.api.fetch(
          "POST",
          "/api/v1/namespaces/default/pods",
          JSON.stringify({
            apiVersion: "v1",
            kind: "Pod",
            metadata: { name: `pod-${i}`, labels: { app: "web", shard: String(i % 50) } },
            // No scheduler of that name: the pods stay as they are.
            spec: {
              schedulerName: "nobody",
              containers: [
                { name: "main", image: "nginx", ports: [{ containerPort: 80 }], env: [{ name: "A", value: "b" }] },
              ],
            },
          }),
        ),
      );
      const path = "/api/v1/pods";
      const bytes = await plane.api.fetch("GET", path);
      const bare = await plane.bareServer(bytes);
      const own: number[] = [];
      const baseline: number[] = [];
      for (let i = 0; i < rounds; i++) {
        baseline.push(await timed(() => bare.fetch("GET", "/list")));
        own.push(await timed(() => plane.api.fetch("GET", path)));
      }
      bare.stop();
      say(`${(bytes.length / 1e6).toFixed(1)} MB a list`);
      return [
        measurement({
          name: "lists of 5,000 pods",
          value: 1000 / median(own),
          unit: "/s",
          baseline: 1000 / median(baseline),
          against: "bare fastify, same bytes",
          target: "≥ 0.7",
        }),
      ];
    } finally {
      await plane.dispose();
    }
  },
};
