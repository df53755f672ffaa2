// Arithmetic on IPv4 addresses and CIDRs. Pure.

export interface Cidr {
  /** Network address as an unsigned number. */
  readonly base: number;
  readonly prefix: number;
}

/** "10.0.0.1" as an unsigned number; throws on anything else. */
export function parseIpv4(text: string): number {
  const parts = text.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) {
    throw new Error(`invalid IPv4 address: ${text}`);
  }
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

/** The dotted form. */
export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

/** "10.244.0.0/24", host bits cut off; throws on anything else. */
export function parseCidr(text: string): Cidr {
  const [address, prefixText] = text.split("/");
  const prefix = Number(prefixText);
  if (prefixText === undefined || !Number.isInteger(prefix) || prefix < 0 || prefix > 32) {
    throw new Error(`invalid CIDR address: ${text}`);
  }
  const size = 2 ** (32 - prefix);
  return { base: Math.floor(parseIpv4(address ?? "") / size) * size, prefix };
}

/** How many addresses it spans. */
export function cidrSize({ prefix }: Cidr): number {
  return 2 ** (32 - prefix);
}

/** The first usable address: the gateway's. */
export function firstAddress({ base }: Cidr): string {
  return formatIpv4(base + 1);
}

/** A locally administered MAC derived from the address, as the CNI bridge plugin makes it. */
export function macOf(address: string): string {
  const hex = parseIpv4(address).toString(16).padStart(8, "0");
  return `0a:58:${hex.match(/../g)!.join(":")}`;
}
