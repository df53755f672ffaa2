// Gives each Node its part of the cluster's pod network.
// Watches: Nodes. Writes: Node spec.podCIDR and spec.podCIDRs.

import { type Node, nodes } from "@picokube/api/core/v1";
import type { Controller, WatchSource } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { self } from "@picokube/client/watch-sources";
import { ConfigError } from "@picokube/component-base/config-error";
import type { Dependencies } from "../dependencies.js";
import { CidrSet } from "./cidr-set.js";

/** Upstream's node-ipam-controller (RangeAllocator); undefined without --allocate-node-cidrs. */
export function nodeIpamController({
  client,
  informers,
  options,
  recorder: recorderOf,
}: Dependencies): Controller | undefined {
  if (!options.allocateNodeCidrs) return undefined;
  const nodeInformer = informers.for(nodes);
  const recorder = recorderOf("cidrAllocator");
  const free = openSet(options);
  // What was handed out and may not show in the cache yet.
  const granted = new Map<string, string>();
  nodeInformer.addHandler({
    add: occupy,
    update: (_, node) => occupy(node),
    delete(node) {
      const cidr = node.spec?.podCIDR ?? granted.get(node.metadata.name);
      if (cidr) free.release(cidr);
      granted.delete(node.metadata.name);
    },
  });

  function occupy({ spec }: Node): void {
    for (const cidr of [spec?.podCIDR, ...(spec?.podCIDRs ?? [])]) if (cidr?.includes(".")) free.occupy(cidr);
  }

  async function reconcile(name: ObjectKey) {
    const node = nodeInformer.get(name);
    if (!node || node.spec?.podCIDR || node.metadata.deletionTimestamp) return;
    const cidr = granted.get(name) ?? free.allocate();
    if (!cidr) {
      const message = `Node ${name} status is now: CIDRNotAvailable`;
      recorder.record(node, { type: "Normal", reason: "CIDRNotAvailable", message });
      throw new Error("CIDR allocation failed; there are no remaining CIDRs left to allocate in the accepted range");
    }
    granted.set(name, cidr);
    await client.patch(nodes, { name }, { spec: { podCIDR: cidr, podCIDRs: [cidr] } }, { type: "strategic" });
  }

  // A Node that goes makes room for those that found none.
  const released: WatchSource = {
    informer: nodeInformer,
    handler: (enqueue) => ({
      delete() {
        for (const { metadata, spec } of nodeInformer.list()) if (!spec?.podCIDR) enqueue(metadata.name);
      },
    }),
  };
  return { name: "node-ipam-controller", watches: [self(nodeInformer), released], reconcile };
}

function openSet({ clusterCidr, nodeCidrMaskSize, serviceClusterIpRange }: Dependencies["options"]): CidrSet {
  let flag = "--cluster-cidr";
  try {
    const free = new CidrSet({ cidr: clusterCidr, maskBits: nodeCidrMaskSize });
    flag = "--service-cluster-ip-range";
    if (serviceClusterIpRange) free.occupy(serviceClusterIpRange);
    return free;
  } catch (error) {
    throw new ConfigError(`${flag}: ${(error as Error).message}`, { cause: error });
  }
}
