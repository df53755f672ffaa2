// Durations: as kubectl shows ages (apimachinery pkg/util/duration) and as Go writes and reads them ("1m30s").
// Milliseconds everywhere; nothing here reads a clock.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const whole = (durationMs: number, unitMs: number): number => Math.floor(durationMs / unitMs);

/** "2m30s": major and sometimes minor unit joined, the minor left out when zero. */
function pair(major: string, minor: number, minorUnit: string): string {
  return minor === 0 ? major : `${major}${minor}${minorUnit}`;
}

/** Upstream's duration.HumanDuration: "5s", "2m30s", "3d12h", "2y": two or three figures. */
export function humanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / SECOND);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = whole(durationMs, MINUTE);
  if (minutes < 10) return pair(`${minutes}m`, seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = whole(durationMs, HOUR);
  if (hours < 8) return pair(`${hours}h`, minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 24 * 8) return pair(`${days}d`, hours % 24, "h");
  if (hours < 24 * 365 * 2) return `${days}d`;
  const years = Math.floor(days / 365);
  if (hours < 24 * 365 * 8) return pair(`${years}y`, days % 365, "d");
  return `${years}y`;
}

/** Upstream's duration.ShortHumanDuration: one unit only. */
export function shortHumanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / SECOND);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 60) return `${seconds}s`;
  if (durationMs < HOUR) return `${whole(durationMs, MINUTE)}m`;
  if (durationMs < DAY) return `${whole(durationMs, HOUR)}h`;
  return durationMs < 365 * DAY ? `${whole(durationMs, DAY)}d` : `${whole(durationMs, 365 * DAY)}y`;
}

const UNITS_MS: { [unit: string]: number } = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: SECOND,
  m: MINUTE,
  h: HOUR,
};

/** Go's time.ParseDuration in milliseconds: "1h30m", "1.5s", "-2m". Throws an Error in Go's words. */
export function parseGoDuration(text: string): number {
  const bad = (why: string): Error => new Error(`time: ${why} ${JSON.stringify(text)}`);
  const unsigned = /^[+-]/.test(text) ? text.slice(1) : text;
  if (unsigned === "0") return 0;
  if (unsigned === "") throw bad("invalid duration");
  const part = /(\d+\.?\d*|\.\d+)([^\d.]*)/y;
  let totalMs = 0;
  while (part.lastIndex < unsigned.length) {
    const match = part.exec(unsigned);
    if (!match) throw bad("invalid duration");
    const unit = match[2]!;
    if (unit === "") throw bad("missing unit in duration");
    const unitMs = UNITS_MS[unit];
    if (unitMs === undefined) throw bad(`unknown unit ${JSON.stringify(unit)} in duration`);
    totalMs += Number(match[1]) * unitMs;
  }
  return text.startsWith("-") ? -totalMs : totalMs;
}

/** Go's time.Duration.String: "1h30m0s", "1.5s", "300ms", "0s". */
export function formatGoDuration(durationMs: number): string {
  if (durationMs === 0) return "0s";
  const sign = durationMs < 0 ? "-" : "";
  const nanos = Math.round(Math.abs(durationMs) * 1e6);
  if (nanos < 1e3) return `${sign}${nanos}ns`;
  if (nanos < 1e6) return `${sign}${nanos / 1e3}µs`;
  if (nanos < 1e9) return `${sign}${nanos / 1e6}ms`;
  const wholeSeconds = Math.floor(nanos / 1e9);
  const fraction = String(nanos % 1e9)
    .padStart(9, "0")
    .replace(/0+$/, "");
  const seconds = `${wholeSeconds % 60}${fraction === "" ? "" : `.${fraction}`}s`;
  const minutes = Math.floor(wholeSeconds / 60);
  if (minutes === 0) return `${sign}${seconds}`;
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? `${sign}${minutes}m${seconds}` : `${sign}${hours}h${minutes % 60}m${seconds}`;
}
