// The command line of every executable: flags in Go's style, --help, --version, signals, exit codes.
// Knows no component's flags; each main.ts declares its own as data.

import { setMaxListeners } from "node:events";
import { type Clock, realClock } from "./clock.js";
import { ConfigError } from "./config-error.js";
import { helpText } from "./flag-help.js";
import { type Flag, type FlagValues, parseFlags } from "./flag-set.js";
import { createLogger, type Logger } from "./logger.js";
import { version } from "./version.js";

export interface CommandContext {
  readonly logger: Logger;
  /** Aborts at the first SIGTERM or SIGINT; a second one ends the process at once. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Names of the flags that stood on the command line: these win over a config file. */
  readonly changed: ReadonlySet<string>;
}

export interface Command<Flags extends Record<string, Flag>> {
  readonly name: string;
  readonly description: string;
  readonly flags: Flags;
  /** Resolves when the component has shut down. */
  run(values: FlagValues<Flags>, context: CommandContext): Promise<void>;
}

const commonFlags = {
  v: { type: "int", default: 0, description: "number for the log level verbosity" },
  "logging-format": {
    type: "string",
    default: "text",
    choices: ["text", "json"],
    description: 'Sets the log format. Permitted formats: "json", "text".',
  },
  help: { type: "bool", default: false, description: "help for this command" },
  version: { type: "bool", default: false, description: "print version information and quit" },
} as const satisfies Record<string, Flag>;

/** Parses argv, runs the component until it has stopped, and exits: 0 when stopped, 1 for the user's mistake or a failure. */
export async function runCommand<const Flags extends Record<string, Flag>>(
  command: Command<Flags>,
  argv: readonly string[] = process.argv.slice(2),
): Promise<void> {
  process.exit(await execute(command, argv));
}

async function execute<const Flags extends Record<string, Flag>>(
  command: Command<Flags>,
  argv: readonly string[],
): Promise<number> {
  const own: Record<string, Flag> = command.flags;
  const flags: Record<string, Flag> = { ...commonFlags, ...own };
  let logger = createLogger({ name: command.name });
  try {
    const { values, changed } = parseFlags(command.name, flags, argv);
    if (values.help) return print(helpText({ name: command.name, description: command.description, flags }));
    if (values.version) return print(`Kubernetes ${version.gitVersion}\n`);
    const format = values.loggingFormat === "json" ? "json" : "text";
    logger = createLogger({ name: command.name, verbosity: values.v as number, format });
    const signal = abortOnSignals(logger);
    failLoudly(logger);
    await command.run(values as FlagValues<Flags>, { logger, signal, clock: realClock(), changed });
    return 0;
  } catch (error) {
    if (error instanceof ConfigError) process.stderr.write(`Error: ${error.message}\n`);
    else logger.error("Command failed", { err: error });
    return 1;
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function abortOnSignals(logger: Logger): AbortSignal {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(1);
      logger.info("Received signal, shutting down", { signal: name });
      controller.abort(new DOMException(`received ${name}`, "AbortError"));
    });
  }
  return controller.signal;
}

function failLoudly(logger: Logger): void {
  const fail = (what: string) => (error: unknown) => {
    const stack = error instanceof Error ? error.stack : undefined;
    logger.error(what, { err: error, stack });
    process.exit(1);
  };
  process.on("uncaughtException", fail("Uncaught exception"));
  process.on("unhandledRejection", fail("Unhandled rejection"));
  // A reader of our log that went away must not take the component with it.
  process.stderr.on("error", () => {});
}
