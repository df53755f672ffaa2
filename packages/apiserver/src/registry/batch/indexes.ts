// Lists of a Job's indexes such as "1,3-5", in upstream's words (upstream: validateIndexesFormat). Pure.

/** How many indexes a list names, or what is wrong with it. */
export type ParsedIndexes =
  | { readonly intervals: readonly [number, number][]; readonly total: number }
  | { readonly why: string };

function parseIndex(text: string, completions: number): number | string {
  const quoted = JSON.stringify(text);
  if (!/^[+-]?\d+$/.test(text)) return `cannot convert string to integer for index: ${quoted}`;
  return Number(text) >= completions ? `too large index: ${quoted}` : Number(text);
}

function parseInterval(text: string, completions: number): [number, number] | string {
  const limits = text.split("-");
  if (limits.length > 2) {
    return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`;
  }
  const first = parseIndex(limits[0]!, completions);
  if (typeof first === "string") return first;
  if (limits.length === 1) return [first, first];
  const last = parseIndex(limits[1]!, completions);
  if (typeof last === "string") return last;
  return first >= last ? `non-increasing order, previous: ${first}, current: ${last}` : [first, last];
}

/** Parses a list; each index lies below completions, and they increase. */
export function parseIndexes(text: string, completions: number): ParsedIndexes {
  const intervals: [number, number][] = [];
  for (const part of text === "" ? [] : text.split(",")) {
    const interval = parseInterval(part, completions);
    if (typeof interval === "string") return { why: interval };
    const previous = intervals.at(-1)?.[1];
    if (previous !== undefined && previous >= interval[0]) {
      return { why: `non-increasing order, previous: ${previous}, current: ${interval[0]}` };
    }
    intervals.push(interval);
  }
  return { intervals, total: intervals.reduce((sum, [first, last]) => sum + last - first + 1, 0) };
}

/** The first index that both lists name; undefined when there is none or one cannot be parsed. */
export function firstOverlap(one: string, other: string, completions: number): number | undefined {
  const a = parseIndexes(one, completions);
  const b = parseIndexes(other, completions);
  if ("why" in a || "why" in b) return undefined;
  for (const [from, to] of a.intervals) {
    for (const [start, end] of b.intervals) if (from <= end && start <= to) return Math.max(from, start);
  }
  return undefined;
}
