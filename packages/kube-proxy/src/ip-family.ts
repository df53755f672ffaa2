// The two IP families, each with rules, chains and endpoints of its own. Pure.

import { BlockList, isIPv6 } from "node:net";

export type IpFamily = "IPv4" | "IPv6";

/** The family of an address or of a range in CIDR form; upstream's GetIPFamilyFromIP. */
export function familyOf(addressOrRange: string): IpFamily {
  return isIPv6(addressOrRange.split("/")[0]!) ? "IPv6" : "IPv4";
}

/** Whether an address lies in a range of its family: inRange("10.0.0.0/8", "10.1.2.3"). */
export function inRange(range: string, address: string): boolean {
  if (familyOf(range) !== familyOf(address)) return false;
  const [network, length] = range.split("/");
  const family = familyOf(range) === "IPv6" ? "ipv6" : "ipv4";
  const list = new BlockList();
  list.addSubnet(network!, Number(length), family);
  return list.check(address, family);
}

/** "10.0.0.1:80" or "[fd00::1]:80": Go's net.JoinHostPort. */
export function joinHostPort(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
