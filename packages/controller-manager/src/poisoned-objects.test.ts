// A namespace where nothing may be made, beside one where everything may: each controller that makes objects fails in the
// one again and again, slower and slower, and serves the other meanwhile; when the ban is lifted it catches up.

import { daemonsets, deployments, replicasets, statefulsets } from "@picokube/api/apps/v1";
import { cronjobs, jobs } from "@picokube/api/batch/v1";
import {
  configmaps,
  endpoints,
  namespaces,
  nodes,
  persistentvolumeclaims,
  pods,
  replicationcontrollers,
  resourcequotas,
  serviceaccounts,
  services,
} from "@picokube/api/core/v1";
import { endpointslices } from "@picokube/api/discovery/v1";
import type { KubernetesObject, NewObject } from "@picokube/api/meta/v1";
import { controllerOf } from "@picokube/api/owner";
import type { Resource } from "@picokube/api/resource";
import { formatTime } from "@picokube/api/time";
import type { Client } from "@picokube/client/client";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { type Test, test } from "tap";
import { selectControllers } from "./controllers.js";
import { runControllers } from "./run-controllers.testing.js";

const banned = "banned";
const free = "free";
const containers = [{ name: "main", image: "nginx" }];
const template = (name: string, spec: object = {}) => ({
  metadata: { labels: { app: name } },
  spec: { containers, ...spec },
});
const selector = (name: string) => ({ matchLabels: { app: name } });

/** All that makes objects: what it is asked for, and what it makes. */
interface Row {
  readonly controller: string;
  readonly ask: readonly [resource: Resource, name: string, body: object];
  readonly makes: Resource;
  /** Whether this is what was asked for. */
  readonly isMade: (object: KubernetesObject) => boolean;
}

const ownedBy = (kind: string) => (object: KubernetesObject) => controllerOf(object)?.kind === kind;
const named =
  (name: string) =>
  ({ metadata }: KubernetesObject) =>
    metadata.name === name;
const ports = [{ port: 80 }];
const storage = { resources: { requests: { storage: "1Mi" } }, accessModes: ["ReadWriteOnce"] };

