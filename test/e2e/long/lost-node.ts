// Story: a node is cut off for longer than upstream's five minutes, and comes back. Bounds are read from the objects'
// own timestamps, which are whole seconds.

import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import { followContainer } from "../harness/container-history.js";
import { startLoad } from "../harness/load.js";
import { type LocalVms, runsWhatTheApiSays } from "../harness/local-vms.js";
import { isReady, type PodRow, podsOf } from "../harness/pod-rows.js";
import { gentle } from "./gentle.js";

const graceMs = 50_000;
const tolerationMs = 300_000;
const wholeSecondMs = 1_000;
const patienceMs = 300_000;

interface Taint {
  readonly key: string;
  readonly effect: string;
  readonly timeAdded?: string;
}

const onNode3 = (pods: readonly PodRow[]) => pods.filter(({ spec }) => spec.nodeName === "node-3");

/** When the pod was asked to go. */
const evictedAt = ({ metadata }: PodRow) =>
  Date.parse(metadata.deletionTimestamp!) - metadata.deletionGracePeriodSeconds! * 1_000;

export async function lostNode(t: Test, vms: LocalVms): Promise<void> {
  const { kubectl, picokube, docker } = vms;
  const [agent] = onNode3(await podsOf(kubectl, "agent"));
  const [db] = await podsOf(kubectl, "db");
  t.equal(db!.spec.nodeName, "node-3");
  const lost = onNode3(await podsOf(kubectl, "web"));
  t.ok(lost.length > 0, "node-3 has its share");
  const history = await followContainer(t, vms, { pod: "db-0", container: "db" });

  await picokube("fault", "partition", "node-3");
  await kubectl.run(["wait", "node/node-3", "--for=condition=Ready=Unknown", "--timeout=300s"], { timeoutMs: 310_000 });
  const node = await kubectl.json(["get", "node", "node-3"]);
  const { spec: lease } = await kubectl.json(["get", "lease", "node-3", "--namespace=kube-node-lease"]);
  const ready = node.status.conditions.find(({ type }: { type: string }) => type === "Ready");
  t.match(ready, { reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status." });
  const silentMs = Date.parse(ready.lastTransitionTime) - Date.parse(lease.renewTime);
  t.ok(silentMs > graceMs - wholeSecondMs, `it is given its grace period: ${silentMs} ms`);

  const taints = await eventually("it is tainted", async () => {
    const { spec } = await kubectl.json(["get", "node", "node-3"]);
    const held: Taint[] = (spec.taints ?? []).filter(({ key }: Taint) => key === "node.kubernetes.io/unreachable");
    return new Set(held.map(({ effect }) => effect)).size === 2 && held;
  });
  const noExecuteAt = Date.parse(taints.find(({ effect }) => effect === "NoExecute")!.timeAdded!);
  await eventually("its endpoints are not ready", async () => {
    const { items } = await kubectl.json(["get", "endpointslices", "-l", "kubernetes.io/service-name=web"]);
    const endpoints: { nodeName: string; conditions: { ready: boolean } }[] = items[0].endpoints;
    return endpoints.every(({ nodeName, conditions }) => conditions.ready === (nodeName !== "node-3"));
  });
  t.strictSame(
    onNode3([...(await podsOf(kubectl, "web")), ...(await podsOf(kubectl, "db"))]).map(
      ({ metadata: { name, deletionTimestamp } }) => [name, deletionTimestamp],
    ),
    [...lost, db!].map(({ metadata }) => [metadata.name, undefined]),
    "and its pods are left alone for now",
  );
  const { clusterIP } = (await kubectl.json(["get", "service", "web"])).spec;
  // A change of rules follows the endpoints' by a moment; what was sent before hangs on the cable.
  const trial = startLoad(`http://${clusterIP}/`);
  await eventually("the Service answers", async () => trial.answered() > 200, patienceMs);
  await trial.stop();
  const load = startLoad(`http://${clusterIP}/`, gentle);

  await kubectl.run(["wait", "pod/db-0", "--for=condition=DisruptionTarget", "--timeout=500s"], { timeoutMs: 510_000 });
  const evicted = await eventually("all are asked to go", async () => {
    const left = onNode3([...(await podsOf(kubectl, "web")), ...(await podsOf(kubectl, "db"))]);
    return left.every(({ metadata }) => metadata.deletionTimestamp !== undefined) && left;
  });
  t.equal(evicted.length, lost.length + 1, "nobody can say yet that they have gone");
  const toleratedMs = Math.min(...evicted.map(evictedAt)) - noExecuteAt;
  t.ok(toleratedMs >= tolerationMs - wholeSecondMs, `they are given five minutes: ${toleratedMs} ms`);
  await eventually(
    "six are ready elsewhere",
    async () => {
      const now = await podsOf(kubectl, "web");
      return now.filter((pod) => pod.spec.nodeName !== "node-3" && isReady(pod)).length === 6;
    },
    patienceMs,
  );
  const events = await kubectl.run(["get", "events", "--field-selector=involvedObject.name=db-0"]);
  t.match(events, /TaintManagerEviction .*Marking for deletion Pod default\/db-0/);
  await load.stop();
  t.strictSame(load.failures(), [], "since its endpoints are out, no request is lost");

  // A set that works on would have replaced db-0 by now, were it allowed to.
  await kubectl.run(["scale", "statefulset/db", "--replicas=2"]);
  await eventually(
    "db-1 is ready",
    async () => (await podsOf(kubectl, "db")).some((pod) => pod.metadata.name === "db-1" && isReady(pod)),
    patienceMs,
  );
  const doubled = (await podsOf(kubectl, "db")).find(({ metadata }) => metadata.name === "db-0");
  t.match(doubled, { metadata: { uid: db!.metadata.uid }, spec: { nodeName: "node-3" } });
  const running = await docker("node-3", "ps", "-q", "--filter", "label=io.kubernetes.container.name=db");
  t.match(running, /^\w+\n$/, "it still runs where nobody can reach it");
  t.equal(history.spans().length, 1);

  await picokube("fault", "heal", "node-3");
  await kubectl.run(["wait", "node/node-3", "--for=condition=Ready", "--timeout=300s"], { timeoutMs: 310_000 });
  await eventually(
    "db-0 is made anew",
    async () => {
      const now = (await podsOf(kubectl, "db")).find(({ metadata }) => metadata.name === "db-0");
      return now !== undefined && now.metadata.uid !== db!.metadata.uid && isReady(now);
    },
    patienceMs,
  );
  await runsWhatTheApiSays("node-3", vms, patienceMs);
  await eventually(
    "the taints are gone",
    async () => (await kubectl.json(["get", "node", "node-3"])).spec.taints === undefined,
  );
  await eventually("its start is told", async () => history.spans().length === 2);
  t.strictSame(history.overlaps(), [], "never were there two");
  const [kept] = onNode3(await podsOf(kubectl, "agent"));
  t.equal(kept!.metadata.uid, agent!.metadata.uid, "a DaemonSet's pod stays through it all");
  t.comment(
    `node-3 cut off: NotReady after ${silentMs} ms of silence, its pods evicted after another ${toleratedMs} ms; ${load.answered()} requests meanwhile, ${load.failures().length} lost`,
  );
}
