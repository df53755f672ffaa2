// Quantity: resource.Quantity with upstream's grammar, rounding and canonical form (apimachinery pkg/api/resource).
// Immutable; counts in nano units with BigInt, so nothing is ever lost between 1n and 2^63-1.

/** How a quantity prefers to be written: "1e3", "1k" or "1Ki". */
export type QuantityFormat = "DecimalExponent" | "DecimalSI" | "BinarySI";

const SCALE = 1_000_000_000n;
const MAX_ALLOWED = ((1n << 63n) - 1n) * SCALE;

const FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const NUMERIC_WRONG = "unable to parse numeric part of quantity";
const SUFFIX_WRONG = "unable to parse quantity's suffix";

const BINARY_SUFFIXES = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL_SUFFIXES = new Map<number, string>([
  [-9, "n"],
  [-6, "u"],
  [-3, "m"],
  [0, ""],
  [3, "k"],
  [6, "M"],
  [9, "G"],
  [12, "T"],
  [15, "P"],
  [18, "E"],
]);
const DECIMAL_EXPONENTS = new Map([...DECIMAL_SUFFIXES].map(([exponent, suffix]) => [suffix, exponent]));

/** What upstream's ParseQuantity answers to bad input, in its words. */
export class QuantityParseError extends Error {
  override readonly name = "QuantityParseError";
}

interface Suffix {
  base: 2 | 10;
  exponent: number;
  format: QuantityFormat;
}

function interpretSuffix(suffix: string): Suffix {
  const decimal = DECIMAL_EXPONENTS.get(suffix);
  if (decimal !== undefined) return { base: 10, exponent: decimal, format: "DecimalSI" };
  const binary = BINARY_SUFFIXES.indexOf(suffix);
  if (binary > 0) return { base: 2, exponent: binary * 10, format: "BinarySI" };
  if (/^[eE][+-]?\d{1,9}$/.test(suffix)) {
    return { base: 10, exponent: Number(suffix.slice(1)), format: "DecimalExponent" };
  }
  throw new QuantityParseError(SUFFIX_WRONG);
}

/** Divides, rounding away from zero. */
function divideUp(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  if (dividend % divisor === 0n) return quotient;
  return dividend < 0n ? quotient - 1n : quotient + 1n;
}

/** Away from zero to whole nanos; exponents too large to matter are cut to the cap at once. */
function toNanos(digits: bigint, exponentOfTen: number): bigint {
  const exponent = exponentOfTen + 9;
  if (digits === 0n) return 0n;
  if (exponent > 60) return digits < 0n ? -MAX_ALLOWED : MAX_ALLOWED;
  if (exponent >= 0) return digits * 10n ** BigInt(exponent);
  return exponent < -1000 ? (digits < 0n ? -1n : 1n) : divideUp(digits, 10n ** BigInt(-exponent));
}

function parseNanos(text: string): { nanos: bigint; format: QuantityFormat } {
  if (text === "") throw new QuantityParseError(FORMAT_WRONG);
  const match = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/.exec(text);
  if (!match) throw new QuantityParseError(FORMAT_WRONG);
  const [, sign, whole = "", fraction = "", suffixText = ""] = match;
  const suffix = interpretSuffix(suffixText);
  if (whole === "" && fraction === "") throw new QuantityParseError(NUMERIC_WRONG);
  let digits = BigInt(whole + fraction);
  let exponent = -fraction.length;
  if (suffix.base === 2) digits <<= BigInt(suffix.exponent);
  else exponent += suffix.exponent;
  let nanos = toNanos(digits, exponent);
  if (nanos > MAX_ALLOWED) nanos = MAX_ALLOWED;
  const tiny = suffix.format === "BinarySI" && nanos > 0n && nanos < SCALE;
  return { nanos: sign === "-" ? -nanos : nanos, format: tiny ? "DecimalSI" : suffix.format };
}

function canonicalDecimal(nanos: bigint, format: QuantityFormat): string {
  let mantissa = nanos;
  let exponent = -9;
  while (mantissa % 10n === 0n) {
    mantissa /= 10n;
    exponent += 1;
  }
  while (exponent % 3 !== 0) {
    mantissa *= 10n;
    exponent -= 1;
  }
  if (exponent === 0) return String(mantissa);
  const suffix = format === "DecimalSI" ? DECIMAL_SUFFIXES.get(exponent) : undefined;
  return `${mantissa}${suffix ?? `e${exponent}`}`;
}