const rows: readonly Row[] = [
  {
    controller: "deployment-controller",
    ask: [deployments, "d", { spec: { selector: selector("d"), template: template("d") } }],
    makes: replicasets,
    isMade: ownedBy("Deployment"),
  },
  {
    controller: "replicaset-controller",
    ask: [replicasets, "rs", { spec: { replicas: 1, selector: selector("rs"), template: template("rs") } }],
    makes: pods,
    isMade: ({ metadata }) => controllerOf({ metadata } as KubernetesObject)?.name === "rs",
  },
  {
    controller: "replicationcontroller-controller",
    ask: [replicationcontrollers, "rc", { spec: { replicas: 1, template: template("rc") } }],
    makes: pods,
    isMade: ownedBy("ReplicationController"),
  },
  {
    controller: "statefulset-controller",
    ask: [statefulsets, "sts", { spec: { serviceName: "", selector: selector("sts"), template: template("sts") } }],
    makes: pods,
    isMade: ownedBy("StatefulSet"),
  },
  {
    controller: "daemonset-controller",
    ask: [daemonsets, "ds", { spec: { selector: selector("ds"), template: template("ds") } }],
    makes: pods,
    isMade: ownedBy("DaemonSet"),
  },
  {
    controller: "job-controller",
    ask: [jobs, "job", { spec: { template: template("job", { restartPolicy: "Never" }) } }],
    makes: pods,
    isMade: ({ metadata }) => controllerOf({ metadata } as KubernetesObject)?.name === "job",
  },
  {
    controller: "cronjob-controller",
    ask: [
      cronjobs,
      "cron",
      {
        spec: {
          schedule: "@every 1s",
          concurrencyPolicy: "Forbid",
          jobTemplate: { spec: { template: template("cron", { restartPolicy: "Never" }) } },
        },
      },
    ],
    makes: jobs,
    isMade: ownedBy("CronJob"),
  },
  {
    controller: "endpoints-controller",
    ask: [services, "svc", { spec: { selector: { app: "svc" }, ports } }],
    makes: endpoints,
    isMade: named("svc"),
  },
  {
    controller: "endpointslice-controller",
    ask: [services, "sliced", { spec: { selector: { app: "sliced" }, ports } }],
    makes: endpointslices,
    isMade: ({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === "sliced",
  },
  {
    controller: "endpointslice-mirroring-controller",
    ask: [services, "legacy", { spec: { ports } }],
    makes: endpointslices,
    isMade: ownedBy("Endpoints"),
  },
  {
    controller: "ephemeral-volume-controller",
    ask: [
      pods,
      "scratch",
      {
        spec: {
          containers,
          volumes: [{ name: "tmp", ephemeral: { volumeClaimTemplate: { spec: storage } } }],
        },
      },
    ],
    makes: persistentvolumeclaims,
    isMade: named("scratch-tmp"),
  },
  {
    controller: "serviceaccount-controller",
    ask: [services, "unasked", { spec: { ports } }],
    makes: serviceaccounts,
    isMade: named("default"),
  },
  {
    controller: "root-ca-certificate-publisher-controller",
    ask: [services, "unasked-too", { spec: { ports } }],
    makes: configmaps,
    isMade: named("kube-root-ca.crt"),
  },
];

async function ask(client: Client, namespace: string): Promise<void> {
  await client.create(namespaces, { metadata: { name: namespace } });
  // For the pod that the test makes itself; taken away again where nothing may be made.
  await client.create(serviceaccounts, { metadata: { name: "default", namespace } });
  const subsets = [{ addresses: [{ ip: "192.0.2.1" }], ports }];
  await client.create(endpoints, { metadata: { name: "legacy", namespace }, subsets });
  for (const {
    ask: [resource, name, body],
  } of rows)
    await client.create(resource, { metadata: { name, namespace }, ...body } as NewObject<KubernetesObject>);
  await client.delete(serviceaccounts, { name: "default", namespace });
}

async function ban(client: Client): Promise<void> {
  const kinds = rows.map(({ makes: { resource, group } }) => `count/${resource}${group ? `.${group}` : ""}`);
  const hard = Object.fromEntries(kinds.map((kind) => [kind, "0"]));
  const quota = await client.create(resourcequotas, { metadata: { name: "none", namespace: banned }, spec: { hard } });
  await client.update(resourcequotas, { ...quota, status: { hard, used: hard } }, { subresource: "status" });
}

const missing = async (client: Client, namespace: string): Promise<string[]> => {
  const made = await Promise.all(
    rows.map(async ({ makes, isMade }) => (await client.list(makes, { namespace })).items.some(isMade)),
  );
  return rows.filter((_, index) => !made[index]).map(({ controller }) => controller);
};

function runAll(t: Test, { client, pkiDirectory }: TestApiServer) {
  const names = ["resourcequota-controller", ...rows.map(({ controller }) => controller)];
  const create = selectControllers(names).map((entry) => entry.create);
  return runControllers(t, { client, create, options: { rootCaFile: `${pkiDirectory}/ca.crt` } });
}

test("what fails in one namespace holds up no other, and is made up for later", async (t) => {
  const server = await startApiServer(t);
  const { client } = server;
  await client.create(nodes, { metadata: { name: "n1" } });
  const conditions = [{ type: "Ready", status: "True", lastHeartbeatTime: formatTime(Date.now()) }];
  await client.patch(nodes, { name: "n1" }, { status: { conditions } }, { type: "merge", subresource: "status" });
  // Admission taints what comes, and nobody here takes the taint away.
  await client.patch(nodes, { name: "n1" }, { spec: { taints: null } }, { type: "merge" });
  await ask(client, banned);
  await ban(client);
  await ask(client, free);
  const controllers = runAll(t, server);

  await eventually("the free one has all", async () => (await missing(client, free)).length === 0).catch(() => {});
  t.strictSame(await missing(client, free), []);
  t.strictSame(
    await missing(client, banned),
    rows.map(({ controller }) => controller),
    "the banned one has nothing",
  );
  const failing = () =>
    rows.filter(({ controller }) => {
      const lines = controllers.log().split("\n");
      return lines.some((line) => line.includes(`controller="${controller}"`) && line.includes("Reconcile failed"));
    });
  await eventually("each failure is logged", async () => failing().length === rows.length).catch(() => {});
  t.strictSame(
    failing().map(({ controller }) => controller),
    rows.map(({ controller }) => controller),
  );

  await client.delete(resourcequotas, { name: "none", namespace: banned });
  // Who has failed for a minute tries again within the next.
  await eventually("all is made up for", async () => (await missing(client, banned)).length === 0, 180_000);
  t.strictSame(await missing(client, banned), []);
});
