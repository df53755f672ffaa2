// A Deployment of 1,000 replicas on hollow nodes: how long until all pods exist, are bound, are ready; beside the rate at
// which the same server, in the same run, takes the same pods from a client that does nothing else. Then five times as
// many at rest: what the control plane's processes use when nothing happens, and what a pod costs them in memory.

import { setTimeout as sleep } from "node:timers/promises";
import { deployments } from "@picokube/api/apps/v1";
import { namespaces, type Pod, pods, serviceaccounts } from "@picokube/api/core/v1";
import { podCondition } from "@picokube/api/pod";
import type { Client } from "@picokube/client/client";
import { type ControlPlane, hollowImage, type ProcessName, startControlPlane, until } from "./control-plane.js";
import { type Benchmark, inParallel, measurement, timed } from "./measurement.js";

const nodeCount = 50;
const replicas = 1_000;
const atRest = 5_000;
const clients = 32;
const settleMs = 30_000;
const restMs = 60_000;
const daemons: readonly ProcessName[] = ["kube-controller-manager", "kube-scheduler", "kube-apiserver"];

const template = {
  metadata: { labels: { app: "scale" } },
  spec: {
    automountServiceAccountToken: false,
    containers: [{ name: "main", image: hollowImage, imagePullPolicy: "IfNotPresent" }],
  },
} as const;

/** Milliseconds to create as many pods that nobody schedules. */
async function rawCreatesMs({ client }: ControlPlane): Promise<number> {
  const namespace = "raw";
  await client.create(namespaces, { metadata: { name: namespace } } as never);
  await until("the namespace has its account", () =>
    client.get(serviceaccounts, { name: "default", namespace }).then(
      () => true,
      () => false,
    ),
  );
  const spec = { ...template.spec, schedulerName: "nobody" };
  const ms = await timed(() =>
    inParallel(replicas, clients, (index) =>
      client.create(pods, { metadata: { name: `raw-${index}`, namespace }, spec } as never),
    ),
  );
  await client.deleteCollection(pods, { namespace, gracePeriodSeconds: 0 });
  await until(
    "the raw pods are gone",
    async () => (await client.list(pods, { namespace, limit: 1 })).items.length === 0,
  );
  return ms;
}

interface Milestones {
  readonly createdMs: number;
  readonly boundMs: number;
  readonly readyMs: number;
}

/** Sets the replicas and follows the pods; times are since then. */
async function scaleTo(client: Client, count: number): Promise<Milestones> {
  const following = new AbortController();
  const namespace = "default";
  const seen = { created: new Set<string>(), bound: new Set<string>(), ready: new Set<string>() };
  const reached: Record<string, number> = {};
  const { signal } = following;
  const startedMs = performance.now();
  const note = ({ metadata, spec, status }: Pod) => {
    seen.created.add(metadata.uid);
    if (spec?.nodeName) seen.bound.add(metadata.uid);
    if (podCondition(status, "Ready")?.status === "True") seen.ready.add(metadata.uid);
    for (const [name, uids] of Object.entries(seen))
      if (uids.size >= count) reached[name] ??= performance.now() - startedMs;
  };
  const { items, metadata } = await client.list(pods, { namespace });
  for (const pod of items) note(pod);
  const follow = (async () => {
    const from = metadata.resourceVersion;
    for await (const { type, object } of client.watch(pods, {
      namespace,
      signal,
      ...(from === undefined ? {} : { resourceVersion: from }),
    }))
      if (type !== "BOOKMARK") note(object);
  })().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  await client.patch(deployments, { name: "scale", namespace }, { spec: { replicas: count } }, { type: "merge" });
  try {
    await Promise.race([until(`${count} pods are ready`, async () => reached.ready !== undefined), follow]);
  } finally {
    following.abort();
  }
  await follow;
  return { createdMs: reached.created!, boundMs: reached.bound!, readyMs: reached.ready! };
}

export const scale: Benchmark = {
  name: "scale",
  async run(say) {
    const plane = await startControlPlane({ nodes: nodeCount });
    try {
      const { client } = plane;
      const cpu = () => new Map(daemons.map((name) => [name, plane.cpuSeconds(name)]));
      const since = (before: Map<ProcessName, number>, name: ProcessName) => plane.cpuSeconds(name) - before.get(name)!;
      say(`${replicas} raw creates`);
      const rawMs = await rawCreatesMs(plane);
      await client.create(deployments, {
        metadata: { name: "scale", namespace: "default" },
        spec: { replicas: 0, selector: { matchLabels: template.metadata.labels }, template },
      } as never);
      const emptyMib = new Map(daemons.map((name) => [name, plane.residentMib(name)]));
      say(`a Deployment of ${replicas} replicas`);
      const before = cpu();
      const { createdMs, boundMs, readyMs } = await scaleTo(client, replicas);
      const spent = Object.fromEntries(daemons.map((name) => [`CPU s of ${name}`, since(before, name)]));
      say(`${atRest} pods`);
      await scaleTo(client, atRest);
      say(`at rest for ${restMs / 1000} s`);
      await sleep(settleMs);
      const restBefore = cpu();
      await sleep(restMs);
      const raw = { baseline: rawMs / 1000, against: "raw creates", unit: "s" } as const;
      return [
        measurement({
          name: `${replicas} replicas created`,
          value: createdMs / 1000,
          ...raw,
          details: { "created/s": replicas / (createdMs / 1000), "raw creates/s": replicas / (rawMs / 1000), ...spent },
          target: "≤ 10 s",
        }),
        measurement({ name: `${replicas} replicas bound`, value: boundMs / 1000, ...raw, target: "≤ 10 s" }),
        measurement({ name: `${replicas} replicas ready`, value: readyMs / 1000, ...raw, target: "reported" }),
        ...daemons.map((name) =>
          measurement({
            name: `${name} at rest, ${atRest} pods`,
            value: (since(restBefore, name) / (restMs / 1000)) * 100,
            unit: "% of a core",
            baseline: 1,
            against: "one in a hundred",
            details: { "MiB per 1,000 pods": ((plane.residentMib(name) - emptyMib.get(name)!) / atRest) * 1000 },
            target: name === "kube-apiserver" ? "reported" : "≤ 1",
          }),
        ),
      ];
    } finally {
      await plane.dispose();
    }
  },
};
