// How a rule tells traffic of this node's pods from other traffic. Pure; mirrors upstream's LocalTrafficDetector.

import { familyOf, type IpFamily } from "./ip-family.js";

export interface LocalTraffic {
  /** What a rule matches when the packet comes from a pod of this node (or of the cluster). */
  readonly ifLocal: string;
  readonly ifNotLocal: string;
}

/** By the range of its source address: the cluster's, or the node's own. */
export function localByRange(range: string): LocalTraffic {
  return { ifLocal: `-s ${range}`, ifNotLocal: `! -s ${range}` };
}

/** By the bridge that it comes from. */
export function localByBridge(name: string): LocalTraffic {
  return { ifLocal: `-i ${name}`, ifNotLocal: `! -i ${name}` };
}

/** By the first letters of the interface that it comes from. */
export function localByInterfacePrefix(prefix: string): LocalTraffic {
  return { ifLocal: `-i ${prefix}+`, ifNotLocal: `! -i ${prefix}+` };
}

export interface LocalTrafficInput {
  readonly mode: string;
  /** "10.244.0.0/16", or one of each family with a comma between. */
  readonly clusterCidr: string;
  /** The node's own range of the family, once it is known. */
  readonly podCidr: string | undefined;
  readonly bridgeInterface: string;
  readonly interfaceNamePrefix: string;
}

/** How a family tells local traffic, by --detect-local-mode; undefined: it cannot. Upstream's getLocalDetectors. */
export function localTrafficOf(family: IpFamily, input: LocalTrafficInput): LocalTraffic | undefined {
  switch (input.mode) {
    case "BridgeInterface":
      return localByBridge(input.bridgeInterface);
    case "InterfaceNamePrefix":
      return localByInterfacePrefix(input.interfaceNamePrefix);
    case "NodeCIDR":
      return input.podCidr === undefined ? undefined : localByRange(input.podCidr);
    default: {
      const range = input.clusterCidr.split(",").find((text) => text !== "" && familyOf(text) === family);
      return range === undefined ? undefined : localByRange(range);
    }
  }
}
