// Routes follow the Nodes of a real apiserver: those that come, move and go. On a link and in a range of the test's own.
// Needs root and iproute2.

import { nodes } from "@picokube/api/core/v1";
import { createInformerFactory } from "@picokube/client/shared-informer";
import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { forgetRoutes } from "./pod-routes.js";
import { runCommand } from "./run-command.js";
import { createPodRoutes } from "./run-pod-routes.js";

const link = "picoroutes0";
const bridge = "picotest9";
const clusterCidr = "10.253.0.0/16";
const patienceMs = 60_000;

const ip = (...args: string[]) => runCommand({ program: "ip", args });

/** "10.253.1.0/24 via 10.77.99.2", sorted. */
async function routes(): Promise<string[]> {
  const shown = await ip("-json", "-4", "route", "show", "root", clusterCidr);
  const all = JSON.parse(shown.trim() || "[]") as { dst: string; gateway: string }[];
  return all.map(({ dst, gateway }) => `${dst} via ${gateway}`).sort();
}

test("F6 nodes that come, move and go are followed, and a kubelet that starts anew finds all in place", async (t) => {
  const directory = t.testdir();
  const { client } = await startApiServer(t);
  await ip("link", "add", link, "type", "bridge");
  t.teardown(async () => {
    await forgetRoutes({ bridge, directory });
    await ip("link", "delete", link);
  });
  await ip("address", "add", "10.77.99.1/24", "dev", link);
  await ip("link", "set", link, "up");

  const place = (name: string, address: string) =>
    client.patch(
      nodes,
      { name },
      { status: { addresses: [{ type: "InternalIP", address }] } },
      { type: "strategic", subresource: "status" },
    );
  const make = async (name: string, podCIDR: string, address: string) => {
    await client.create(nodes, { metadata: { name }, spec: { podCIDR, podCIDRs: [podCIDR] } });
    await place(name, address);
  };
  const start = () => {
    const stop = new AbortController();
    const clock = realClock();
    const logger = createLogger({ name: "test", verbosity: 0 });
    const informers = createInformerFactory({ client, logger, clock });
    const following = createPodRoutes({
      informer: informers.for(nodes),
      nodeName: "self",
      address: "10.77.99.1",
      podCidr: () => "10.253.0.0/24",
      backend: "auto",
      bridge,
      clusterCidr,
      directory,
      clock,
      logger,
    });
    informers.start(stop.signal);
    const running = following.run(stop.signal);
    return async () => {
      stop.abort();
      await running;
    };
  };
  const settled = (what: string, wanted: string[]) =>
    eventually(what, async () => JSON.stringify(await routes()) === JSON.stringify(wanted), patienceMs);

  await make("self", "10.253.0.0/24", "10.77.99.1");
  const stop = start();
  t.teardown(stop);
  await make("b", "10.253.1.0/24", "10.77.99.2");
  await settled("b came", ["10.253.1.0/24 via 10.77.99.2"]);
  await make("c", "10.253.2.0/24", "10.77.99.3");
  await settled("c came", ["10.253.1.0/24 via 10.77.99.2", "10.253.2.0/24 via 10.77.99.3"]);
  await place("b", "10.77.99.9");
  await settled("b moved", ["10.253.1.0/24 via 10.77.99.9", "10.253.2.0/24 via 10.77.99.3"]);
  await client.delete(nodes, { name: "c" });
  await settled("c went", ["10.253.1.0/24 via 10.77.99.9"]);

  await stop();
  t.same(await routes(), ["10.253.1.0/24 via 10.77.99.9"], "without a kubelet all stays");
  await client.delete(nodes, { name: "b" });
  await make("d", "10.253.4.0/24", "10.77.99.4");
  const stopAgain = start();
  t.teardown(stopAgain);
  await settled("what changed meanwhile is made good", ["10.253.4.0/24 via 10.77.99.4"]);
  await stopAgain();
  await forgetRoutes({ bridge, directory });
  t.same(await routes(), [], "cleaned up");
});
