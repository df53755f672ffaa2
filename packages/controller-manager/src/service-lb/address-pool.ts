// The addresses that --load-balancer-addresses names: single ones, ranges and CIDRs, of both families. Pure; who has which
// address is the plan's affair.

import { SocketAddress } from "node:net";
import { ipFamilyOf, ipToNumber, numberToIPv4, parseCIDR } from "@picokube/api/validation/ip";
import { ConfigError } from "@picokube/component-base/config-error";

export type IpFamily = "IPv4" | "IPv6";

interface Range {
  readonly family: IpFamily;
  readonly first: bigint;
  readonly last: bigint;
}

export interface AddressPool {
  includes(ip: string): boolean;
  /** The first address of the family that is not taken. */
  free(family: IpFamily, taken: ReadonlySet<string>): string | undefined;
}

/** Undefined for no words: there is no pool. Throws ConfigError. */
export function parseAddressPool(words: readonly string[]): AddressPool | undefined {
  const ranges = words
    .map((word) => word.trim())
    .filter((word) => word !== "")
    .map(parseRange);
  if (ranges.length === 0) return undefined;
  return {
    includes(ip) {
      const number = ipToNumber(ip) ?? -1n;
      return ranges.some(({ family, first, last }) => ipFamilyOf(ip) === family && number >= first && number <= last);
    },
    free(wanted, taken) {
      // At most one step more than there are addresses taken.
      for (const { family, first, last } of ranges)
        for (let number = first; family === wanted && number <= last; number++) {
          const ip = formatIp(family, number);
          if (!taken.has(ip)) return ip;
        }
      return undefined;
    },
  };
}

function parseRange(word: string): Range {
  const bad = (why: string) =>
    new ConfigError(`invalid argument ${JSON.stringify(word)} for "--load-balancer-addresses" flag: ${why}`);
  const cidr = word.includes("/") ? parseCIDR(word) : undefined;
  if (cidr) return { family: cidr.family, first: cidr.base, last: cidr.base + cidr.size - 1n };
  const [from = "", to = from, more] = word.split("-");
  const [first, last] = [ipToNumber(from), ipToNumber(to)];
  const family = ipFamilyOf(from);
  if (first === undefined || last === undefined || !family || more !== undefined)
    throw bad("must be an address, a range (first-last) or a CIDR");
  if (ipFamilyOf(to) !== family || last < first) throw bad("a range must not end before it begins");
  return { family, first, last };
}

/** The one spelling of an address. */
export function canonicalIp(ip: string): string {
  const family = ipFamilyOf(ip);
  return family ? formatIp(family, ipToNumber(ip)!) : ip;
}

function formatIp(family: IpFamily, number: bigint): string {
  if (family === "IPv4") return numberToIPv4(number);
  const groups = number.toString(16).padStart(32, "0").match(/.{4}/g)!;
  return new SocketAddress({ address: groups.join(":"), family: "ipv6" }).address;
}
