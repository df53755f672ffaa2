// StatefulSets through chance: edits, pods that fail, fall ill or are deleted, nodes that are lost, a controller that sees
// old news and dies at any write. What it does is right at each step, and in the end all is as asked for. Seeded.

import { controllerrevisions, type StatefulSet, statefulsets } from "@picokube/api/apps/v1";
import { type Pod, persistentvolumeclaims, pods } from "@picokube/api/core/v1";
import { controllerOf } from "@picokube/api/owner";
import { isPodReady } from "@picokube/api/pod";
import { realClock } from "@picokube/component-base/clock";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { type Test, test } from "tap";
import { type DrivenController, driveController, type Write } from "../driven-controller.testing.js";
import { runControllers } from "../run-controllers.testing.js";
import { type SeededRandom, seededRandom } from "../seeded-random.testing.js";
import { serviceAccountController } from "../serviceaccount/serviceaccount-controller.js";
import { inRange, ordinalOf, ordinalRange, revisionOf } from "./identity.js";
import { statefulSetController } from "./statefulset-controller.js";

const namespace = "default";
const name = "db";
const where = { name, namespace };
const labels = { app: name };
// Bound from the first, so that only a kubelet can end them.
const template = (image: string) => ({
  metadata: { labels },
  spec: { nodeName: "n1", containers: [{ name: "db", image }] },
});
const steps = 40;

/** Kubelets: what they run goes on until they say that it has ended. */
class World {
  readonly #client: TestApiServer["client"];
  /** Pods, by uid, whose node is out of reach. */
  readonly #lost = new Set<string>();
  readonly #processes = new Map<string, number>();

  constructor(client: TestApiServer["client"]) {
    this.#client = client;
  }

  async pods(): Promise<Pod[]> {
    return (await this.#client.list(pods, { namespace })).items;
  }

  setStatus({ metadata }: Pod, status: object): Promise<unknown> {
    const options = { type: "merge", subresource: "status" } as const;
    return this.#client.patch(pods, { name: metadata.name, namespace }, { status }, options);
  }

  setReady(pod: Pod, ready: boolean): Promise<unknown> {
    const lastTransitionTime = "2026-01-01T00:00:00Z";
    const conditions = [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime }];
    return this.setStatus(pod, { phase: "Running", conditions });
  }

  /** It ends by itself. */
  end(pod: Pod, phase: "Failed" | "Succeeded"): Promise<unknown> {
    this.#processes.delete(pod.metadata.uid);
    return this.setStatus(pod, { phase });
  }

  /** It ends, and nothing is left of it. */
  remove({ metadata }: Pod): Promise<unknown> {
    this.#processes.delete(metadata.uid);
    return this.#client.delete(pods, { name: metadata.name, namespace }, { gracePeriodSeconds: 0 });
  }

  lose(pod: Pod): void {
    this.#lost.add(pod.metadata.uid);
  }

  findAgain(): void {
    this.#lost.clear();
  }

