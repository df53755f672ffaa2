// Go's durations: "1h30m", "10s", "300ms". Reads and writes them as milliseconds; knows nothing of time itself.

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a Go duration; throws an Error in Go's words when it is none. */
export function parseDuration(text: string): number {
  const quoted = JSON.stringify(text);
  const sign = text.startsWith("-") ? -1 : 1;
  const body = text.replace(/^[-+]/, "");
  if (body === "0") return 0;
  if (body === "") throw new Error(`time: invalid duration ${quoted}`);
  let total = 0;
  let rest = body;
  while (rest !== "") {
    const match = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest);
    if (!match) throw new Error(`time: invalid duration ${quoted}`);
    const unit = match[2]!;
    if (unit === "") throw new Error(`time: missing unit in duration ${quoted}`);
    const factor = unitMs[unit];
    if (factor === undefined) throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`);
    total += Number(match[1]) * factor;
    rest = rest.slice(match[0].length);
  }
  return sign * total;
}

/** What Go prints for a duration: 90000 is "1m30s", 0 is "0s". */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return "0s";
  if (durationMs < 0) return `-${formatDuration(-durationMs)}`;
  if (durationMs < 1) return `${round(durationMs * 1000)}µs`;
  if (durationMs < 1000) return `${round(durationMs)}ms`;
  const hours = Math.floor(durationMs / unitMs.h!);
  const minutes = Math.floor((durationMs % unitMs.h!) / unitMs.m!);
  const seconds = `${round((durationMs % unitMs.m!) / 1000)}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
