// A ServiceCIDR's life against a real apiserver: ready, held while a Service has an address of it, gone afterwards.

import { services } from "@picokube/api/core/v1";
import { servicecidrs } from "@picokube/api/networking/v1";
import { realClock } from "@picokube/component-base/clock";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { serviceCidrController } from "./service-cidr-controller.js";

const namespace = "default";
const finalizer = "networking.k8s.io/service-cidr-finalizer";

test("F1 a range that Services have addresses of stays until they are gone", async (t) => {
  const { client } = await startApiServer(t);
  // The ten seconds of grace are over when the deletion begins.
  runControllers(t, {
    client,
    create: [serviceCidrController],
    clock: { ...realClock(), now: () => Date.now() + 15_000 },
  });
  await client.create(servicecidrs, { metadata: { name: "more" }, spec: { cidrs: ["10.200.0.0/28"] } });
  const more = async () => (await client.list(servicecidrs)).items.find(({ metadata }) => metadata.name === "more")!;
  const readiness = async () => (await more()).status?.conditions?.find(({ type }) => type === "Ready");
  await eventually("it is ready", async () => (await readiness())?.status === "True");
  t.match(await readiness(), { message: "Kubernetes Service CIDR is ready" });
  t.strictSame((await more()).metadata.finalizers, [finalizer]);
  const kubernetes = await client.get(servicecidrs, { name: "kubernetes" });
  await eventually("the default one is guarded, too", async () =>
    (await client.get(servicecidrs, { name: "kubernetes" })).metadata.finalizers?.includes(finalizer),
  );
  t.match(kubernetes.status?.conditions, [{ type: "Ready", status: "True" }]);

  const service = (name: string, clusterIP: string) =>
    client.create(services, { metadata: { name, namespace }, spec: { clusterIP, ports: [{ port: 80 }] } });
  await service("web", "10.200.0.5");
  await client.delete(servicecidrs, { name: "more" });
  await eventually("it says why it stays", async () => (await readiness())?.status === "False");
  t.match(await readiness(), {
    reason: "Terminating",
    message: "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR",
  });
  await t.rejects(service("late", "10.200.0.6"), { message: /does not match the current range/ });
  await client.delete(services, { name: "web", namespace });
  await eventually("it goes with the last address", async () => (await more()) === undefined);
});
