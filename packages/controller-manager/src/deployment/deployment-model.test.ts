// Deployments under controllers that die at any write and changes that come at any time: never more pods than replicas and
// surge, never fewer available than must be, and it converges. Seeded.

import { deployments, replicasets } from "@picokube/api/apps/v1";
import { type Pod, pods } from "@picokube/api/core/v1";
import { isPodReady } from "@picokube/api/pod";
import { ifThere } from "@picokube/client/if-there";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { type Test, test } from "tap";
import { crashingControllers } from "../crashing-controllers.testing.js";
import { replicaSetController } from "../replicaset/replicaset-controller.js";
import { runControllers } from "../run-controllers.testing.js";
import { seededRandom } from "../seeded-random.testing.js";
import { serviceAccountController } from "../serviceaccount/serviceaccount-controller.js";
import { deploymentController } from "./deployment-controller.js";
import { fenceposts } from "./replica-sets.js";

const namespace = "default";
const replicas = 5;
const rollouts = [
  { maxSurge: 0, maxUnavailable: 2 },
  { maxSurge: 3, maxUnavailable: 0 },
] as const;

interface Play {
  readonly name: string;
  readonly seed: number;
  readonly rollingUpdate: object;
  /** Whether pods die, too: then only the surge can be held to. */
  readonly deaths: boolean;
}

async function play(t: Test, server: TestApiServer, { name, seed, rollingUpdate, deaths }: Play): Promise<void> {
  const { client } = server;
  const random = seededRandom(seed);
  const clock = steppingClock(Math.floor(Date.now() / 1000) * 1000);
  const create = [deploymentController, replicaSetController];
  const labels = { app: name };
  const template = (image: number) => ({
    metadata: { labels },
    spec: { nodeName: "n1", containers: [{ name: "main", image: `image-${image}` }] },
  });
  await client.create(deployments, {
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: template(0),
      strategy: { type: "RollingUpdate", rollingUpdate } as const,
      revisionHistoryLimit: 2,
    },
  });
  const controllers = crashingControllers(t, { client, create, clock, random, mostWrites: 25 });
  const read = () => client.get(deployments, { name, namespace });
  const livePods = async () =>
    (await client.list(pods, { namespace, labelSelector: `app=${name}` })).items.filter(
      ({ metadata }) => !metadata.deletionTimestamp,
    );
  const where = ({ metadata }: Pod) => ({ name: metadata.name, namespace });
  const becomeReady = async (pod: Pod) => {
    const status = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
    await ifThere(client.patch(pods, where(pod), { status }, { type: "strategic", subresource: "status" }));
  };

  const setsOf = async () => (await client.list(replicasets, { namespace, labelSelector: `app=${name}` })).items;
  const areObserved = async () =>
    (await setsOf()).every(
      ({ metadata, spec, status }) =>
        status?.observedGeneration === metadata.generation && (status?.replicas ?? 0) === spec?.replicas,
    );

  let wasFull = false;
  let image = 0;
  let steps = 0;
  const { maxSurge, maxUnavailable } = fenceposts(await read());
  const settled = async (all: readonly Pod[]) => {
    const { status } = await read();
    const current = all.filter(({ spec }) => spec?.containers[0]?.image === `image-${image}`);
    return (
      status?.availableReplicas === replicas &&
      status.replicas === replicas &&
      current.length === replicas &&
      all.length === replicas
    );
  };
  await eventually(
    `seed ${seed}: it converges`,
    async () => {
      await clock.advance(random.below(1000));
      const all = await livePods();
      const available = all.filter(isPodReady).length;
      t.ok(all.length <= replicas + maxSurge, `seed ${seed}: ${all.length} pods`);
      wasFull ||= available === replicas;
      if (wasFull && !deaths) t.ok(available >= replicas - maxUnavailable, `seed ${seed}: ${available} are available`);
      steps += 1;
      if (steps > 22) controllers.calm();
      for (const pod of all) {
        if (!isPodReady(pod) && random.chance(0.5)) await becomeReady(pod);
        else if (deaths && steps < 18 && random.chance(0.1))
          await ifThere(client.delete(pods, where(pod), { gracePeriodSeconds: 0 }));
      }
      // In mid-rollout, but not in the moment when counts lag behind sizes: there nobody can know better.
      if (steps < 18 && wasFull && random.chance(0.4) && (await areObserved())) {
        image = random.below(4);
        const spec = { template: template(image) };
        await client.patch(deployments, { name, namespace }, { spec }, { type: "merge" });
      }
      return steps > 22 && settled(all);
    },
    100_000,
  );
  const sets = await setsOf();
  t.equal(sets.filter(({ spec }) => (spec?.replicas ?? 0) > 0).length, 1, "one ReplicaSet has them all");
  t.ok(controllers.crashes() > 0);
  t.comment(`${name}, seed ${seed}: ${controllers.crashes()} crashes, ${sets.length} ReplicaSets`);
}

test("the fenceposts hold, whenever the controllers die", async (t) => {
  const server = await startApiServer(t);
  runControllers(t, { client: server.client, create: [serviceAccountController] });
  for (const [index, rollingUpdate] of rollouts.entries()) {
    const name = `model-${index}`;
    await t.test(name, (t) => play(t, server, { name, seed: 11 + index, rollingUpdate, deaths: false }));
  }
  const name = "model-deaths";
  await t.test(name, (t) =>
    play(t, server, { name, seed: 21, rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" }, deaths: true }),
  );
});
