// The schedules of CronJobs: five fields, "@daily" and the like, "@every 1h30m". Read and worked out as upstream's
// robfig/cron v3 does: a time that a zone's clock leaves out is not run, one that it shows twice is run twice. Pure.

import { parseGoDuration } from "../duration.js";
import { type TimeZone, timeZone, type WallTime } from "./zoned-time.js";

export interface CronSchedule {
  /** The first time after that one, in ms since the epoch; undefined when there is none within five years. */
  next(afterMs: number): number | undefined;
}

interface Field {
  readonly values: ReadonlySet<number>;
  /** "*" or "?": it restricts nothing. */
  readonly star: boolean;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  /** Names from min on. */
  readonly names?: readonly string[];
}

const bounds: readonly Bounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"] },
  { min: 0, max: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

const descriptors: { readonly [name: string]: string } = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

const minuteMs = 60_000;
const yearsAhead = 5;

/** Reads a schedule for a zone (the process's own when left out); throws an Error in robfig/cron's words. */
export function parseCronSchedule(text: string, zoneName?: string): CronSchedule {
  if (text === "") throw new Error("empty spec string");
  if (text.startsWith("@every ")) return every(text);
  if (text.startsWith("@") && !Object.hasOwn(descriptors, text)) throw new Error(`unrecognized descriptor: ${text}`);
  const fields = (descriptors[text] ?? text).split(/\s+/).filter(Boolean);
  if (fields.length !== bounds.length)
    throw new Error(`expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`);
  const [minute, hour, day, month, weekday] = fields.map((field, index) => parseField(field, bounds[index]!));
  return calendar({ minute: minute!, hour: hour!, day: day!, month: month!, weekday: weekday! }, timeZone(zoneName));
}

function every(text: string): CronSchedule {
  let durationMs: number;
  try {
    durationMs = parseGoDuration(text.slice("@every ".length));
  } catch (cause) {
    throw new Error(`failed to parse duration ${text}: ${(cause as Error).message}`, { cause });
  }
  const delayMs = Math.max(1000, Math.trunc(durationMs / 1000) * 1000);
  return { next: (afterMs) => Math.floor(afterMs / 1000) * 1000 + delayMs };
}

function parseField(text: string, limits: Bounds): Field {
  const ranges = text
    .split(",")
    .filter(Boolean)
    .map((range) => parseRange(range, limits));
  return { values: new Set(ranges.flatMap(({ values }) => values)), star: ranges.some(({ star }) => star) };
}

function parseRange(text: string, limits: Bounds): { values: number[]; star: boolean } {
  const [range = "", stepText, ...tooMany] = text.split("/");
  const [low = "", high, ...more] = range.split("-");
  const all = low === "*" || low === "?";
  if (!all && more.length > 0) throw new Error(`too many hyphens: ${text}`);
  const start = all ? limits.min : parseNumber(low, limits);
  let end = all ? limits.max : high === undefined ? start : parseNumber(high, limits);
  if (tooMany.length > 0) throw new Error(`too many slashes: ${text}`);
  const step = stepText === undefined ? 1 : parseNumber(stepText);
  // "5/15" is from 5 to the end.
  if (stepText !== undefined && high === undefined) end = limits.max;
  if (start < limits.min) throw new Error(`beginning of range (${start}) below minimum (${limits.min}): ${text}`);
  if (end > limits.max) throw new Error(`end of range (${end}) above maximum (${limits.max}): ${text}`);
  if (start > end) throw new Error(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (step === 0) throw new Error(`step of range should be a positive number: ${text}`);
  const values: number[] = [];
  for (let value = start; value <= end; value += step) values.push(value);
  return { values, star: all && step === 1 };
}

function parseNumber(text: string, { min = 0, names = [] }: Partial<Bounds> = {}): number {
  const named = names.indexOf(text.toLowerCase());
  if (named >= 0) return min + named;
  if (!/^[+-]?\d+$/.test(text))
    throw new Error(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  if (Number(text) < 0) throw new Error(`negative number (${Number(text)}) not allowed: ${text}`);
  return Number(text);
}

type Fields = Readonly<Record<"minute" | "hour" | "day" | "month" | "weekday", Field>>;

function calendar(fields: Fields, zone: TimeZone): CronSchedule {
  return {
    next(afterMs) {
      let atMs = (Math.floor(afterMs / minuteMs) + 1) * minuteMs;
      const lastYear = zone.at(atMs).year + yearsAhead;
      for (;;) {
        const wall = zone.at(atMs);
        if (!isDay(fields, wall)) {
          const date = nextDate(fields, wall, lastYear);
          if (!date) return undefined;
          atMs = zone.startOfDay(date.year, date.month, date.day);
        } else if (!fields.hour.values.has(wall.hour)) atMs += (60 - wall.minute) * minuteMs;
        else if (!fields.minute.values.has(wall.minute)) atMs += minuteMs;
        else return atMs;
        if (wall.year > lastYear) return undefined;
      }
    },
  };
}

type CalendarDate = Pick<WallTime, "year" | "month" | "day" | "weekday">;

// Both day fields must match, unless both restrict: then either is enough.
function isDay({ day, month, weekday }: Fields, date: CalendarDate): boolean {
  if (!month.values.has(date.month)) return false;
  const [byDay, byWeekday] = [day.values.has(date.day), weekday.values.has(date.weekday)];
  return day.star || weekday.star ? byDay && byWeekday : byDay || byWeekday;
}

function nextDate(fields: Fields, after: CalendarDate, lastYear: number): CalendarDate | undefined {
  const date = new Date(Date.UTC(after.year, after.month - 1, after.day));
  for (;;) {
    date.setUTCDate(date.getUTCDate() + 1);
    const year = date.getUTCFullYear();
    if (year > lastYear) return undefined;
    const found = { year, month: date.getUTCMonth() + 1, day: date.getUTCDate(), weekday: date.getUTCDay() };
    if (isDay(fields, found)) return found;
  }
}
