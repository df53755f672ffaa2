// metav1.Time and metav1.MicroTime: RFC 3339 in UTC, to seconds or microseconds. Takes milliseconds, never asks a clock.

/** "2026-01-02T03:04:05Z": creationTimestamp and every other metav1.Time. */
export function formatTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}

/** "2026-01-02T03:04:05.000000Z": the renewTime of a Lease, the eventTime of an Event. */
export function formatMicroTime(epochMs: number): string {
  const wholeMs = Math.floor(epochMs);
  const micros = Math.floor((epochMs - wholeMs) * 1000);
  return `${new Date(wholeMs).toISOString().slice(0, 23)}${String(micros).padStart(3, "0")}Z`;
}

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** Milliseconds since the epoch; undefined for what is not RFC 3339. */
export function parseTime(text: string | undefined | null): number | undefined {
  if (typeof text !== "string" || !RFC3339.test(text)) return undefined;
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : epochMs;
}
