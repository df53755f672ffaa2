// Story: a node that hears nothing of its control plane goes on: Services answer, dead containers come back.

import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import type { LocalVms } from "../harness/local-vms.js";
import { podsOf } from "../harness/pod-rows.js";
import { addressIn, netAddresses } from "./net-pods.js";

export async function lostControlPlane(t: Test, vms: LocalVms): Promise<void> {
  const { cluster, kubectl, picokube, docker, inVm } = vms;
  const { clusterIP } = (await kubectl.json(["get", "service", "net"])).spec;
  const ips = await netAddresses(vms);
  const restarts = async () =>
    (await podsOf(kubectl, "net")).find(({ metadata }) => metadata.name === "net-b")!.status.containerStatuses![0]!
      .restartCount;
  await picokube("fault", "partition", "node-2", cluster.nodeName);
  const main = [
    "--filter",
    "label=io.kubernetes.pod.name=net-b",
    "--filter",
    "label=io.kubernetes.container.name=main",
  ];
  const container = async () => (await docker("node-2", "ps", "-q", ...main)).trim();
  const first = await container();
  t.not(first, "");
  await docker("node-2", "kill", first);
  await eventually("its kubelet starts another", async () => !["", first].includes(await container()));
  // By way of the Service's address: one of its pods is here, one on the node that can still be reached.
  for (const [who, address] of [
    ["the Service", clusterIP],
    ["the pod itself", ips["net-b"]],
    ["a pod of another VM", ips["net-c"]],
  ])
    await eventually(`${who} answers on node-2`, async () => {
      const shown = await inVm("node-2", "curl", "-sS", "--max-time", "5", `http://${address}/cgi-bin/who`);
      return addressIn(shown) !== undefined;
    });
  t.equal(await restarts(), 0, "nobody has heard of it yet");
  await picokube("fault", "heal");
  await eventually("it is told when the way is back", async () => (await restarts()) >= 1, 120_000);
  t.equal((await podsOf(kubectl, "net")).length, 3, "no pod was lost");
}
