// Reads a second of 5,000 pods, against a bare fastify that sends the same bytes from memory.

import { type ApiServer, startApiServerWithPods } from "./api-server.js";
import { openConnection, type Request } from "./connection.js";
import { type Subject, underLoad } from "./load.js";
import { type Benchmark, type Measurement, measurement } from "./measurement.js";
import { PICKED, PICKED_NODE, podName } from "./pods.js";
import { detailsOf } from "./writes.js";

const stored = 5_000;
const path = "/api/v1/namespaces/default/pods";
const TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1";

/** Reads whose answers are as large whatever is stored: one pod, a hundred, a page. */
export const boundedReads = {
  get: { method: "GET", path: `${path}/${podName(7)}` },
  [`list ${PICKED} by label`]: { method: "GET", path: `${path}?labelSelector=pick%3Dyes` },
  [`list ${PICKED} by field`]: { method: "GET", path: `${path}?fieldSelector=spec.nodeName%3D${PICKED_NODE}` },
  "page of 500": { method: "GET", path: `${path}?limit=500` },
  "Table of 500": { method: "GET", path: `${path}?limit=500`, accept: TABLE },
} satisfies { [name: string]: Request };

const wholeReads = {
  [`list of ${stored} pods`]: { method: "GET", path },
  [`Table of ${stored} pods`]: { method: "GET", path, accept: TABLE },
} satisfies { [name: string]: Request };

async function measure(server: ApiServer, clients: number): Promise<Measurement[]> {
  const bare = await server.bareServer();
  const connection = await openConnection(server.target);
  const measurements: Measurement[] = [];
  for (const [name, request] of Object.entries<Request>({ ...boundedReads, ...wholeReads })) {
    const file = name.replaceAll(" ", "-");
    const bytes = await connection.fetch(request);
    bare.offer(file, bytes);
    const own: Subject = { server, request: () => request };
    const baseline: Subject = { server: bare, request: () => ({ method: "GET", path: `/file/${file}` }) };
    const loads = await underLoad({ baseline, own }, { clients, rounds: 2, roundMs: 400 });
    measurements.push(
      measurement({
        name: `${name}, ${clients} client${clients === 1 ? "" : "s"}`,
        value: loads.own.ratePerSecond,
        unit: "/s",
        baseline: loads.baseline.ratePerSecond,
        against: "bare fastify, same bytes",
        details: {
          ...detailsOf(loads.own, loads.baseline),
          KB: bytes.reduce((sum, { length }) => sum + length, 0) / 1000,
        },
        target: /^(get|list)/.test(name) ? "≥ 0.7" : "reported",
      }),
    );
  }
  connection.close();
  return measurements;
}

export const reads: Benchmark = {
  name: "reads",
  async run(say) {
    const server = await startApiServerWithPods(stored);
    try {
      say(`of ${stored} pods, from 1 client`);
      const one = await measure(server, 1);
      say("the same from 32");
      return [...one, ...(await measure(server, 32))];
    } finally {
      await server.dispose();
    }
  },
};