function canonicalBinary(value: bigint): string {
  let mantissa = value;
  let power = 0;
  while (mantissa % 1024n === 0n && power < BINARY_SUFFIXES.length - 1) {
    mantissa /= 1024n;
    power += 1;
  }
  return `${mantissa}${BINARY_SUFFIXES[power]}`;
}

export class Quantity {
  /** Nothing, in decimal form. */
  static readonly zero = new Quantity(0n, "DecimalSI");

  private constructor(
    /** The amount in billionths. */
    readonly nanos: bigint,
    readonly format: QuantityFormat,
  ) {}

  /** Upstream's ParseQuantity; a JSON number is read as its text. Throws QuantityParseError. */
  static parse(text: string | number): Quantity {
    const { nanos, format } = parseNanos(String(text).trim());
    return new Quantity(nanos, format);
  }

  /** Whole units: bytes, cores, pods. */
  static fromValue(value: number | bigint, format: QuantityFormat = "DecimalSI"): Quantity {
    return new Quantity(BigInt(value) * SCALE, format);
  }

  /** Thousandths: millicores. */
  static fromMilliValue(value: number | bigint, format: QuantityFormat = "DecimalSI"): Quantity {
    return new Quantity(BigInt(value) * 1_000_000n, format);
  }

  get isZero(): boolean {
    return this.nanos === 0n;
  }

  /** -1, 0 or 1. */
  get sign(): number {
    return this.nanos < 0n ? -1 : this.nanos > 0n ? 1 : 0;
  }

  /** Whole units, rounded away from zero. */
  value(): number {
    return Number(divideUp(this.nanos, SCALE));
  }

  /** Thousandths, rounded away from zero. */
  milliValue(): number {
    return Number(divideUp(this.nanos, 1_000_000n));
  }

  /** Unrounded, for ratios and metrics. */
  asNumber(): number {
    return Number(this.nanos) / 1e9;
  }

  /** True when nothing finer than thousandths would be lost. */
  isWholeMillis(): boolean {
    return this.nanos % 1_000_000n === 0n;
  }

  /** Rounded away from zero to thousandths, as upstream's defaulting of resource lists does. */
  roundUpToMilli(): Quantity {
    return this.isWholeMillis() ? this : new Quantity(divideUp(this.nanos, 1_000_000n) * 1_000_000n, this.format);
  }

  /** Zero takes the other's format, as upstream's Add. */
  add(other: Quantity): Quantity {
    return new Quantity(this.nanos + other.nanos, this.isZero ? other.format : this.format);
  }

  sub(other: Quantity): Quantity {
    return new Quantity(this.nanos - other.nanos, this.isZero ? other.format : this.format);
  }

  neg(): Quantity {
    return new Quantity(-this.nanos, this.format);
  }

  /** Times a whole number. */
  mul(factor: number): Quantity {
    return new Quantity(this.nanos * BigInt(factor), this.format);
  }

  /** Below 0, 0 or above 0, as a sort wants it. */
  compare(other: Quantity): number {
    return this.nanos < other.nanos ? -1 : this.nanos > other.nanos ? 1 : 0;
  }

  equals(other: Quantity): boolean {
    return this.nanos === other.nanos;
  }

  /** The canonical form: no fraction, no lost precision, the largest suffix. */
  toString(): string {
    if (this.nanos === 0n) return "0";
    const binary =
      this.format === "BinarySI" &&
      this.nanos % SCALE === 0n &&
      (this.nanos <= -1024n * SCALE || this.nanos >= 1024n * SCALE);
    if (binary) return canonicalBinary(this.nanos / SCALE);
    return canonicalDecimal(this.nanos, this.format === "BinarySI" ? "DecimalSI" : this.format);
  }

  toJSON(): string {
    return this.toString();
  }
}

/** Short for Quantity.parse. Throws QuantityParseError. */
export function parseQuantity(text: string | number): Quantity {
  return Quantity.parse(text);
}

/** The canonical text of a quantity's text ("1000m" is "1"). Throws QuantityParseError. */
export function canonicalQuantity(text: string | number): string {
  return Quantity.parse(text).toString();
}
