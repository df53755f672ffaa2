// Story: three nodes that are machines of their own, and images brought to all of them.

import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import type { LocalVms } from "../harness/local-vms.js";
import type { PodRow } from "../harness/pod-rows.js";

export async function nodesAndImages(t: Test, { cluster, kubectl, picokube }: LocalVms): Promise<void> {
  const { items } = await kubectl.json(["get", "nodes"]);
  t.equal(items.length, 3);
  const of = (name: string) => items.find(({ metadata }: PodRow) => metadata.name === name);
  const addresses = ["node-2", "node-3", cluster.nodeName].map(
    (name) => of(name).status.addresses.find(({ type }: { type: string }) => type === "InternalIP").address,
  );
  t.equal(new Set(addresses).size, 3);
  t.equal(new Set(items.map(({ spec }: { spec: { podCIDR: string } }) => spec.podCIDR)).size, 3);
  t.match(of("node-2").status.nodeInfo.containerRuntimeVersion, /^docker:\/\//);
  t.match(await picokube("image", "load", "nginx", "busybox"), /Loaded nginx \([\d.]+ MiB\) on node-2, node-3\./);
  t.match(await picokube("image", "load", "nginx", "--nodes", "node-3"), "node-3 has nginx already.");
  await t.rejects(picokube("image", "load", "no-such-image"), /neither a file nor an image/);
  await t.rejects(picokube("image", "load", "nginx", "--nodes", "nowhere"), /nowhere is no node on this machine/);
  await eventually("both tables show the VMs", async () => {
    const listed = await picokube("node", "list");
    return (
      /node-3 +local VM +172\.30\.\d+\.3 +on +Ready/.test(listed) &&
      /node-2\/dockerd +\d+ .* ok /.test(await picokube("status"))
    );
  });
}
