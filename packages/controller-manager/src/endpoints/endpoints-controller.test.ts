// Endpoints against a real apiserver: who keeps them when, and what is left over from Services that went.

import { endpoints, services } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { endpointsController } from "./endpoints-controller.js";

const namespace = "default";
const subsets = [{ addresses: [{ ip: "192.0.2.1" }], ports: [{ port: 80 }] }];

test("what a Service left behind is cleared away at the start; Endpoints that come before their Service stay", async (t) => {
  const { client } = await startApiServer(t);
  const make = (name: string, annotations = {}) =>
    client.create(endpoints, { metadata: { name, namespace, annotations }, subsets });
  const names = async () => (await client.list(endpoints, { namespace })).items.map(({ metadata }) => metadata.name);
  await make("left-over");
  await make("lock", { "control-plane.alpha.kubernetes.io/leader": "{}" });
  const { informers } = runControllers(t, { client, create: [endpointsController] });
  await eventually("the leftover goes", async () => !(await names()).includes("left-over"));
  t.ok((await names()).includes("lock"), "the lock of an old leader election has no Service and stays");

  await make("early");
  const service = await client.create(services, {
    metadata: { name: "web", namespace },
    spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
  });
  await eventually("the next Service's Endpoints", async () => (await names()).includes("web"));
  await eventually("the controller has seen both", async () => informers.for(endpoints).get("default/early"));
  // What somebody writes into them does not last while there is a selector.
  await client.update(endpoints, { ...(await client.get(endpoints, { name: "web", namespace })), subsets });
  await eventually("set right", async () => {
    const { subsets: now } = await client.get(endpoints, { name: "web", namespace });
    return (now ?? []).length === 0;
  });
  await client.delete(services, { name: service.metadata.name, namespace });
  await eventually("gone with the Service", async () => !(await names()).includes("web"));
  t.ok((await names()).includes("early"));
});
