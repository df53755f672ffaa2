// IP addresses and CIDRs as upstream accepts them (apimachinery pkg/util/validation/ip.go, k8s.io/utils/net). Text in,
// objections or numbers out; never asks the network.

import { isIP, isIPv4, isIPv6 } from "node:net";
import type { Objections } from "./names.js";

/** Any textual address. */
export function isValidIP(value: string): Objections {
  return isIP(value) !== 0 && !value.includes("%")
    ? []
    : ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"];
}

/** Any textual address with a prefix length. */
export function isValidCIDR(value: string): Objections {
  return parseCIDR(value) ? [] : ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"];
}

/** "IPv4", "IPv6" or undefined. */
export function ipFamilyOf(address: string): "IPv4" | "IPv6" | undefined {
  return isIPv4(address) ? "IPv4" : isIPv6(address) ? "IPv6" : undefined;
}

/** The address as a number; undefined when it is none. */
export function ipToNumber(address: string): bigint | undefined {
  if (isIPv4(address)) return address.split(".").reduce((sum, octet) => sum * 256n + BigInt(octet), 0n);
  if (!isIPv6(address) || address.includes("%")) return undefined;
  const [head = "", tail] = address.split("::");
  const words = (part: string | undefined): string[] =>
    !part ? [] : part.split(":").flatMap((word) => (word.includes(".") ? wordsOfIPv4(word) : [word]));
  const before = words(head);
  const after = words(tail);
  const zeros = tail === undefined ? [] : new Array<string>(8 - before.length - after.length).fill("0");
  return [...before, ...zeros, ...after].reduce((sum, word) => sum * 65536n + BigInt(`0x${word}`), 0n);
}

function wordsOfIPv4(address: string): string[] {
  const number = ipToNumber(address) ?? 0n;
  return [(number >> 16n).toString(16), (number & 0xffffn).toString(16)];
}

/** The dotted text of a 32-bit number. */
export function numberToIPv4(number: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 255n).join(".");
}

export interface CIDR {
  readonly family: "IPv4" | "IPv6";
  /** The network's first address, host bits cleared. */
  readonly base: bigint;
  readonly prefixLength: number;
  /** How many addresses it holds. */
  readonly size: bigint;
}

/** A network; host bits are cleared. undefined when the text is none. */
export function parseCIDR(value: string): CIDR | undefined {
  const match = /^(.+)\/(0|[1-9]\d{0,2})$/.exec(value);
  const family = match ? ipFamilyOf(match[1]!) : undefined;
  const address = match ? ipToNumber(match[1]!) : undefined;
  if (!match || !family || address === undefined) return undefined;
  const bits = family === "IPv4" ? 32 : 128;
  const prefixLength = Number(match[2]);
  if (prefixLength > bits) return undefined;
  const size = 1n << BigInt(bits - prefixLength);
  return { family, base: address - (address % size), prefixLength, size };
}

/** Whether the address lies in the network; of another family it does not. */
export function cidrContains(cidr: CIDR, address: string): boolean {
  const number = ipToNumber(address);
  return (
    number !== undefined && ipFamilyOf(address) === cidr.family && number >= cidr.base && number < cidr.base + cidr.size
  );
}
