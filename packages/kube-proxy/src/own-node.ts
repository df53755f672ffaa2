// What kube-proxy knows of the Node that it runs on: addresses, zone, pod ranges. Mirrors upstream's NodeManager.

import { type Node, nodes } from "@picokube/api/core/v1";
import type { InformerFactory } from "@picokube/client/informer";
import { familyOf, type IpFamily } from "./ip-family.js";

export interface OwnNode {
  /** topology.kubernetes.io/zone; "" without. */
  zone(): string;
  /** The first address of the family: bindAddress if it is one, else what the Node says. */
  ip(family: IpFamily): string | undefined;
  podCidr(family: IpFamily): string | undefined;
}

export interface OwnNodeOptions {
  readonly informers: InformerFactory;
  readonly nodeName: string;
  readonly bindAddress: string;
  /** Each news of the Node, and undefined when it is deleted. */
  readonly seen: (node: Node | undefined) => void;
  /** Something that rules depend on is another. */
  readonly changed: () => void;
}

/** Begins with what the informer holds once it has synced. */
export function followOwnNode({ informers, nodeName, bindAddress, seen, changed }: OwnNodeOptions): OwnNode {
  const informer = informers.for(nodes, { fieldSelector: `metadata.name=${nodeName}` });
  const zoneOf = (node: Node | undefined) => node?.metadata.labels?.["topology.kubernetes.io/zone"] ?? "";
  const ipsOf = (node: Node | undefined) => {
    const addresses = node?.status?.addresses ?? [];
    // Upstream's GetNodeHostIPs: internal ones first.
    return ["InternalIP", "ExternalIP"].flatMap((type) => addresses.filter((address) => address.type === type));
  };
  const podCidrsOf = (node: Node | undefined) => node?.spec?.podCIDRs ?? [];
  const factsOf = (node: Node | undefined) => JSON.stringify([zoneOf(node), ipsOf(node), podCidrsOf(node)]);
  const current = () => informer.get(nodeName);

  informer.addHandler({
    add(node) {
      seen(node);
      changed();
    },
    update(previous, node) {
      seen(node);
      if (factsOf(previous) !== factsOf(node)) changed();
    },
    delete: () => seen(undefined),
  });

  return {
    zone: () => zoneOf(current()),
    ip(family) {
      const isChosen = bindAddress !== "0.0.0.0" && bindAddress !== "::" && familyOf(bindAddress) === family;
      if (isChosen) return bindAddress;
      return ipsOf(current())
        .map(({ address }) => address)
        .find((address) => familyOf(address) === family);
    },
    podCidr: (family) => podCidrsOf(current()).find((range) => familyOf(range) === family),
  };
}
