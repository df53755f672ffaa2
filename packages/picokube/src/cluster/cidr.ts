// IPv4 ranges as the CLI needs them: parsing, overlap, the n-th address.

import { ConfigError } from "@picokube/component-base/config-error";

export interface Cidr {
  readonly base: number;
  readonly prefixLength: number;
}

/** Parses "10.96.0.0/16"; throws ConfigError naming the flag when it is none or has host bits. */
export function parseCidr(text: string, flag: string): Cidr {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  const octets = match?.slice(1, 5).map(Number) ?? [];
  const prefixLength = Number(match?.[5]);
  if (!match || octets.some((octet) => octet > 255) || prefixLength > 32)
    throw new ConfigError(`invalid argument "${text}" for "${flag}": invalid CIDR address: ${text}`);
  const base = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const size = 2 ** (32 - prefixLength);
  if (base % size !== 0)
    throw new ConfigError(
      `invalid argument "${text}" for "${flag}": it has host bits set; the range is ${formatIp(base - (base % size))}/${prefixLength}`,
    );
  return { base, prefixLength };
}

export function formatIp(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** The n-th address of the range: 1 is the apiserver's VIP of a service range, 10 the DNS server's. */
export function nthIp(cidr: string, n: number, flag: string): string {
  const { base, prefixLength } = parseCidr(cidr, flag);
  if (n >= 2 ** (32 - prefixLength))
    throw new ConfigError(`${flag} ${cidr} is too small: it has no address number ${n}`);
  return formatIp(base + n);
}

export function overlaps(a: Cidr, b: Cidr): boolean {
  const size = ({ prefixLength }: Cidr) => 2 ** (32 - prefixLength);
  return a.base < b.base + size(b) && b.base < a.base + size(a);
}

/** The same of ranges that are known to be good: "10.96.0.0/16". */
export function overlapsAny(cidr: string, others: readonly string[]): boolean {
  return others.some((other) => overlaps(parseCidr(other, "range"), parseCidr(cidr, "range")));
}
