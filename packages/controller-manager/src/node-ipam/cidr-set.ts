// Hands out equal parts of an IPv4 range. Pure bookkeeping; upstream's cidrset.

/** "10.244.0.0/16" as numbers. */
export function parseCidr(cidr: string): { first: number; bits: number } {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr);
  const numbers = match?.slice(1).map(Number) ?? [];
  if (!match || numbers.slice(0, 4).some((octet) => octet > 255) || numbers[4]! > 32)
    throw new Error(`invalid CIDR address: ${cidr}`);
  const [a, b, c, d, bits] = numbers as [number, number, number, number, number];
  const size = 2 ** (32 - bits);
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  return { first: Math.floor(address / size) * size, bits };
}

function format(address: number, bits: number): string {
  return `${[24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".")}/${bits}`;
}

export class CidrSet {
  readonly #first: number;
  readonly #maskBits: number;
  readonly #count: number;
  readonly #used = new Set<number>();
  #next = 0;

  /** Throws when the parts would be larger than the whole. */
  constructor({ cidr, maskBits }: { cidr: string; maskBits: number }) {
    const { first, bits } = parseCidr(cidr);
    if (maskBits < bits) throw new Error(`subnet mask size ${maskBits} is too big for CIDR range ${cidr}`);
    this.#first = first;
    this.#maskBits = maskBits;
    this.#count = 2 ** (maskBits - bits);
  }

  /** The next free part, in turn; undefined when there is none. */
  allocate(): string | undefined {
    for (let i = 0; i < this.#count; i++) {
      const index = (this.#next + i) % this.#count;
      if (this.#used.has(index)) continue;
      this.#used.add(index);
      this.#next = index + 1;
      return format(this.#first + index * this.#size, this.#maskBits);
    }
    return undefined;
  }

  /** Marks all parts that the range touches. */
  occupy(cidr: string): void {
    for (const index of this.#touched(cidr)) this.#used.add(index);
  }

  release(cidr: string): void {
    for (const index of this.#touched(cidr)) this.#used.delete(index);
  }

  get #size(): number {
    return 2 ** (32 - this.#maskBits);
  }

  #touched(cidr: string): number[] {
    const { first, bits } = parseCidr(cidr);
    const from = Math.max(0, Math.floor((first - this.#first) / this.#size));
    const last = first + 2 ** (32 - bits) - 1;
    const to = Math.min(this.#count - 1, Math.floor((last - this.#first) / this.#size));
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
  }
}
