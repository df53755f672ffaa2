// Structured logs in the manner of klog: a message in plain words, facts as fields, verbosity by number.

export interface Logger {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  /** An error object goes under the field "err" and is written with its causes. */
  error(message: string, fields?: Record<string, unknown>): void;
  /** A logger that speaks only when the process runs with -v of at least this level. */
  v(level: number): Logger;
  /** A logger that adds these fields to each line. */
  with(fields: Record<string, unknown>): Logger;
}

export interface LoggerOptions {
  /** The number of -v: 0 shows only what an operator always wants to see. */
  verbosity?: number;
  /** "text" is klog's form, "json" one object a line. */
  format?: "text" | "json";
  /** Stands where klog has the source file: the component's or part's name. */
  name?: string;
  /** Takes whole lines; stderr by default. */
  write?: (line: string) => void;
  now?: () => Date;
}

type Severity = "info" | "warn" | "error";

/** A logger that writes to stderr in klog's text form or as JSON lines. */
export function createLogger({
  verbosity = 0,
  format = "text",
  name = "main",
  write = (line) => void process.stderr.write(line),
  now = () => new Date(),
}: LoggerOptions = {}): Logger {
  const line = format === "json" ? jsonLine : textLine;
  function at(level: number, bound: Record<string, unknown>): Logger {
    const emit = (severity: Severity) =>
      level > verbosity
        ? () => {}
        : (message: string, fields?: Record<string, unknown>) =>
            write(line({ severity, level, name, time: now(), message, fields: { ...bound, ...fields } }));
    return {
      info: emit("info"),
      warn: emit("warn"),
      error: emit("error"),
      v: (next) => at(next, bound),
      with: (fields) => at(level, { ...bound, ...fields }),
    };
  }
  return at(0, {});
}

interface Line {
  severity: Severity;
  level: number;
  name: string;
  time: Date;
  message: string;
  fields: Record<string, unknown>;
}

const letters = { info: "I", warn: "W", error: "E" } as const;

function textLine({ severity, name, time, message, fields }: Line): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${two(time.getMonth() + 1)}${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  const micros = `${String(time.getMilliseconds()).padStart(3, "0")}000`;
  const words = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${JSON.stringify(plain(value))}`);
  return `${letters[severity]}${date} ${clock}.${micros} ${String(process.pid).padStart(7)} ${name}] ${JSON.stringify(message)}${words.join("")}\n`;
}

function jsonLine({ severity, level, name, time, message, fields }: Line): string {
  const facts = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, plain(value)]));
  return `${JSON.stringify({ ts: time.getTime(), severity, v: level, logger: name, msg: message, ...facts })}\n`;
}

function plain(value: unknown): unknown {
  if (value instanceof Error) return describeError(value);
  if (typeof value === "bigint") return String(value);
  return value;
}

/** An error's message followed by those of its causes; a programming error also shows where it happened. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own =
    error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError
      ? (error.stack ?? error.message)
      : error.message || error.name;
  return error.cause === undefined ? own : `${own}: ${describeError(error.cause)}`;
}
