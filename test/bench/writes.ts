// Writes a second through the whole API server, each on disk before it is acknowledged, against a bare fastify that
// parses the same JSON, serialises it and writes it to LevelDB with a group commit. The object is a pod.

import { pods } from "@picokube/api/core/v1";
import { type ApiServer, startApiServerWithPods } from "./api-server.js";
import type { Request } from "./connection.js";
import { type Load, type Subject, underLoad } from "./load.js";
import { type Benchmark, type Measurement, measurement } from "./measurement.js";
import { newPod, podName } from "./pods.js";

const stored = 1_000;
const path = "/api/v1/namespaces/default/pods";
const patchTypes = { merge: "merge-patch", strategic: "strategic-merge-patch", apply: "apply-patch" };

const writers = 32;

/** The five writes, each of them a change: never a no-op. */
export async function writeSubjects(server: ApiServer) {
  let turn = 0;
  const current = await Promise.all(
    Array.from({ length: writers }, (_, client) =>
      server.client.get(pods, { namespace: "default", name: podName(client) }),
    ),
  );
  const subject = (request: (client: number, mark: number) => Request): Subject => ({
    server,
    request: (client) => request(client, turn++),
  });
  const patch = (type: keyof typeof patchTypes, query: string, body: (mark: number, client: number) => object) =>
    subject((client, mark) => ({
      method: "PATCH",
      path: `${path}/${podName(client)}${query}`,
      body: JSON.stringify(body(mark, client)),
      contentType: `application/${patchTypes[type]}+${type === "apply" ? "yaml" : "json"}`,
    }));
  return {
    create: subject((_, mark) => ({ method: "POST", path, body: JSON.stringify(newPod(`new-${mark}`)) })),
    update: subject((client, mark) => {
      const { metadata, ...rest } = current[client]!;
      const { resourceVersion: _resourceVersion, ...kept } = metadata;
      const body = { ...rest, metadata: { ...kept, annotations: { mark: String(mark) } } };
      return { method: "PUT", path: `${path}/${podName(client)}`, body: JSON.stringify(body) };
    }),
    "merge patch": patch("merge", "", (mark) => ({ metadata: { annotations: { mark: String(mark) } } })),
    "strategic patch": patch("strategic", "", (mark) => ({
      spec: { containers: [{ name: "main", image: `nginx:${mark}` }] },
    })),
    "server-side apply": patch("apply", "?fieldManager=bench&force=true", (mark, client) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: podName(client), annotations: { applied: String(mark) } },
      spec: { containers: [{ name: "main", image: `nginx:${mark}` }] },
    })),
  };
}

/** A load's figures beside its rate, as they go into a measurement. */
export function detailsOf(own: Load, baseline: Load): Measurement["details"] {
  return {
    "p50 ms": own.p50Ms,
    "p99 ms": own.p99Ms,
    "CPU s/10,000": own.cpuSecondsPer10000,
    "CPU s/10,000 of the baseline": baseline.cpuSecondsPer10000,
  };
}

async function measure(
  subjects: Awaited<ReturnType<typeof writeSubjects>> & { baseline: Subject },
  clients: number,
): Promise<Measurement[]> {
  const { baseline, ...loads } = await underLoad(subjects, { clients, rounds: 3, roundMs: 600 });
  return Object.entries(loads).map(([name, load]) =>
    measurement({
      name: `${name}, ${clients} client${clients === 1 ? "" : "s"}`,
      value: load.ratePerSecond,
      unit: "/s",
      baseline: baseline.ratePerSecond,
      against: "bare fastify, parse, stringify, synced LevelDB",
      details: { ...detailsOf(load, baseline), "fsync share": load.commitShare },
      target: "reported",
    }),
  );
}

export const writes: Benchmark = {
  name: "writes",
  async run(say) {
    const server = await startApiServerWithPods(stored);
    try {
      const body = JSON.stringify(newPod("baseline"));
      const baseline = { server: await server.bareServer(), request: () => ({ method: "POST", path: "/write", body }) };
      const subjects = { ...(await writeSubjects(server)), baseline };
      say("five kinds of write from 1 client");
      const one = await measure(subjects, 1);
      say("the same from 32");
      return [...one, ...(await measure(subjects, 32))];
    } finally {
      await server.dispose();
    }
  },
};
