// Sets of completion indexes as ordered intervals, and their text such as "1,3-5,7". Pure: upstream's orderedIntervals.

export interface Interval {
  readonly first: number;
  readonly last: number;
}

/** Increasing, disjoint and never adjacent. */
export type Intervals = readonly Interval[];

/** Reads the text; what lies at or above completions, or cannot be read, is left out. Upstream's parseIndexesFromString. */
export function parseIntervals(text: string | undefined, completions: number): Intervals {
  const result: Interval[] = [];
  for (const part of (text ?? "").split(",")) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (!match) continue;
    const first = Number(match[1]);
    if (first >= completions) break;
    result.push({ first, last: Math.min(Number(match[2] ?? first), completions - 1) });
  }
  return union(result, []);
}

/** The text; two neighbours are written "3,4", more are "3-5". */
export function formatIntervals(intervals: Intervals): string {
  return intervals
    .map(({ first, last }) => (first === last ? `${first}` : `${first}${last === first + 1 ? "," : "-"}${last}`))
    .join(",");
}

/** All that is in one or the other. Upstream's orderedIntervals.merge. */
export function union(left: Intervals, right: Intervals): Intervals {
  const result: { first: number; last: number }[] = [];
  for (const { first, last } of [...left, ...right].sort((a, b) => a.first - b.first)) {
    const previous = result.at(-1);
    if (!previous || first > previous.last + 1) result.push({ first, last });
    else previous.last = Math.max(previous.last, last);
  }
  return result;
}

/** The intervals and these indexes, in any order. */
export function withIndexes(intervals: Intervals, indexes: Iterable<number>): Intervals {
  const singles = [...indexes].sort((a, b) => a - b).map((index) => ({ first: index, last: index }));
  return singles.length === 0 ? intervals : union(intervals, singles);
}

/** How many indexes there are. */
export function countIndexes(intervals: Intervals): number {
  return intervals.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

/** Whether the index is in it. */
export function hasIndex(intervals: Intervals, index: number): boolean {
  let low = 0;
  let high = intervals.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (intervals[middle]!.last >= index) high = middle;
    else low = middle + 1;
  }
  return low < intervals.length && intervals[low]!.first <= index;
}

/** How many indexes both hold. */
export function countCommon(left: Intervals, right: Intervals): number {
  let count = 0;
  for (let i = 0, j = 0; i < left.length && j < right.length; ) {
    const [a, b] = [left[i]!, right[j]!];
    count += Math.max(0, Math.min(a.last, b.last) - Math.max(a.first, b.first) + 1);
    if (a.last <= b.last) i++;
    if (b.last <= a.last) j++;
  }
  return count;
}

/** The lowest indexes below completions that are not in it, count at most. */
export function firstMissing(
  taken: Intervals,
  { count, completions }: { count: number; completions: number },
): number[] {
  const result: number[] = [];
  let candidate = 0;
  for (const { first, last } of [...taken, { first: completions, last: completions }]) {
    for (; candidate < Math.min(first, completions) && result.length < count; candidate++) result.push(candidate);
    candidate = Math.max(candidate, last + 1);
    if (result.length >= count) break;
  }
  return result;
}
