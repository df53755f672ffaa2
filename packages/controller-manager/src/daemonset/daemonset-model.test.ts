// DaemonSets through chance: edits, nodes that come, go and are tainted, pods that fail, fall ill or are deleted, a
// controller that sees old news and dies at any write. What it does is right at each step, and in the end every node that
// is wanted has its pod. Seeded.

import { controllerrevisions, type DaemonSet, daemonsets } from "@picokube/api/apps/v1";
import { type Node, nodes, type Pod, pods } from "@picokube/api/core/v1";
import { controllerOf } from "@picokube/api/owner";
import { isPodReady, isPodTerminal } from "@picokube/api/pod";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { type Test, test } from "tap";
import { type DrivenController, driveController, type Write } from "../driven-controller.testing.js";
import { runControllers } from "../run-controllers.testing.js";
import { seededRandom } from "../seeded-random.testing.js";
import { serviceAccountController } from "../serviceaccount/serviceaccount-controller.js";
import { targetNodeName } from "./daemon-pod.js";
import { daemonSetController } from "./daemonset-controller.js";
import { surgeCount, unavailableCount } from "./daemonset-plan.js";
import { nodeFit } from "./node-fit.js";

const namespace = "default";
const name = "agent";
const where = { name, namespace };
const labels = { app: name };
const key = `${namespace}/${name}`;
const template = (image: string) => ({ metadata: { labels }, spec: { containers: [{ name: "agent", image }] } });
const steps = 50;

interface Seen {
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
}

const imageOf = (template: { spec?: { containers: { image?: string }[] } } | undefined) =>
  template?.spec?.containers[0]?.image;
const isStaying = (pod: Pod) => !pod.metadata.deletionTimestamp && !isPodTerminal(pod);
const isWell = (pod: Pod) => isStaying(pod) && isPodReady(pod);

/** What is wrong with a write, given what the controller saw. */
function faultOf({ verb, resource, args }: Write, set: DaemonSet, seen: Seen): string | undefined {
  if (resource.resource !== "pods") return undefined;
  const wanted = seen.nodes.filter((node) => nodeFit(node, set).shouldRun).map(({ metadata }) => metadata.name);
  // One that is labelled otherwise is released in the same step.
  const own = seen.pods.filter(
    (pod) => controllerOf(pod)?.uid === set.metadata.uid && pod.metadata.labels?.app === name,
  );
  const on = (nodeName: string | undefined) => own.filter((pod) => targetNodeName(pod) === nodeName);
  const isCurrent = (pod: Pod) => imageOf(pod) === imageOf(set.spec?.template);
  const surge = surgeCount(set, wanted.length);
  if (verb === "create") {
    const nodeName = targetNodeName(args[0] as Pod)!;
    if (!wanted.includes(nodeName)) return `made one for ${nodeName}, which is not wanted`;
    const there = on(nodeName).filter((pod) => !(isPodTerminal(pod) && pod.metadata.deletionTimestamp));
    if (surge === 0) return there.length > 0 ? `made a second one for ${nodeName}` : undefined;
    return there.some((pod) => isStaying(pod) && isCurrent(pod)) ? `made another new one for ${nodeName}` : undefined;
  }
  if (verb !== "delete") return undefined;
  const pod = own.find(({ metadata }) => metadata.name === (args[0] as { name: string }).name);
  if (!pod) return "ended a pod that is not its own";
  const nodeName = targetNodeName(pod)!;
  const beside = on(nodeName).filter((other) => other !== pod && isStaying(other));
  if (!isWell(pod) || !wanted.includes(nodeName) || beside.some(isWell)) return undefined;
  if (beside.length > 0 && surge === 0) return undefined;
  if (isCurrent(pod)) return `ended the good one on ${nodeName}`;
  if (set.spec?.updateStrategy?.type !== "RollingUpdate") return `ended one on ${nodeName}, which only its owner may`;
  if (surge > 0) return `ended one on ${nodeName} before the next was ready`;
  const away = wanted.filter((each) => !on(each).some(isWell)).length;
  return away >= (unavailableCount(set, wanted.length) || 1) ? `ended one while ${away} were away` : undefined;
}

