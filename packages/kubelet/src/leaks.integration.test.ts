// What two hundred pods of every fate leave behind on the host and in the kubelet when they are gone: nothing. Counts,
// never guesses.

import { join } from "node:path";
import { configmaps, pods } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { podsOf, startKubelet } from "./kubelet.testing.js";
import { fates } from "./mixed-pods.testing.js";
import { cgroupsOf, descriptorsOf, filesBelow, memoryOf, tellingMemory, tracesOf } from "./traces.testing.js";

const bridge = "picotest21";
const podsAtOnce = 25;
const rounds = 8;
const patienceMs = 240_000;
/** By two heap snapshots: 6,000 in the recorder of events, which remembers the last 4,096 of each kind, as upstream's does, and
 *  7,000 of compiled code, which is not the pods' but grows while they come and go. */
const mostBytesPerPod = 25_000;

test("two hundred pods leave nothing", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { create, until, get, kubectl } = await podsOf(server);
  await server.client.create(configmaps, { metadata: { name: "settings", namespace: "default" }, data: { k: "v" } });
  const nodeFlags = ["--max-semi-space-size=2", "--optimize-for-size", ...tellingMemory];
  const kubelet = await startKubelet(t, server, { bridge, subnet: 21, nodeFlags });
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")), patienceMs);

  const traces = () => tracesOf(kubelet, bridge);
  const isFree = async () => {
    const { containers, wires, mounts, files } = await traces();
    const logs = files.filter((path) => path.startsWith("log/pods/"));
    return containers.length + wires.length + mounts.length + logs.length === 0;
  };
  const live = async (name: string, index: number): Promise<string> => {
    const { spec, isMet } = fates[index % fates.length]!;
    const { metadata } = await create(name, { terminationGracePeriodSeconds: 2, ...spec(index) });
    if (isMet) await until(name, "meets its fate", isMet, patienceMs);
    await server.client.delete(pods, { name, namespace: "default" });
    await eventually(`${name} is gone`, async () => (await get(name)) === undefined, patienceMs);
    return metadata.uid;
  };
  const round = (number: number): Promise<string[]> =>
    Promise.all(
      Array.from({ length: podsAtOnce }, (_, index) =>
        live(`${fates[index % fates.length]!.name}-${number}-${index}`, index),
      ),
    );
  const measured = async () => {
    await eventually("all of it is gone", isFree, patienceMs);
    return {
      traces: await traces(),
      descriptors: await descriptorsOf(kubelet.pid, server.url),
      memory: await memoryOf(kubelet),
    };
  };

  // What is made once and kept (bridge, cgroups of classes, connections, caches) is no leak.
  const uids = await round(0);
  const before = await measured();
  for (let number = 1; number < rounds; number++) uids.push(...(await round(number)));
  const after = await measured();

  t.equal(uids.length, podsAtOnce * rounds);
  t.same(await cgroupsOf(uids), []);
  t.same(after.traces, before.traces);
  t.match(before.traces.rules.join("\n"), "PICO-HPORTS");
  const grown = (now: Record<string, number>, then: Record<string, number>) =>
    Object.entries(now).filter(([name, count]) => count > (then[name] ?? 0));
  const descriptors = async () => grown(await descriptorsOf(kubelet.pid, server.url), before.descriptors);
  await eventually("descriptors are as before", async () => (await descriptors()).length === 0).catch(() => undefined);
  t.same(await descriptors(), [], JSON.stringify(before.descriptors));
  // Requests that happen to be under way have some of each; one a pod would be a hundred and seventy-five.
  t.equal(after.memory.counts.PodWorker, 0);
  const counts = grown(after.memory.counts, before.memory.counts);
  t.same(
    counts.filter(([name, count]) => count > before.memory.counts[name]! + podsAtOnce),
    [],
    JSON.stringify(counts),
  );
  const bytesPerPod = Math.round((after.memory.heapBytes - before.memory.heapBytes) / (podsAtOnce * (rounds - 1)));
  t.ok(bytesPerPod < mostBytesPerPod, `bytes kept of each pod: ${bytesPerPod}`);

  // A pod that has ended keeps its log files, and --cleanup finds them.
  await create("ended", { restartPolicy: "Never", containers: [{ name: "c", image: "busybox", command: ["true"] }] });
  await until("ended", "has ended", ({ status }) => status?.phase === "Succeeded", patienceMs);
  const logs = join(kubelet.rootDir, "log");
  await eventually(
    "its log file",
    async () => (await filesBelow(logs)).some((path) => path.endsWith("0.log")),
    patienceMs,
  );
  t.equal(await kubelet.stop(), 0);
  await kubelet.cleanup();
  t.same(await filesBelow(logs), ["containers", "pods"]);
});
