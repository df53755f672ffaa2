// Record types by number: those that records are kept under, and those that metrics call by name.

const names: Readonly<Record<number, string>> = {
  1: "A",
  2: "NS",
  5: "CNAME",
  6: "SOA",
  12: "PTR",
  15: "MX",
  16: "TXT",
  28: "AAAA",
  33: "SRV",
  43: "DS",
  46: "RRSIG",
  47: "NSEC",
  48: "DNSKEY",
  50: "NSEC3",
  65: "HTTPS",
  251: "IXFR",
  252: "AXFR",
  255: "ANY",
};

const numbers = new Map(Object.entries(names).map(([number, name]) => [name, Number(number)]));

/** "other" for what has no name here, as upstream's metrics lump it together. */
export function typeName(type: number): string {
  return names[type] ?? "other";
}

/** The number of a type that records are made of. */
export function typeNumber(name: string): number {
  const number = numbers.get(name);
  if (number === undefined) throw new Error(`record type ${name} has no number here`);
  return number;
}
