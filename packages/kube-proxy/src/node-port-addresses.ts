// On which addresses of the node NodePorts answer. Mirrors upstream's pkg/proxy/util NodePortAddresses. Pure but for the
// list of interfaces, which is asked anew each time.

import { networkInterfaces } from "node:os";
import { familyOf, type IpFamily, inRange } from "./ip-family.js";

/** "all", or the node's own addresses in the ranges; no range of the family, or one of length zero, means all. */
export function nodePortIps(ranges: readonly string[], family: IpFamily): readonly string[] | "all" {
  const own = ranges.filter((range) => familyOf(range) === family);
  if (own.length === 0 || own.some((range) => range.endsWith("/0"))) return "all";
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  // Addresses of the link would need a zone, which no rule has.
  const ips = addresses.map(({ address }) => address).filter((ip) => !ip.startsWith("fe80:"));
  return [...new Set(ips)].filter((ip) => own.some((range) => inRange(range, ip))).sort();
}

/** Whether NodePorts are asked for on 127.0.0.1; upstream's ContainsIPv4Loopback. */
export function containsIpv4Loopback(ranges: readonly string[]): boolean {
  const own = ranges.filter((range) => familyOf(range) === "IPv4");
  return own.length === 0 || own.some((range) => inRange(range, "127.0.0.1") || range.startsWith("127."));
}
