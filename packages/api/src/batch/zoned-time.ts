// Wall clocks of time zones: what a clock on the wall shows at an instant, and when a date begins there. Pure.

/** What the clock on the wall shows; month from 1, weekday from 0 for Sunday. */
export interface WallTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly weekday: number;
}

export interface TimeZone {
  at(epochMs: number): WallTime;
  /** The first instant of the date; of one that the zone leaves out, the first thereafter. */
  startOfDay(year: number, month: number, day: number): number;
  /** How far the wall is ahead of UTC, in ms. */
  offsetMs(epochMs: number): number;
}

const dayMs = 86_400_000;

/** Whether it is a name of the IANA data base, such as "Europe/Berlin" (upstream: time.LoadLocation). */
export function isTimeZone(name: string): boolean {
  // Offsets such as "+01:00" are known to Intl, but are no names.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The zone of that name; throws a RangeError when there is none. Left out: the process's own. */
export function timeZone(name?: string): TimeZone {
  const format = new Intl.DateTimeFormat("en-US", {
    ...(name === undefined ? {} : { timeZone: name }),
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  function offsetMs(epochMs: number): number {
    const field: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(epochMs)) field[type] = Number(value);
    const { year, month, day, hour, minute, second } = field;
    return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) - Math.floor(epochMs / 1000) * 1000;
  }
  return {
    offsetMs,
    at: (epochMs) => wallTime(epochMs + offsetMs(epochMs)),
    startOfDay(year, month, day) {
      const midnightMs = Date.UTC(year, month - 1, day);
      // The clock may be set around that midnight: of the offsets before and after, the earlier that is on the date.
      const instants = [midnightMs - offsetMs(midnightMs - dayMs), midnightMs - offsetMs(midnightMs + dayMs)];
      const onDate = instants.filter((epochMs) => epochMs + offsetMs(epochMs) >= midnightMs);
      return Math.min(...(onDate.length > 0 ? onDate : instants));
    },
  };
}

function wallTime(localMs: number): WallTime {
  const date = new Date(localMs);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    weekday: date.getUTCDay(),
  };
}
