// Story: a VM that is removed is gone, and reset leaves nothing of any. The last one: no cluster is left after it.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import { type LocalVms, tracesOf } from "../harness/local-vms.js";

const execute = promisify(execFile);
const routes = async () => (await execute("ip", ["route"])).stdout;

export async function removal(t: Test, { cluster, kubectl, picokube, dispose }: LocalVms): Promise<void> {
  const { podCIDR } = (await kubectl.json(["get", "node", "node-3"])).spec;
  t.match(await routes(), `${podCIDR} via`, "this machine has a route to its pods");
  t.match(await picokube("node", "remove", "node-3"), "node-3 is removed");
  await eventually("the route goes with it", async () => !(await routes()).includes(`${podCIDR} via`));
  t.notMatch(await kubectl.run(["get", "nodes", "-o", "name"]), "node-3");
  t.notMatch((await tracesOf(cluster)).join("\n"), `vm${cluster.podBridge}-3`);
  t.match((await tracesOf(cluster)).join("\n"), `vm${cluster.podBridge}-2`, "the other is there");
  await dispose();
  t.strictSame(await tracesOf(cluster), []);
}
