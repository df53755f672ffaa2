// Addresses and networks as new fields of the API take them: in canonical form only (apimachinery
// pkg/util/validation/ip.go: IsValidIP, IsValidCIDR). Text in, objections out.

import { cidrContains, ipFamilyOf, ipToNumber, isValidCIDR, isValidIP, parseCIDR } from "./ip.js";
import type { Objections } from "./names.js";

const leadingZeros = /^0\d|\.0\d/;

/** Octets without their leading zeros, for text of IPv4 alone. */
function withoutZeros(value: string): string {
  return value.replace(/\b0+(?=\d)/g, "");
}

/** The address as RFC 5952 writes it. */
function canonical(address: string): string {
  return ipFamilyOf(address) === "IPv6" ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address;
}

function isMapped(address: string): boolean {
  return ipFamilyOf(address) === "IPv6" && (ipToNumber(address) ?? 0n) >> 32n === 0xffffn;
}

const inForm = (text: string): string => `must be in canonical form (${JSON.stringify(text)})`;

/** An address without leading zeros, not mapped, in canonical form. */
export function isCanonicalIP(value: string): Objections {
  if (leadingZeros.test(value) && ipFamilyOf(withoutZeros(value)) === "IPv4") return ["must not have leading 0s"];
  const words = isValidIP(value);
  if (words.length > 0) return words;
  if (isMapped(value)) return ["must not be an IPv4-mapped IPv6 address"];
  return value === canonical(value) ? [] : [inForm(canonical(value))];
}

/** A network without leading zeros and host bits, in canonical form. */
export function isCanonicalCIDR(value: string): Objections {
  const hasZeros = leadingZeros.test(value) || /\/0\d/.test(value);
  if (hasZeros && parseCIDR(withoutZeros(value))) return ["must not have leading 0s in IP or prefix length"];
  const cidr = parseCIDR(value);
  if (!cidr) return isValidCIDR(value);
  const [address = "", length] = value.split("/");
  if (isMapped(address)) return ["must not have an IPv4-mapped IPv6 address"];
  if (!cidrContains(cidr, address) || ipToNumber(address) !== cidr.base) {
    return ["must not have bits set beyond the prefix length"];
  }
  const form = `${canonical(address)}/${length}`;
  return value === form ? [] : [inForm(form)];
}
