// Chooses free addresses of one service CIDR (upstream: pkg/registry/core/service/ipallocator). Pure: who holds what is
// told by the caller.

import { type CIDR, numberToIPv4, parseCIDR } from "@picokube/api/validation/ip";

/** A service CIDR, ready to allocate from. */
export interface ServiceRange {
  readonly text: string;
  readonly cidr: CIDR;
}

/** Throws an Error for a text that is no CIDR. */
export function serviceRange(text: string): ServiceRange {
  const cidr = parseCIDR(text);
  if (!cidr) throw new Error(`invalid service CIDR "${text}"`);
  return { text, cidr };
}

/** The text of an address, in its canonical form. */
export function addressText(family: CIDR["family"], number: bigint): string {
  if (family === "IPv4") return numberToIPv4(number);
  const words = Array.from({ length: 8 }, (_, index) => ((number >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  // The URL parser writes IPv6 addresses in the form of RFC 5952.
  return new URL(`http://[${words.join(":")}]`).hostname.slice(1, -1);
}

/** Neither the network's nor, with IPv4, the broadcast address. */
function usable({ cidr }: ServiceRange): { first: bigint; count: bigint } {
  const reserved = cidr.family === "IPv4" ? 2n : 1n;
  const most = 65536n * 16n;
  const count = cidr.size - reserved;
  return { first: cidr.base + 1n, count: count < 0n ? 0n : count > most ? most : count };
}

/** How many addresses at the start are kept for explicit requests (KEP-3070). */
function lowerBand(count: bigint): bigint {
  const sixteenth = count / 16n;
  if (count < 32n) return 0n;
  return sixteenth < 16n ? 16n : sixteenth > 256n ? 256n : sixteenth;
}

/** A free address, from the upper band while it has one; undefined when the range is full. random gives [0, 1). */
export function pickAddress(
  range: ServiceRange,
  { isTaken, random }: { isTaken: (address: string) => boolean; random: () => number },
): string | undefined {
  const { first, count } = usable(range);
  const offset = lowerBand(count);
  const bands = [
    { start: first + offset, size: count - offset },
    { start: first, size: offset },
  ];
  for (const { start, size } of bands) {
    const from = BigInt(Math.floor(random() * Number(size)));
    for (let step = 0n; step < size; step++) {
      const address = addressText(range.cidr.family, start + ((from + step) % size));
      if (!isTaken(address)) return address;
    }
  }
  return undefined;
}
