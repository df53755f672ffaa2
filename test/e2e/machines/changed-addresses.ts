// Story: machines get other addresses, a joined one and the first: one command on each mends certificates, kubeconfigs, Nodes
// and routes, and the pods stay.

import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import type { Machine } from "../harness/machine.js";
import type { Machines } from "../harness/machines.js";
import { routerOf } from "../harness/vms.js";
import { everyPodIsSeenAsItself } from "./pod-network.js";

/** As a DHCP client does it: the link has no address for a moment, and routes over it go. */
async function renumber(machine: Machine, { address, router }: { address: string; router: string }): Promise<void> {
  await machine.run(["ip", "address", "flush", "dev", "eth0", "scope", "global"]);
  await machine.run(["ip", "address", "add", `${address}/24`, "dev", "eth0"]);
  await machine.run(["ip", "route", "replace", "default", "via", router]);
}

/** Names and uids. */
async function podsIn({ kubectl }: Machines): Promise<string[]> {
  const { items } = (await kubectl.json(["get", "pods"])) as { items: { metadata: { name: string; uid: string } }[] };
  return items.map(({ metadata }) => `${metadata.name} ${metadata.uid}`).sort();
}

async function internalIp({ kubectl }: Machines, { name }: Machine): Promise<string> {
  const { status } = await kubectl.json(["get", "node", name]);
  return status.addresses.find(({ type }: { type: string }) => type === "InternalIP").address;
}

/** A joined machine's. Resolves to the new address. */
export async function workerMoves(t: Test, machines: Machines): Promise<string> {
  const { first, near, far, lan, kubectl } = machines;
  const pods = await podsIn(machines);
  const address = near.address.replace(/\.\d+$/, ".77");
  await renumber(near, { address, router: routerOf(lan) });
  await t.rejects(
    near.picokube("certs", "check"),
    new RegExp(
      `no longer has the address ${near.address}, by which the cluster knows near: picokube certs renew --node-ip detect`,
    ),
  );
  const renewal = near.picokube("certs", "renew", "--node-ip=detect");
  await eventually("the Node has it", async () => (await internalIp(machines, near)) === address);
  const knownAt = Date.now();
  await eventually("a neighbour's route follows", async () =>
    (await first.run(["ip", "route"])).includes(`via ${address} dev eth0`),
  );
  await eventually("a tunnel follows", async () =>
    (await far.run(["bridge", "fdb", "show"])).split("\n").some((line) => line.includes(`dst ${address} `)),
  );
  t.comment(`both others' routes followed within ${Date.now() - knownAt} ms of the Node`);
  t.match(await renewal, `The node near (${address}) is at the cluster at `);
  await eventually("its certificates name it", () => near.picokube("certs", "check"));
  t.match(await eventually("logs reach it", () => kubectl.run(["logs", "deployment/away", "--tail=1"])), "started");
  t.equal(await kubectl.run(["exec", "deployment/away", "--", "echo", "here"]), "here\n");
  await everyPodIsSeenAsItself(t, machines);
  t.strictSame(await podsIn(machines), pods, "the same pods");
  return address;
}

/** The first machine's. Resolves to the new address. */
export async function firstMoves(t: Test, machines: Machines): Promise<string> {
  const { first, near, far, lan, kubectl } = machines;
  const pods = await podsIn(machines);
  const address = first.address.replace(/\.\d+$/, ".88");
  await renumber(first, { address, router: routerOf(lan) });
  await t.rejects(
    first.picokube("certs", "check"),
    new RegExp(`no longer has the address ${first.address}, .*picokube certs renew --node-ip detect`),
  );
  await t.rejects(
    near.picokube("certs", "check"),
    new RegExp(
      `${first.address}:\\d+ cannot be reached .*\\n?.*has another address now: picokube certs renew --server`,
    ),
  );
  const said = await first.picokube("certs", "renew", "--node-ip=detect");
  const [, server = ""] = /On each machine that joined: picokube certs renew --server (https:\S+)/.exec(said) ?? [];
  t.match(server, `https://${address}:`);
  t.match(await first.picokube("certs", "check"), /All certificates of the cluster .* are well/);
  await t.rejects(near.picokube("certs", "renew", "--server", `https://${address}:1`), /nothing listens at /);
  for (const machine of [near, far])
    t.match(
      await machine.picokube("certs", "renew", "--server", server),
      new RegExp(`The node ${machine.name} \\(.*\\) is at the cluster at ${server} again`),
    );
  t.equal(await internalIp(machines, first), address);
  for (const machine of [first, near, far])
    await eventually(`${machine.name} is Ready`, () => machines.isReady(machine));
  for (const machine of [near, far]) await eventually("all is well", () => machine.picokube("certs", "check"));
  t.match(
    await kubectl.run(["get", "endpoints", "kubernetes", "-o", "jsonpath={.subsets[*].addresses[*].ip}"]),
    address,
  );
  t.match((await machines.joinWords()).join(" "), server, "the next machine joins there");
  for (const pod of ["net-a", "net-b", "net-c"])
    t.equal(await eventually(`logs of ${pod}`, () => kubectl.run(["logs", pod])), "serving\n");
  await everyPodIsSeenAsItself(t, machines);
  const fetch = ["timeout", "5", "wget", "-qO-", "http://web.default.svc.cluster.local"];
  const seen = await eventually("DNS and Services answer", () =>
    kubectl.run(["exec", "deployment/away", "--", ...fetch]),
  );
  t.equal(seen, "hello\n");
  t.strictSame(await podsIn(machines), pods, "the same pods");
  return address;
}
