// IntOrString: a number or a percentage (apimachinery pkg/util/intstr). Knows no field and no kind.

export type IntOrString = number | string;

const INT = /^[+-]?\d+$/;

function parsePercent(text: string): number {
  if (!text.endsWith("%")) throw new Error("invalid value for IntOrString: invalid type: string is not a percentage");
  const digits = text.slice(0, -1);
  if (!INT.test(digits)) {
    const quoted = JSON.stringify(text);
    throw new Error(
      `invalid value for IntOrString: invalid value ${quoted}: strconv.Atoi: parsing ${JSON.stringify(digits)}: invalid syntax`,
    );
  }
  return Number(digits);
}

/** The number itself, or its percentage of total, rounded up or down (upstream: GetScaledValueFromIntOrPercent). Throws on a string that is no percentage. */
export function getScaledValueFromIntOrPercent(
  value: IntOrString | undefined,
  { total, roundUp }: { total: number; roundUp: boolean },
): number {
  if (value === undefined || value === null) throw new Error("nil value for IntOrString");
  if (typeof value === "number") return value;
  const scaled = (parsePercent(value) * total) / 100;
  return roundUp ? Math.ceil(scaled) : Math.floor(scaled);
}

/** True for "25%". */
export function isPercent(value: IntOrString | undefined): value is string {
  return typeof value === "string" && value.endsWith("%");
}

/** The number, or the string read as one, 0 when it is none (upstream: IntValue). */
export function intValue(value: IntOrString | undefined): number {
  if (typeof value === "number") return value;
  return value !== undefined && INT.test(value) ? Number(value) : 0;
}
