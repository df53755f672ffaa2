// ReplicaSets through chance: sizes and labels that are edited, pods that fail, vanish and are taken away, a controller that
// sees old news and dies at any write. By its own act there are never more pods than asked for, it never gives up more than
// are too many, and in the end all is as asked for. Seeded.

import { type ReplicaSet, replicasets } from "@picokube/api/apps/v1";
import { type Pod, pods } from "@picokube/api/core/v1";
import { controllerOf } from "@picokube/api/owner";
import { isPodActive, isPodReady } from "@picokube/api/pod";
import { ifThere } from "@picokube/client/if-there";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { type Test, test } from "tap";
import { type DrivenController, driveController, type Write } from "../driven-controller.testing.js";
import { runControllers } from "../run-controllers.testing.js";
import { seededRandom } from "../seeded-random.testing.js";
import { serviceAccountController } from "../serviceaccount/serviceaccount-controller.js";
import { replicaSetController } from "./replicaset-controller.js";

const namespace = "default";
const steps = 60;

/** What one step was given and what it did. */
interface Step {
  readonly desired: number;
  /** Pods that the cache showed as its own, or for the taking. */
  readonly active: number;
  /** Pods that were told to end before the step, and have not been forgotten by a death. */
  readonly told: ReadonlySet<string>;
  readonly writes: Write[];
}

/** What is wrong with a step, given what the controller saw. */
function faultsOf({ desired, active, told, writes }: Step): string[] {
  const ofPods = (verb: Write["verb"]) =>
    writes.filter((write) => write.verb === verb && write.resource.resource === pods.resource);
  const ended = ofPods("delete").map(({ args }) => (args[0] as { name: string }).name);
  const created = ofPods("create").length;
  return [
    ...(created > Math.max(0, desired - active) ? [`made ${created} where ${active} of ${desired} were there`] : []),
    ...(ended.length > Math.max(0, active - desired) ? [`ended ${ended.length} of ${active}, ${desired} wanted`] : []),
    ...(created > 0 && ended.length > 0 ? ["made some and ended some"] : []),
    ...ended.filter((name) => told.has(name)).map((name) => `told ${name} twice`),
  ];
}