  /** One round of every kubelet's work; those out of reach do none. Returns names that two processes ran under. */
  async work(random: SeededRandom, share: number): Promise<string[]> {
    const doubled: string[] = [];
    for (const pod of await this.pods()) {
      const { uid, name: podName, deletionTimestamp } = pod.metadata;
      if (this.#lost.has(uid) || !random.chance(share)) continue;
      if (deletionTimestamp) await this.remove(pod);
      else if (pod.status?.phase === "Pending") {
        this.#processes.set(uid, ordinalOf(pod));
        if ([...this.#processes.values()].filter((ordinal) => ordinal === ordinalOf(pod)).length > 1)
          doubled.push(podName);
        await this.setReady(pod, true);
      } else if (pod.status?.phase === "Running" && !isPodReady(pod)) await this.setReady(pod, true);
    }
    return doubled;
  }
}

function isWell(pod: Pod | undefined): boolean {
  return pod?.status?.phase === "Running" && isPodReady(pod) && !pod.metadata.deletionTimestamp;
}

/** What is wrong with a write, given what the controller saw. */
function faultOf({ verb, resource, args }: Write, set: StatefulSet, seen: readonly Pod[]): string | undefined {
  if (resource.resource === "persistentvolumeclaims" && verb === "delete") return "a claim was deleted";
  if (resource.resource !== "pods") return undefined;
  const ordered = set.spec?.podManagementPolicy !== "Parallel";
  const { start, end } = ordinalRange(set);
  const own = new Map(
    seen.filter((pod) => controllerOf(pod)?.uid === set.metadata.uid).map((pod) => [ordinalOf(pod), pod]),
  );
  const well = (from: number, to: number) =>
    Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i).every((ordinal) => isWell(own.get(ordinal)));
  if (verb === "create") {
    const ordinal = ordinalOf(args[0] as Pod);
    if (!inRange(set, args[0] as Pod)) return `made ${ordinal}, which is not of ${start} to ${end - 1}`;
    return ordered && !well(start, ordinal) ? `made ${ordinal} before all below were ready` : undefined;
  }
  if (verb !== "delete") return undefined;
  const { preconditions, gracePeriodSeconds } = (args[1] ?? {}) as {
    preconditions?: object;
    gracePeriodSeconds?: number;
  };
  if (gracePeriodSeconds !== undefined) return "forced an end";
  const pod = seen.find(({ metadata }) => metadata.name === (args[0] as { name: string }).name);
  if (!pod || (preconditions as { uid?: string })?.uid !== pod.metadata.uid) return "ended a pod that it had not seen";
  const ordinal = ordinalOf(pod);
  if (!isWell(pod)) return undefined;
  if (!inRange(set, pod)) return ordered && !well(start, end) ? `gave ${ordinal} up while others were ill` : undefined;
  const { type, rollingUpdate } = set.spec!.updateStrategy!;
  if (type === "OnDelete") return `ended ${ordinal}, which only its owner may`;
  if (ordinal < start + (rollingUpdate?.partition ?? 0)) return `ended ${ordinal}, below the partition`;
  if (rollingUpdate?.maxUnavailable !== undefined) {
    const ill = Array.from({ length: end - start }, (_, i) => own.get(start + i)).filter(
      (each) => !isWell(each),
    ).length;
    return ill >= Number(rollingUpdate.maxUnavailable) ? `ended ${ordinal} while ${ill} were away` : undefined;
  }
  return well(ordered ? start : ordinal, end) ? undefined : `ended ${ordinal} while others were ill`;
}

async function play(
  t: Test,
  server: TestApiServer,
  { seed, policy }: { seed: number; policy: "OrderedReady" | "Parallel" },
) {
  const { client } = server;
  const random = seededRandom(seed);
  const world = new World(client);
  const faults: string[] = [];
  let written = 0;
  let before: readonly Pod[] = [];
  const endedNow = new Set<string>();
  const see = () => controller.informers.for(pods).list(namespace);
  // What the step itself has ended is away, whatever the cache shows.
  const asOfNow = (seen: readonly Pod[]) =>
    seen.map((pod) =>
      endedNow.has(pod.metadata.name) ? { ...pod, metadata: { ...pod.metadata, deletionTimestamp: "now" } } : pod,
    );
  const controller: DrivenController = await driveController(t, {
    client,
    create: statefulSetController,
    clock: realClock(),
    watchDelayMs: 5,
    onStep() {
      before = see();
    },
    onWrite(write) {
      written += 1;
      const set = controller.informers.for(statefulsets).get(`${namespace}/${name}`)!;
      const fault = faultOf(write, set, asOfNow(before));
      if (fault) faults.push(fault);
      if (write.verb === "delete" && write.resource.resource === pods.resource)
        endedNow.add((write.args[0] as { name: string }).name);
    },
  });
  const made = await client.create(statefulsets, {
    metadata: where,
    spec: {
      replicas: 3,
      serviceName: "",
      podManagementPolicy: policy,
      selector: { matchLabels: labels },
      template: template("a"),
      revisionHistoryLimit: 2,
      volumeClaimTemplates: [
        {
          metadata: { name: "data" },
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
        },
      ],
    },
  });
  const catchUp = () => controller.catchUp(statefulsets, pods, controllerrevisions, persistentvolumeclaims);
  const edit = (spec: object) => client.patch(statefulsets, where, { spec }, { type: "merge" });
  const rolling = (rollingUpdate: object) => edit({ updateStrategy: { type: "RollingUpdate", rollingUpdate } });
  const somePod = async () => random.pick((await world.pods()).filter(({ metadata }) => !metadata.deletionTimestamp));
  const withPod = async (act: (pod: Pod) => unknown) => {
    const pod = await somePod();
    if (pod) await act(pod);
  };
  const chances: (() => Promise<unknown>)[] = [
    () => edit({ replicas: random.below(5) }),
    () => edit({ template: template(random.pick(["a", "b", "c"])!) }),
    () => edit({ ordinals: { start: random.below(3) } }),
    () => rolling({ partition: random.below(4), maxUnavailable: null }),
    () => rolling({ partition: 0, maxUnavailable: 1 + random.below(2) }),
    () => edit({ updateStrategy: { type: "OnDelete", rollingUpdate: null } }),
    () => withPod((pod) => client.delete(pods, { name: pod.metadata.name, namespace })),
    () => withPod((pod) => world.end(pod, random.pick(["Failed", "Succeeded"] as const)!)),
    () => withPod((pod) => (pod.status?.phase === "Running" ? world.setReady(pod, false) : undefined)),
    () =>
      withPod((pod) =>
        client.patch(
          pods,
          { name: pod.metadata.name, namespace },
          { metadata: { labels: { app: "x" } } },
          { type: "merge" },
        ),
      ),
    () => withPod((pod) => world.lose(pod)),
    async () => world.findAgain(),
  ];
  for (let step = 0; step < steps; step++) {
    if (random.chance(0.4)) await random.pick(chances)!();
    const doubled = await world.work(random, 0.6);
    t.strictSame(doubled, [], `seed ${seed}, step ${step}: one process an ordinal`);
    // A pod that was given away under the set's name goes, sooner or later.
    for (const pod of await world.pods()) if (!controllerOf(pod) && random.chance(0.3)) await world.remove(pod);
    if (random.chance(0.7)) await catchUp();
    endedNow.clear();
    const death = random.chance(0.25) ? { at: 1 + random.below(3), afterTheWrite: random.chance(0.5) } : undefined;
    await controller.step(`${namespace}/${name}`, death);
    // Once more, before the news of the first can have come.
    if (random.chance(0.3)) await controller.step(`${namespace}/${name}`);
    if (faults.length > 0) break;
  }
  t.strictSame(faults, [], `seed ${seed}`);

  world.findAgain();
  await rolling({ partition: 0, maxUnavailable: null });
  const done = await eventually(`seed ${seed}: all is as asked for`, async () => {
    for (const pod of await world.pods()) if (!controllerOf(pod)) await world.remove(pod);
    await world.work(random, 1);
    await catchUp();
    await controller.step(`${namespace}/${name}`);
    const set = await client.get(statefulsets, where);
    const all = await world.pods();
    const { start, end } = ordinalRange(set);
    const wanted = Array.from({ length: end - start }, (_, i) => `${name}-${start + i}`);
    const complete =
      all
        .map(({ metadata }) => metadata.name)
        .sort()
        .join() === wanted.join() &&
      all.every((pod) => isWell(pod) && revisionOf(pod) === set.status?.updateRevision) &&
      set.status?.observedGeneration === set.metadata.generation &&
      set.status?.currentRevision === set.status?.updateRevision &&
      (set.status?.availableReplicas ?? 0) === wanted.length;
    return complete && { set, all };
  });
  const image = done.set.spec?.template.spec?.containers[0]?.image;
  t.ok(
    done.all.every(({ spec }) => spec?.containers[0]?.image === image),
    `seed ${seed}: of the last template`,
  );
  t.equal(done.set.metadata.uid, made.metadata.uid);
  await catchUp();
  written = 0;
  await controller.step(`${namespace}/${name}`);
  t.equal(written, 0, `seed ${seed}: at rest nothing is written`);
  const { items } = await client.list(controllerrevisions, { namespace });
  t.ok(items.length <= 3, `seed ${seed}: ${items.length} revisions, of which two are history`);
  t.equal(new Set(items.map(({ revision }) => revision)).size, items.length, "no revision number twice");
}

test("StatefulSets through chance", async (t) => {
  for (const [index, policy] of (["OrderedReady", "Parallel", "OrderedReady", "Parallel"] as const).entries())
    await t.test(`${policy}, seed ${index + 1}`, async (t) => {
      const server = await startApiServer(t);
      runControllers(t, { client: server.client, create: [serviceAccountController] });
      await play(t, server, { seed: index + 1, policy });
    });
});
