// Story: a node is cut off. What it ran is replaced elsewhere where that is safe, and it is cleaned up when it is back.

import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import { followContainer } from "../harness/container-history.js";
import { startLoad } from "../harness/load.js";
import { type LocalVms, runsWhatTheApiSays } from "../harness/local-vms.js";
import { isReady, type PodRow, podsOf } from "../harness/pod-rows.js";
import { prefersNode3, shortTolerations, web } from "../harness/workloads.js";

const patienceMs = 120_000;

const workloads = `${web}
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  replicas: 1
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      terminationGracePeriodSeconds: 1${prefersNode3}${shortTolerations}
      containers: [{ name: db, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, "100000"] }]
`;

const onNode3 = (pods: readonly PodRow[]) => pods.filter(({ spec }) => spec.nodeName === "node-3");

export async function partition(t: Test, vms: LocalVms): Promise<void> {
  const { kubectl, picokube, readyOf } = vms;
  await eventually("no node is tainted", async () => {
    const { items } = await kubectl.json(["get", "nodes"]);
    return items.every(({ spec }: { spec: { taints?: object[] } }) => spec.taints === undefined);
  });
  await kubectl.apply(workloads);
  await kubectl.run(["rollout", "status", "deployment/web", "--timeout=120s"]);
  await kubectl.run(["rollout", "status", "statefulset/db", "--timeout=120s"]);
  t.ok(onNode3(await podsOf(kubectl, "web")).length > 0, "node-3 has its share");
  const [db] = await podsOf(kubectl, "db");
  t.equal(db!.spec.nodeName, "node-3");
  const history = await followContainer(t, vms, { pod: "db-0", container: "db" });
  const { clusterIP } = (await kubectl.json(["get", "service", "web"])).spec;
  const load = startLoad(`http://${clusterIP}/`);

  const cutAt = Date.now();
  t.match(await picokube("fault", "partition", "node-3"), /node-3 is cut off from everything/);
  t.match(await picokube("fault", "list"), /node-3 +its cable is out/);
  await eventually("node-3 is not heard of", async () => (await readyOf("node-3")) === "Unknown", patienceMs);
  const notReadyMs = Date.now() - cutAt;
  await eventually("it is tainted", async () => {
    const { spec } = await kubectl.json(["get", "node", "node-3"]);
    const taints = (spec.taints ?? []).map((taint: { key: string; effect: string }) => `${taint.key}:${taint.effect}`);
    return ["NoSchedule", "NoExecute"].every((effect) => taints.includes(`node.kubernetes.io/unreachable:${effect}`));
  });
  await eventually(
    "six pods are ready elsewhere",
    async () => {
      const ready = (await podsOf(kubectl, "web")).filter((pod) => pod.spec.nodeName !== "node-3" && isReady(pod));
      return ready.length === 6;
    },
    patienceMs,
  );
  await eventually("no endpoint of node-3 is asked any more", async () => {
    const { items } = await kubectl.json(["get", "endpointslices", "-l", "kubernetes.io/service-name=web"]);
    const endpoints: { nodeName: string; conditions: { ready: boolean } }[] = items.flatMap(
      (slice: { endpoints?: object[] }) => slice.endpoints ?? [],
    );
    return !endpoints.some(({ nodeName, conditions }) => nodeName === "node-3" && conditions.ready);
  });
  const recoveredMs = Date.now() - cutAt;
  const dbs = await podsOf(kubectl, "db");
  t.equal(dbs.length, 1, "no second db-0 while the first may still run");
  t.equal(dbs[0]!.metadata.uid, db!.metadata.uid);
  await eventually(
    "it is to go",
    async () => (await podsOf(kubectl, "db"))[0]!.metadata.deletionTimestamp !== undefined,
  );
  // The first ones hang on the cable and hold their lanes.
  const fresh = startLoad(`http://${clusterIP}/`);
  await eventually("the Service answers", async () => fresh.answered() > 50);
  await fresh.stop();

  const healedAt = Date.now();
  await picokube("fault", "heal", "node-3");
  await eventually("node-3 is Ready", async () => (await readyOf("node-3")) === "True", patienceMs);
  await eventually(
    "db-0 is made anew, once",
    async () => {
      const now = await podsOf(kubectl, "db");
      return now.length === 1 && now[0]!.metadata.uid !== db!.metadata.uid && isReady(now[0]!);
    },
    patienceMs,
  );
  await runsWhatTheApiSays("node-3", vms, patienceMs);
  await eventually("the new db-0's start is told", async () => history.spans().length === 2);
  t.strictSame(history.overlaps(), [], "never did two of them run");
  const { spec } = await kubectl.json(["get", "node", "node-3"]);
  t.notOk(spec.taints, "the taints are gone");
  const wholeMs = Date.now() - healedAt;
  await load.stop();
  t.comment(
    `node-3 cut off: NotReady after ${notReadyMs} ms, pods ready elsewhere after ${recoveredMs} ms, whole ${wholeMs} ms after it was healed; requests lost: ${load.failures().length}`,
  );
}
