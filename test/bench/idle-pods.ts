// What a hundred pods that do nothing cost the kubelet, against the kubelet without pods; and how soon the API shows that a
// container has ended, against `docker wait`.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { pods } from "@picokube/api/core/v1";
import { loadKubeconfig } from "@picokube/client/kubeconfig";
import { createClient } from "@picokube/client/rest-client";
import { createCluster } from "../e2e/harness/cluster.js";
import { type Benchmark, inParallel, measurement, median, timed } from "./measurement.js";

const run = promisify(execFile);
const count = 100;
const atOnce = 10;
const settleMs = 20_000;
const measuredMs = 60_000;
const ticksPerSecond = 100;
const rounds = 15;

/** Of one processor, in percent, while it was watched. */
async function processorPercent(pid: number): Promise<number> {
  const ticks = () => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(fields[11]) + Number(fields[12]);
  };
  const before = ticks();
  const elapsedMs = await timed(() => new Promise((done) => setTimeout(done, measuredMs)));
  return ((ticks() - before) / ticksPerSecond / (elapsedMs / 1000)) * 100;
}

export const idlePods: Benchmark = {
  name: "idle-pods",
  async run(say) {
    const { cluster, dispose } = await createCluster();
    const client = createClient({ kubeconfig: loadKubeconfig(cluster.kubeconfig), userAgent: "bench" });
    const namespace = "default";
    try {
      const { components } = JSON.parse(readFileSync(join(cluster.dataDir, "run", "processes.json"), "utf8"));
      const { pid } = (components as Record<string, { process: { pid: number } }>).kubelet!.process;
      /** Resolves when the API shows a pod of this name that the check likes; the watch is open before begin runs. */
      const shown = async (
        name: string,
        check: (object: { status?: unknown }) => boolean,
        begin: () => Promise<unknown>,
      ) => {
        const abort = new AbortController();
        const events = client.watch(pods, { namespace, fieldSelector: `metadata.name=${name}`, signal: abort.signal });
        await begin();
        for await (const { object } of events) {
          if (!check(object as never)) continue;
          abort.abort();
          return object;
        }
        throw new Error(`the watch of ${name} ended`);
      };
      const isReady = ({ status }: { status?: unknown }) =>
        (status as { conditions?: { type: string; status: string }[] } | undefined)?.conditions?.some(
          (condition) => condition.type === "Ready" && condition.status === "True",
        ) === true;
      const start = (name: string) =>
        shown(name, isReady, () =>
          client.create(pods, {
            metadata: { name, namespace },
            spec: {
              terminationGracePeriodSeconds: 0,
              containers: [
                { name: "main", image: "busybox", imagePullPolicy: "IfNotPresent", command: ["sleep", "86400"] },
              ],
            },
          }),
        );
      say(`no pods: ${measuredMs / 1000} s`);
      await new Promise((done) => setTimeout(done, settleMs));
      const empty = await processorPercent(pid);

      const own: number[] = [];
      const raw: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const pod = await start(`end-${round}`);
        const id = pod.status!.containerStatuses![0]!.containerID!.replace("docker://", "");
        const waited = run("docker", ["wait", id]);
        const hasEnded = ({ status }: { status?: unknown }) =>
          (status as typeof pod.status)?.containerStatuses?.some(
            ({ state, lastState }) => state?.terminated !== undefined || lastState?.terminated !== undefined,
          ) === true;
        let killedMs = 0;
        const told = shown(`end-${round}`, hasEnded, async () => {
          killedMs = performance.now();
          await run("docker", ["kill", id]);
        }).then(() => own.push(performance.now() - killedMs));
        await waited;
        raw.push(performance.now() - killedMs);
        await told;
        await client.delete(pods, { name: `end-${round}`, namespace }, { gracePeriodSeconds: 0 });
      }

      say(`${count} pods, then ${measuredMs / 1000} s`);
      await inParallel(count, atOnce, (index) => start(`idle-${index}`));
      await new Promise((done) => setTimeout(done, settleMs));
      const full = await processorPercent(pid);
      return [
        measurement({
          name: `kubelet with ${count} idle pods`,
          value: full,
          unit: "% of a core",
          baseline: empty,
          against: "without pods",
          target: "≤ 2 % of a core",
        }),
        measurement({
          name: "a container's end in the API",
          value: median(own),
          unit: "ms",
          baseline: median(raw),
          against: "docker wait",
          details: { "over docker wait ms": median(own) - median(raw) },
          target: "≤ 50 ms over docker wait",
        }),
      ];
    } finally {
      await client.close();
      await dispose();
    }
  },
};
