// Story: two VMs no longer hear each other, a third hears both; then all is mended. What `fault` says of it.

import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import type { LocalVms } from "../harness/local-vms.js";
import { netAddresses } from "./net-pods.js";

export async function faults(t: Test, vms: LocalVms): Promise<void> {
  const { cluster, kubectl, picokube } = vms;
  const ips = await netAddresses(vms);
  const reaches = async (from: string, to: string) => {
    const ask = ["exec", from, "--", "timeout", "3", "wget", "-qO-", `http://${ips[to]}/cgi-bin/who`];
    return (await kubectl.attempt(ask)).code === 0;
  };
  t.match(await picokube("fault", "partition", "node-2", "node-3"), /node-2 is cut off from node-3; .* mends it/);
  t.match(await picokube("fault", "partition", "node-2", "node-3"), "node-2 is cut off", "twice is once");
  const listed = await picokube("fault", "list");
  t.match(listed, /node-2 +cut off from node-3$/m);
  t.match(listed, /node-3 +cut off from node-2$/m);
  t.notOk(await reaches("net-b", "net-c"), "no way from node-2 to node-3");
  t.notOk(await reaches("net-c", "net-b"), "nor back");
  for (const from of ["net-b", "net-c"]) await eventually(`${from} reaches the third`, () => reaches(from, "net-a"));
  await picokube("fault", "heal", "node-3");
  t.match(await picokube("fault", "list"), /node-2 +none\nnode-3 +none/, "one end mended is the way mended");
  await eventually("node-3 is reached again", () => reaches("net-b", "net-c"));

  const delayed = await picokube("fault", "delay", "node-2", "5").catch((error: Error) => error.message);
  t.match(delayed, /Packets to node-2 are 5 ms late|this kernel cannot delay packets: it has no netem/);
  if (!delayed.includes("no netem")) t.match(await picokube("fault", "list"), /node-2 +its link is slow/);
  await picokube("fault", "heal", "node-2");
  t.match(await picokube("fault", "list"), /node-2 +none/);

  await t.rejects(
    picokube("fault", "delay", "node-2", "soon"),
    /invalid delay "soon": give milliseconds from 1 to 60000/,
  );
  await t.rejects(
    picokube("fault", "kill", "node-2", "etcd"),
    /node-2 has no process "etcd"; there are: dockerd, kubelet/,
  );
  await t.rejects(picokube("fault", "kill", cluster.nodeName), /this machine itself, not a local VM/);
}
