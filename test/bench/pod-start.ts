// From creating a pod to its being Ready, image present, against `docker run` of a sandbox and of a container joined to it.

import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { pods } from "@picokube/api/core/v1";
import { loadKubeconfig } from "@picokube/client/kubeconfig";
import { createClient } from "@picokube/client/rest-client";
import { createCluster } from "../e2e/harness/cluster.js";
import { type Benchmark, measurement, median, timed } from "./measurement.js";

const run = promisify(execFile);
const rounds = 12;

async function rawDocker(): Promise<void> {
  const name = `bench-${randomBytes(4).toString("hex")}`;
  await run("docker", ["run", "-d", "--name", `${name}-pause`, "busybox", "sleep", "600"]);
  await run("docker", ["run", "-d", "--name", name, `--network=container:${name}-pause`, "busybox", "sleep", "600"]);
}

async function removeRaw(): Promise<void> {
  const { stdout } = await run("docker", ["ps", "-aq", "--filter", "name=^bench-"]);
  const ids = stdout.split("\n").filter(Boolean);
  if (ids.length > 0) await run("docker", ["rm", "-f", ...ids]);
}

export const podStart: Benchmark = {
  name: "pod-start",
  async run(say) {
    const { cluster, dispose } = await createCluster();
    try {
      const client = createClient({ kubeconfig: loadKubeconfig(cluster.kubeconfig), userAgent: "bench" });
      const namespace = "default";
      const start = async (name: string) => {
        const abort = new AbortController();
        const events = client.watch(pods, { namespace, fieldSelector: `metadata.name=${name}`, signal: abort.signal });
        await client.create(pods, {
          metadata: { name, namespace },
          spec: {
            terminationGracePeriodSeconds: 0,
            containers: [
              { name: "main", image: "busybox", imagePullPolicy: "IfNotPresent", command: ["sleep", "600"] },
            ],
          },
        });
        for await (const { object } of events)
          if (object.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True")) break;
        abort.abort();
      };
      await start("warm-up");
      const own: number[] = [];
      const raw: number[] = [];
      for (let i = 0; i < rounds; i++) {
        raw.push(await timed(rawDocker));
        own.push(await timed(() => start(`bench-${i}`)));
      }
      say("twenty at once");
      const rawTwenty = await timed(() => Promise.all(Array.from({ length: 20 }, rawDocker)));
      const ownTwenty = await timed(() => Promise.all(Array.from({ length: 20 }, (_, i) => start(`many-${i}`))));
      return [
        measurement({
          name: "pod start, one",
          value: median(own),
          unit: "ms",
          baseline: median(raw),
          against: "docker run twice",
          target: "≤ 1.5",
        }),
        measurement({
          name: "pod start, 20 at once",
          value: ownTwenty,
          unit: "ms",
          baseline: rawTwenty,
          against: "docker run twice, 20 at once",
          target: "≤ 1.5",
        }),
      ];
    } finally {
      await removeRaw();
      await dispose();
    }
  },
};