async function play(t: Test, server: TestApiServer, { seed, surge }: { seed: number; surge: boolean }) {
  const { client } = server;
  const random = seededRandom(seed);
  const clock = steppingClock();
  const faults: string[] = [];
  let written = 0;
  let before: Seen = { nodes: [], pods: [] };
  const endedNow = new Set<string>();
  const see = (): Seen => ({
    nodes: controller.informers.for(nodes).list(),
    pods: controller.informers.for(pods).list(namespace),
  });
  // What the step itself has ended is away, whatever the cache shows.
  const asOfNow = (seen: Seen): Seen => ({
    nodes: seen.nodes,
    pods: seen.pods.map((pod) =>
      endedNow.has(pod.metadata.name) ? { ...pod, metadata: { ...pod.metadata, deletionTimestamp: "now" } } : pod,
    ),
  });
  const controller: DrivenController = await driveController(t, {
    client,
    create: daemonSetController,
    clock,
    watchDelayMs: 5,
    onStep() {
      before = see();
    },
    onWrite(write) {
      written += 1;
      const set = controller.informers.for(daemonsets).get(key)!;
      const fault = faultOf(write, set, asOfNow(before));
      if (fault) faults.push(fault);
      if (write.verb === "delete" && write.resource.resource === pods.resource)
        endedNow.add((write.args[0] as { name: string }).name);
    },
  });

  const listPods = async () => (await client.list(pods, { namespace })).items;
  const nameOf = ({ metadata }: Pod) => ({ name: metadata.name, namespace });
  const remove = (pod: Pod) => client.delete(pods, nameOf(pod), { gracePeriodSeconds: 0 });
  const setStatus = (pod: Pod, status: object) =>
    client.patch(pods, nameOf(pod), { status }, { type: "merge", subresource: "status" });
  const setReady = (pod: Pod, ready: boolean) => {
    const lastTransitionTime = "2026-01-01T00:00:00Z";
    const conditions = [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime }];
    return setStatus(pod, { phase: "Running", conditions });
  };

  // The scheduler, the kubelets, and the collector of what lies on nodes that are gone.
  async function work(share: number): Promise<void> {
    const known = new Set((await client.list(nodes)).items.map(({ metadata }) => metadata.name));
    for (const pod of await listPods()) {
      if (!random.chance(share)) continue;
      const nodeName = targetNodeName(pod)!;
      if (pod.metadata.deletionTimestamp || (pod.spec?.nodeName && !known.has(nodeName))) await remove(pod);
      else if (!controllerOf(pod)) await remove(pod);
      else if (!pod.spec?.nodeName) {
        if (!known.has(nodeName)) continue;
        const target = { apiVersion: "v1", kind: "Node", name: nodeName };
        await client.createSubresource(pods, nameOf(pod), "binding", { metadata: nameOf(pod), target });
      } else if (!isPodTerminal(pod) && !isPodReady(pod)) await setReady(pod, true);
    }
  }

  async function addNode(nodeName: string): Promise<void> {
    await client.create(nodes, { metadata: { name: nodeName } });
    // A new node is tainted until its kubelet has reported.
    await client.patch(nodes, { name: nodeName }, { spec: { taints: null } }, { type: "merge" });
  }
  const taint = (taints: object[] | null) => async () => {
    const node = random.pick((await client.list(nodes)).items);
    if (node) await client.patch(nodes, { name: node.metadata.name }, { spec: { taints } }, { type: "merge" });
  };
  const edit = (spec: object) => client.patch(daemonsets, where, { spec }, { type: "merge" });
  const rolling = (maxUnavailable: number, maxSurge: number) =>
    edit({ updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable, maxSurge } } });
  const withPod = async (act: (pod: Pod) => unknown) => {
    const pod = random.pick((await listPods()).filter(isStaying));
    if (pod) await act(pod);
  };
  let lastNode = 0;
  const addNext = () => addNode(`n${++lastNode}`);
  const someRolling = () => (surge ? rolling(0, 1 + random.below(2)) : rolling(1 + random.below(2), 0));
  const someTemplate = () => edit({ template: template(random.pick(["a", "b", "c"])!) });
  const chances: (() => Promise<unknown>)[] = [
    someTemplate,
    someTemplate,
    someTemplate,
    someRolling,
    someRolling,
    () => edit({ updateStrategy: { type: "OnDelete", rollingUpdate: null } }),
    addNext,
    async () => {
      const all = (await client.list(nodes)).items;
      if (all.length > 2) await client.delete(nodes, { name: random.pick(all)!.metadata.name });
    },
    taint([{ key: "gpu", effect: "NoSchedule" }]),
    taint([{ key: "gpu", effect: "NoExecute" }]),
    taint([{ key: "node.kubernetes.io/unreachable", effect: "NoExecute" }]),
    taint(null),
    () => withPod((pod) => client.delete(pods, nameOf(pod))),
    () =>
      withPod((pod) =>
        pod.spec?.nodeName ? setStatus(pod, { phase: random.pick(["Failed", "Succeeded"]) }) : undefined,
      ),
    () => withPod((pod) => (pod.spec?.nodeName && !isPodTerminal(pod) ? setReady(pod, false) : undefined)),
    () => withPod((pod) => client.patch(pods, nameOf(pod), { metadata: { labels: { app: "x" } } }, { type: "merge" })),
  ];
  const catchUp = () => controller.catchUp(daemonsets, pods, nodes, controllerrevisions);

  for (let i = 0; i < 4; i++) await addNext();
  await client.create(daemonsets, {
    metadata: where,
    spec: { selector: { matchLabels: labels }, template: template("a"), revisionHistoryLimit: 2 },
  });
  await someRolling();
  for (let step = 0; step < steps; step++) {
    if (random.chance(0.4)) await random.pick(chances)!();
    await work(0.6);
    await clock.advance(1000 * random.below(10));
    if (random.chance(0.7)) await catchUp();
    endedNow.clear();
    const death = random.chance(0.25) ? { at: 1 + random.below(4), afterTheWrite: random.chance(0.5) } : undefined;
    await controller.step(key, death);
    // Once more, before the news of the first can have come.
    if (random.chance(0.3)) await controller.step(key);
    const set = await client.get(daemonsets, where);
    const counts = new Map<string, number>();
    for (const pod of (await listPods()).filter((each) => isStaying(each) && controllerOf(each)))
      counts.set(targetNodeName(pod)!, (counts.get(targetNodeName(pod)!) ?? 0) + 1);
    t.ok(Math.max(0, ...counts.values()) <= (surge ? 2 : 1), `seed ${seed}, step ${step}: ${[...counts]}`);
    t.ok((set.status?.numberReady ?? 0) <= (set.status?.desiredNumberScheduled ?? 0), `seed ${seed}, step ${step}`);
    if (faults.length > 0) break;
  }
  t.strictSame(faults, [], `seed ${seed}`);

  await rolling(1, 0);
  const done = await eventually(`seed ${seed}: all is as asked for`, async () => {
    await work(1);
    await clock.advance(60_000);
    await catchUp();
    await controller.step(key);
    const set = await client.get(daemonsets, where);
    const all = await listPods();
    const wanted = (await client.list(nodes)).items.filter((node) => nodeFit(node, set).shouldRun);
    const names = wanted.map(({ metadata }) => metadata.name);
    const { status, metadata } = set;
    const complete =
      names.every((each) => all.filter((pod) => pod.spec?.nodeName === each).length === 1) &&
      all.every((pod) => isWell(pod) && imageOf(pod) === imageOf(set.spec?.template)) &&
      status?.observedGeneration === metadata.generation &&
      status?.desiredNumberScheduled === names.length &&
      (status.numberAvailable ?? 0) === names.length &&
      (status.updatedNumberScheduled ?? 0) === names.length;
    return complete && { set, all, names };
  });
  t.ok(
    done.all.length - done.names.length <= (done.set.status?.numberMisscheduled ?? 0),
    `seed ${seed}: no pod too many`,
  );
  await catchUp();
  written = 0;
  await controller.step(key);
  t.equal(written, 0, `seed ${seed}: at rest nothing is written`);
  const { items } = await client.list(controllerrevisions, { namespace });
  t.ok(items.length <= 3, `seed ${seed}: ${items.length} revisions, of which two are history`);
  t.equal(new Set(items.map(({ revision }) => revision)).size, items.length, "no revision number twice");
}

test("DaemonSets through chance", async (t) => {
  for (const [index, surge] of [false, true, false, true].entries())
    await t.test(`seed ${index + 1}${surge ? ", with surge" : ""}`, async (t) => {
      const server = await startApiServer(t);
      runControllers(t, { client: server.client, create: [serviceAccountController] });
      await play(t, server, { seed: index + 1, surge });
    });
});
