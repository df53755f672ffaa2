// Three VMs on one machine, and what happens when one is lost: real engines, real links, the real kubectl. The stories of
// vms/ share one cluster and are told in order. Figures (requests lost, times) are printed, never asserted.

import { test } from "tap";
import { createLocalVms, shortTimers } from "./harness/local-vms.js";
import { poolFlag } from "./vms/announced-address.js";
import { faults } from "./vms/faults.js";
import { lostControlPlane } from "./vms/lost-control-plane.js";
import { nodesAndImages } from "./vms/nodes-and-images.js";
import { partition } from "./vms/partition.js";
import { podNetwork } from "./vms/pod-network.js";
import { powerCut } from "./vms/power-cut.js";
import { removal } from "./vms/removal.js";

// Direct routes are what joined machines have (join.test.ts).
const flags = [...shortTimers, "--kubelet-arg=pod-network-backend=vxlan", poolFlag];

test("A2 A6 A7 F6 three VMs on one machine, and what happens when one is lost", async (t) => {
  const vms = await createLocalVms(t, { nodes: 3, flags });
  await t.test("A2 three Ready nodes with addresses and engines of their own, and images on all of them", (t) =>
    nodesAndImages(t, vms),
  );
  await t.test("F6 every pod sees every other's own address through tunnels; logs and exec reach every node", (t) =>
    podNetwork(t, vms),
  );
  await t.test(
    "A6 a node that is cut off: its pods are replaced elsewhere, and it is cleaned up when it is back",
    (t) => partition(t, vms),
  );
  await t.test("A7 a node without its control plane: Services answer, a dead container comes back", (t) =>
    lostControlPlane(t, vms),
  );
  await t.test("A6 two VMs that do not hear each other, and the words of faults", (t) => faults(t, vms));
  await t.test("A6 F1 a VM that loses its power with the address it announced, and its boot", (t) => powerCut(t, vms));
  await t.test("a VM that is removed is gone, and reset leaves nothing of any", (t) => removal(t, vms));
});
