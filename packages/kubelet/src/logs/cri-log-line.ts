// One line of the engine's json-file log as the line that a CRI runtime writes: "<time> <stream> <tag> <content>".
// Pure.

interface EngineLogEntry {
  readonly log?: string;
  readonly stream?: string;
  readonly time?: string;
}

/** The line with its newline; undefined for what is no entry. The tag is P for a part whose rest follows, F otherwise. */
export function criLogLine(entryText: string): string | undefined {
  let entry: EngineLogEntry;
  try {
    entry = JSON.parse(entryText) as EngineLogEntry;
  } catch {
    return undefined;
  }
  const { log, stream = "stdout", time } = entry;
  if (log === undefined || time === undefined) return undefined;
  // The engine cuts lines at 16 KiB; only the last part has the newline.
  const [tag, content] = log.endsWith("\n") ? ["F", log.slice(0, -1)] : ["P", log];
  return `${time} ${stream} ${tag} ${content}\n`;
}

const nanosecondDigits = 9;

/** A time of either format in a form whose order as text is the order in time: the engine leaves out trailing zeros. */
export function sortableTime(time: string): string {
  const [seconds = "", fraction = ""] = time.replace(/Z.*$/, "").split(".");
  return `${seconds}.${fraction.padEnd(nanosecondDigits, "0")}`;
}
