import { events, nodes } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { nodeIpamController } from "./node-ipam-controller.js";

test("node IPAM", async (t) => {
  const { client } = await startApiServer(t);
  const cidrOf = async (name: string) => (await client.get(nodes, { name })).spec?.podCIDR;
  const given = (name: string) => eventually(`${name} has a CIDR`, () => cidrOf(name));
  await client.create(nodes, {
    metadata: { name: "known" },
    spec: { podCIDR: "10.250.0.0/24", podCIDRs: ["10.250.0.0/24"] },
  });
  const options = { clusterCidr: "10.250.0.0/22", serviceClusterIpRange: "10.250.1.0/24" };
  runControllers(t, { client, create: [nodeIpamController], options });

  await client.create(nodes, { metadata: { name: "a" } });
  t.equal(await given("a"), "10.250.2.0/24", "neither a Node's nor the Services'");
  t.same((await client.get(nodes, { name: "a" })).spec?.podCIDRs, ["10.250.2.0/24"]);
  await client.create(nodes, { metadata: { name: "b" } });
  t.equal(await given("b"), "10.250.3.0/24");

  await client.create(nodes, { metadata: { name: "late" } });
  const event = await eventually("late is told that nothing is left", async () => {
    const { items } = await client.list(events);
    return items.find(({ reason }) => reason === "CIDRNotAvailable");
  });
  t.equal(event.message, "Node late status is now: CIDRNotAvailable");
  t.equal(event.involvedObject.name, "late");
  await client.delete(nodes, { name: "a" });
  t.equal(await given("late"), "10.250.2.0/24", "what a Node leaves goes to the next");
});
