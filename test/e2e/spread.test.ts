// Real nginx and postgres spread over three nodes on one machine, and how they survive: a node without power, the cluster down
// and up, the machine moved and rebooted. The stories of spread/ share one cluster and are told in order.

import { machineAddress } from "@picokube/picokube/cluster/resolve-cluster";
import { test } from "tap";
import { createLocalVms, shortTimers } from "./harness/local-vms.js";
import { startRegistry } from "./harness/registry.js";
import { images } from "./spread/images.js";
import { lostNode } from "./spread/lost-node.js";
import { movedHost } from "./spread/moved-host.js";
import { downAndUp, reboot } from "./spread/whole-machine.js";

test("A2 A6 A7 C1 nginx and postgres over three nodes survive a node, down and up, a reboot", async (t) => {
  const registry = await startRegistry(t);
  const mirror = `http://${await machineAddress()}:${registry.port}`;
  const vms = await createLocalVms(t, { nodes: 3, flags: [...shortTimers, `--registry-mirror=${mirror}`] });
  await t.test("A2 images are loaded, and pulled through a mirror", (t) => images(t, vms, registry));
  await t.test("A6 the node under postgres loses its power", (t) => lostNode(t, vms));
  await t.test("A7 the first machine's address changes, its VMs run on", (t) => movedHost(t, vms));
  await t.test("A7 the cluster goes down and comes up, its VMs too", (t) => downAndUp(t, vms));
  await t.test("A7 the machine is rebooted", (t) => reboot(t, vms));
});
