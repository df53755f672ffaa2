// Deployments, ReplicaSets and endpoints against a real apiserver: the test plays the kubelet, the controllers do the rest.

import { deployments, replicasets } from "@picokube/api/apps/v1";
import { configmaps, endpoints, events, type Pod, pods, serviceaccounts, services } from "@picokube/api/core/v1";
import { endpointslices } from "@picokube/api/discovery/v1";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { type Test, test } from "tap";
import { selectControllers } from "./controllers.js";
import { runControllers } from "./run-controllers.testing.js";

const namespace = "default";

function runSelected(t: Test, { client, pkiDirectory }: TestApiServer, words: readonly string[]) {
  const create = selectControllers(words).map((entry) => entry.create);
  return runControllers(t, { client, create, options: { rootCaFile: `${pkiDirectory}/ca.crt` } });
}

let lastAddress = 1;

async function makeReady({ client }: TestApiServer, pod: Pod): Promise<void> {
  lastAddress += 1;
  const podIP = `10.244.0.${lastAddress}`;
  const lastTransitionTime = new Date().toISOString();
  const conditions = [{ type: "Ready", status: "True", lastTransitionTime }];
  const status = { phase: "Running", podIP, podIPs: [{ ip: podIP }], conditions };
  await client
    .patch(pods, { name: pod.metadata.name, namespace }, { status }, { type: "merge", subresource: "status" })
    .catch(() => {});
}

async function playKubelet(server: TestApiServer): Promise<void> {
  for (const pod of (await server.client.list(pods, { namespace })).items)
    if (pod.status?.phase === "Pending") await makeReady(server, pod);
}

const template = (image: string) => ({
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "web", image }] },
});

test("a Deployment comes up, rolls over without going below what must be available, and is scaled", async (t) => {
  const server = await startApiServer(t);
  const { client } = server;
  runSelected(t, server, ["*", "-garbagecollector", "-nodelifecycle"]);
  await client.create(services, {
    metadata: { name: "web", namespace },
    // Nobody schedules these pods, and those of no node are published for who wants them all.
    spec: { selector: { app: "web" }, ports: [{ port: 80 }], publishNotReadyAddresses: true },
  });
  const selector = { matchLabels: { app: "web" } };
  await client.create(deployments, {
    metadata: { name: "web", namespace },
    spec: { replicas: 3, selector, template: template("a") },
  });
  const complete = (replicas: number, watch = (_available: number) => {}) =>
    eventually(`${replicas} of ${replicas} available`, async () => {
      await playKubelet(server);
      const { status, metadata } = await client.get(deployments, { name: "web", namespace });
      watch(status?.availableReplicas ?? 0);
      const settled =
        status?.observedGeneration === metadata.generation &&
        status?.updatedReplicas === replicas &&
        status.availableReplicas === replicas &&
        status.replicas === replicas;
      return settled && status;
    });
  const first = await complete(3);
  t.match(first.conditions, [
    { type: "Available", status: "True", reason: "MinimumReplicasAvailable" },
    { type: "Progressing", status: "True", reason: "NewReplicaSetAvailable" },
  ]);

  await eventually("three endpoints", async () => {
    const slices = (await client.list(endpointslices, { namespace, labelSelector: "kubernetes.io/service-name=web" }))
      .items;
    const { subsets } = await client.get(endpoints, { name: "web", namespace });
    return slices.flatMap((slice) => slice.endpoints ?? []).length === 3 && subsets?.[0]?.addresses?.length === 3;
  });

  let fewest = 3;
  const patch = { spec: { template: { spec: { containers: [{ name: "web", image: "b" }] } } } };
  await client.patch(deployments, { name: "web", namespace }, patch, { type: "strategic" });
  await complete(3, (available) => {
    fewest = Math.min(fewest, available);
  });
  t.ok(fewest >= 3, "25% of three rounds down to none missing");
  const sets = (await client.list(replicasets, { namespace })).items;
  const bySize = Object.fromEntries(
    sets.map(({ metadata, spec }) => [metadata.annotations?.["deployment.kubernetes.io/revision"], spec?.replicas]),
  );
  t.strictSame(bySize, { "1": 0, "2": 3 });

  await client.patch(deployments, { name: "web", namespace }, { spec: { replicas: 1 } }, { type: "merge" });
  await complete(1);
  const told = (await client.list(events, { namespace, fieldSelector: "involvedObject.kind=Deployment" })).items;
  t.match(told.map(({ message }) => message)[0], /^Scaled up replica set web-[a-z0-9]+ from 0 to 3$/);
  await t.resolves(client.get(serviceaccounts, { name: "default", namespace }));
  t.match(
    (await client.get(configmaps, { name: "kube-root-ca.crt", namespace })).data?.["ca.crt"],
    /BEGIN CERTIFICATE/,
  );
});

test("a deleted pod is replaced, an orphan adopted, and all goes on after the apiserver was killed", async (t) => {
  const server = await startApiServer(t);
  const { client } = server;
  runSelected(t, server, ["replicaset", "serviceaccount"]);
  // Pods are refused until their namespace has its ServiceAccount.
  await eventually("the ServiceAccount", () =>
    client.get(serviceaccounts, { name: "default", namespace }).catch(() => undefined),
  );
  const selector = { matchLabels: { app: "web" } };
  const orphan = await client.create(pods, {
    metadata: { name: "orphan", namespace, labels: { app: "web" } },
    spec: template("a").spec,
  });
  await client.create(replicasets, {
    metadata: { name: "web", namespace },
    spec: { replicas: 2, selector, template: template("a") },
  });
  const owned = async () =>
    (await client.list(pods, { namespace })).items.filter(
      ({ metadata }) => metadata.ownerReferences?.[0]?.name === "web" && !metadata.deletionTimestamp,
    );
  const two = await eventually("two pods", async () => {
    const found = await owned();
    return found.length === 2 && found;
  });
  t.ok(two.some(({ metadata }) => metadata.uid === orphan.metadata.uid));

  await server.stop("SIGKILL");
  await server.restart();
  const victim = two.find(({ metadata }) => metadata.uid !== orphan.metadata.uid)!;
  await client.delete(pods, { name: victim.metadata.name, namespace }, { gracePeriodSeconds: 0 });
  await eventually("a replacement", async () => {
    const found = await owned();
    return found.length === 2 && found.every(({ metadata }) => metadata.uid !== victim.metadata.uid);
  });
});
