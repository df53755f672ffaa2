// Load balancers' addresses on a link: neighbours in network namespaces learn where they are, and where they went; and a
// kubelet's part follows Services of a real apiserver. Needs root and iproute2.

import { fileURLToPath } from "node:url";
import { type Service, services } from "@picokube/api/core/v1";
import { createInformerFactory } from "@picokube/client/shared-informer";
import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { type Test, test } from "tap";
import { forgetAddresses, planAnnouncements, readAddresses } from "./announced-addresses.js";
import { createAnnouncedAddresses } from "./run-announced-addresses.js";
import { runCommand } from "./run-command.js";

const bridge = "picotest28";
const patienceMs = 60_000;
const script = fileURLToPath(new URL("announce.testing.js", import.meta.url));
const run = (program: string, ...args: string[]) => runCommand({ program, args });

/** Three machines on one link: 10.78.21.1 to .3. */
async function threeMachines(t: Test) {
  const name = (which: string) => `pico-ann-${process.pid}-${which}`;
  const inside = (which: string, program: string, ...args: string[]) =>
    run("ip", "netns", "exec", name(which), program, ...args);
  t.teardown(async () => {
    for (const which of ["link", "one", "two", "client"])
      await run("ip", "netns", "delete", name(which)).catch(() => undefined);
  });
  await run("ip", "netns", "add", name("link"));
  await inside("link", "ip", "link", "add", "br0", "type", "bridge");
  await inside("link", "ip", "link", "set", "br0", "up");
  for (const [i, which] of ["one", "two", "client"].entries()) {
    await run("ip", "netns", "add", name(which));
    await inside("link", "ip", "link", "add", which, "type", "veth", "peer", "name", "eth0", "netns", name(which));
    await inside("link", "ip", "link", "set", which, "master", "br0", "up");
    await inside(which, "ip", "link", "set", "lo", "up");
    await inside(which, "ip", "link", "set", "eth0", "up");
    await inside(which, "ip", "address", "add", `10.78.21.${i + 1}/24`, "dev", "eth0");
  }
  const macOf = async (which: string) =>
    (JSON.parse(await inside(which, "ip", "-json", "link", "show", "eth0")) as { address: string }[])[0]!.address;
  return {
    inside,
    macOf,
    announce: (which: string, ...addresses: string[]) => inside(which, process.execPath, script, bridge, ...addresses),
    /** Where the client believes the address to be. */
    known: async (address: string) =>
      (
        JSON.parse((await inside("client", "ip", "-json", "neighbour", "show", address)) || "[]") as {
          lladdr?: string;
        }[]
      )[0]?.lladdr,
  };
}

test("F1 a machine on the link reaches the address, and hears at once when another machine has it", async (t) => {
  const { inside, macOf, announce, known } = await threeMachines(t);
  const address = "10.78.21.100";
  const ping = () => inside("client", "ping", "-c", "1", "-W", "5", address);
  await t.rejects(inside("client", "ping", "-c", "1", "-W", "1", address), "nobody has it");
  await inside("client", "ip", "neighbour", "flush", "dev", "eth0");
  await announce("one", address);
  await ping();
  t.equal(await known(address), await macOf("one"));

  // The first one dies. Its neighbour asks nothing meanwhile: that it knows is the other's doing.
  await inside("link", "ip", "link", "set", "one", "down");
  await announce("two", address);
  const second = await macOf("two");
  await eventually("the client was told", async () => (await known(address)) === second, patienceMs);
  await ping();
  await announce("two");
  t.notMatch(await inside("two", "ip", "address", "show", "lo"), address);
});

test("F1 what is put on and taken off: nothing that the machine has anyway, nothing of others", (t) => {
  const present = { all: new Set(["192.0.2.1", "198.51.100.1", "198.51.100.2"]), ours: new Set(["198.51.100.1"]) };
  const plan = (...wanted: string[]) => planAnnouncements(new Set(wanted), present);
  t.strictSame(plan("198.51.100.1", "192.0.2.1"), { add: [], remove: [] });
  t.strictSame(plan("198.51.100.3"), { add: ["198.51.100.3"], remove: ["198.51.100.1"] });
  t.strictSame(plan(), { add: [], remove: ["198.51.100.1"] });
  t.end();
});

test("F1 a node announces what Services say that it does, for as long as they say so", async (t) => {
  const { client } = await startApiServer(t);
  t.teardown(() => forgetAddresses(bridge));
  const stop = new AbortController();
  const clock = realClock();
  const logger = createLogger({ name: "test", verbosity: 0 });
  const informers = createInformerFactory({ client, logger, clock });
  const announced = createAnnouncedAddresses({
    informer: informers.for(services),
    nodeName: "self",
    bridge,
    clock,
    logger,
  });
  informers.start(stop.signal);
  const running = announced.run(stop.signal);
  t.teardown(async () => {
    stop.abort();
    await running;
  });
  const create = async (name: string, ip: string) => {
    const made = await client.create(services, {
      metadata: { name, namespace: "default" },
      spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
    });
    await client.update(services, { ...made, status: { loadBalancer: { ingress: [{ ip }] } } } as Service, {
      subresource: "status",
    });
  };
  const say = (name: string, node: string | null) => {
    const annotations = { "load-balancer.picokube.io/announced-by": node };
    return client.patch(services, { name, namespace: "default" }, { metadata: { annotations } }, { type: "merge" });
  };
  const has = (...addresses: string[]) =>
    eventually(
      `it announces ${addresses.join(" and ") || "nothing"}`,
      async () => [...(await readAddresses(bridge)).ours].sort().join() === addresses.join(),
      patienceMs,
    );
  await create("a", "198.51.100.211");
  await create("b", "198.51.100.212");
  await create("c", "2001:db8::1");
  await say("a", "self");
  await say("c", "self");
  await has("198.51.100.211");
  await say("b", "self");
  await has("198.51.100.211", "198.51.100.212");
  await say("a", "another");
  await has("198.51.100.212");
  await client.delete(services, { name: "b", namespace: "default" });
  await has();
  t.notOk((await readAddresses(bridge)).all.has("198.51.100.212"));
});