async function play(t: Test, server: TestApiServer, seed: number): Promise<void> {
  const { client } = server;
  const random = seededRandom(seed);
  const name = `web-${seed}`;
  const key = `${namespace}/${name}`;
  const labels = { app: name };
  let writes: Write[] = [];
  const told = new Set<string>();
  let seen: { set: ReplicaSet | undefined; pods: readonly Pod[] } = { set: undefined, pods: [] };
  const controller: DrivenController = await driveController(t, {
    client,
    create: replicaSetController,
    clock: steppingClock(),
    watchDelayMs: 5,
    onStep() {
      const { informers } = controller;
      seen = { set: informers.for(replicasets).get(key), pods: informers.for(pods).list(namespace) };
    },
    onWrite: (write) => writes.push(write),
  });
  const { metadata: made } = await client.create(replicasets, {
    metadata: { name, namespace },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      // Bound from the first, so that only a kubelet can end them.
      template: { metadata: { labels }, spec: { nodeName: "n1", containers: [{ name: "web", image: "nginx" }] } },
    },
  });
  const isOwn = (pod: Pod) => controllerOf(pod)?.uid === made.uid;
  const all = async () =>
    (await client.list(pods, { namespace })).items.filter(({ metadata }) => metadata.name.startsWith(`${name}-`));
  const where = ({ metadata }: Pod) => ({ name: metadata.name, namespace });
  const setStatus = (pod: Pod, status: object) =>
    ifThere(client.patch(pods, where(pod), { status }, { type: "merge", subresource: "status" }));
  const remove = (pod: Pod) => ifThere(client.delete(pods, where(pod), { gracePeriodSeconds: 0 }));
  const relabel = (pod: Pod, app: string) =>
    ifThere(client.patch(pods, where(pod), { metadata: { labels: { app } } }, { type: "merge" }));
  const setReady = (pod: Pod, ready: boolean) => {
    const lastTransitionTime = "2026-01-01T00:00:00Z";
    const conditions = [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime }];
    return setStatus(pod, { phase: "Running", conditions });
  };
  const scale = (replicas: number) =>
    client.patch(replicasets, { name, namespace }, { spec: { replicas } }, { type: "merge" });
  const withPod = async (which: (pod: Pod) => boolean, act: (pod: Pod) => Promise<unknown>) => {
    const pod = random.pick((await all()).filter(which));
    if (pod) await act(pod);
  };
  const chances: (() => Promise<unknown>)[] = [
    () => scale(random.below(6)),
    () => scale(random.below(6)),
    () => withPod(isPodActive, (pod) => relabel(pod, "stray")),
    () =>
      withPod(
        (pod) => pod.metadata.labels?.app === "stray",
        (pod) => relabel(pod, name),
      ),
    () => withPod(isPodActive, (pod) => setStatus(pod, { phase: "Failed" })),
    () => withPod(isPodActive, (pod) => client.delete(pods, where(pod))),
    () => withPod(() => true, remove),
    // No kubelet wakes a pod that has ended: it would come back beside the one made in its stead.
    () =>
      withPod(
        (pod) => isPodActive(pod) && isPodReady(pod),
        (pod) => setReady(pod, false),
      ),
  ];
  const kubelets = async (share: number) => {
    for (const pod of await all()) {
      if (!random.chance(share)) continue;
      if (pod.metadata.deletionTimestamp) await remove(pod);
      else if (isPodActive(pod) && !isPodReady(pod)) await setReady(pod, true);
    }
  };
  const own = async () => (await all()).filter((pod) => isOwn(pod) && isPodActive(pod));
  const catchUp = () => controller.catchUp(replicasets, pods);

  async function step(death?: { at: number; afterTheWrite: boolean }): Promise<string[]> {
    writes = [];
    const before = (await own()).length;
    await controller.step(key, death);
    const { set } = seen;
    if (!set) return [];
    const desired = set.spec?.replicas ?? 1;
    const mine = seen.pods.filter(
      (pod) => isPodActive(pod) && pod.metadata.labels?.app === name && (isOwn(pod) || controllerOf(pod) === undefined),
    );
    const faults = faultsOf({ desired, active: mine.length, told, writes });
    const after = (await own()).length;
    const adopted = writes.filter(
      ({ verb, args }) => verb === "patch" && JSON.stringify(args[1]).includes('"controller":true'),
    );
    if (after > Math.max(before, desired) + adopted.length) faults.push(`${after} pods, ${desired} wanted`);
    if (death) told.clear();
    for (const { verb, resource, args } of writes)
      if (!death && verb === "delete" && resource.resource === pods.resource)
        told.add((args[0] as { name: string }).name);
    return faults;
  }

  for (let round = 0; round < steps; round++) {
    if (random.chance(0.5)) await random.pick(chances)!();
    await kubelets(0.4);
    if (random.chance(0.6)) await catchUp();
    const death = random.chance(0.25) ? { at: 1 + random.below(3), afterTheWrite: random.chance(0.5) } : undefined;
    const faults = await step(death);
    // Twice more, before the news of the first can have come.
    if (random.chance(0.5)) faults.push(...(await step()), ...(await step()));
    t.strictSame(faults, [], `seed ${seed}, round ${round}`);
    if (faults.length > 0) return;
  }

  await scale(4);
  const status = await eventually(`seed ${seed}: all is as asked for`, async () => {
    await kubelets(1);
    await catchUp();
    await controller.step(key);
    const { status: now, metadata } = await client.get(replicasets, { name, namespace });
    const mine = await own();
    const good = mine.length === 4 && mine.every((pod) => isPodReady(pod) && pod.metadata.labels?.app === name);
    return good && now?.availableReplicas === 4 && now.observedGeneration === metadata.generation && now;
  });
  t.match(status, { replicas: 4, readyReplicas: 4, fullyLabeledReplicas: 4 });
  t.ok(
    (await all()).filter(isPodActive).every((pod) => isOwn(pod) === (pod.metadata.labels?.app === name)),
    `seed ${seed}: every stray was let go, and nothing of its own`,
  );
  await catchUp();
  writes = [];
  await controller.step(key);
  t.strictSame(writes, [], `seed ${seed}: at rest nothing is written`);
}

test("ReplicaSets through chance", async (t) => {
  const server = await startApiServer(t);
  runControllers(t, { client: server.client, create: [serviceAccountController] });
  for (const seed of [1, 2, 3]) await t.test(`seed ${seed}`, (t) => play(t, server, seed));
});
