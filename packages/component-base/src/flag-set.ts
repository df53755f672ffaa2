// Flags as data, and argv turned into typed values. Prints nothing and exits nothing.

import { Command, CommanderError, Option } from "commander";
import { ConfigError } from "./config-error.js";
import { parseDuration } from "./duration.js";

interface FlagBase {
  readonly description: string;
  readonly hidden?: boolean;
}

/** One flag: its type, its default and what --help says of it. A duration's default is ms or Go's words. */
export type Flag = FlagBase &
  (
    | { readonly type: "string"; readonly default?: string; readonly choices?: readonly string[] }
    | { readonly type: "int"; readonly default?: number }
    | { readonly type: "bool"; readonly default?: boolean }
    | { readonly type: "duration"; readonly default?: number | string }
    | { readonly type: "string-list"; readonly default?: readonly string[] }
    | {
        readonly type: "map";
        readonly default?: Readonly<Record<string, string>>;
        readonly separator?: "=" | "<" | ":";
      }
  );

type Given<F, T> = F extends { readonly default: unknown } ? T : T | undefined;

/** What a flag's value is in run: without a default a string, int or duration may be undefined. */
export type FlagValue<F> = F extends { readonly type: "string" }
  ? Given<F, string>
  : F extends { readonly type: "int" | "duration" }
    ? Given<F, number>
    : F extends { readonly type: "bool" }
      ? boolean
      : F extends { readonly type: "string-list" }
        ? string[]
        : F extends { readonly type: "map" }
          ? Record<string, string>
          : never;

type CamelCase<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

/** The values of a record of flags under camelCase names. */
export type FlagValues<Flags extends Record<string, Flag>> = {
  [Name in keyof Flags & string as CamelCase<Name>]: FlagValue<Flags[Name]>;
};

/** "secure-port" is "securePort". */
function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** Reads argv; throws a ConfigError in pflag's words. */
export function parseFlags(
  name: string,
  flags: Record<string, Flag>,
  argv: readonly string[],
): { values: Record<string, unknown>; changed: Set<string> } {
  const changed = new Set<string>();
  const values: Record<string, unknown> = {};
  const command = new Command(name).exitOverride().helpOption(false).allowExcessArguments(false);
  command.configureOutput({ writeOut: () => {}, writeErr: () => {} });
  for (const [flagName, flag] of Object.entries(flags)) {
    values[camelCase(flagName)] = defaultOf(flag);
    const option = new Option(`${flagName.length === 1 ? "-" : "--"}${flagName} <value>`);
    option.argParser((text: string) => {
      const before = changed.has(flagName) ? values[camelCase(flagName)] : undefined;
      changed.add(flagName);
      values[camelCase(flagName)] = parseValue({ flagName, flag, text, before });
    });
    command.addOption(option);
  }
  try {
    command.parse(normalise(flags, argv), { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) throw new ConfigError(inPflagWords(error, command));
    throw error;
  }
  return { values, changed };
}

/** The value of a flag that was not given. */
export function defaultOf(flag: Flag): unknown {
  switch (flag.type) {
    case "bool":
      return flag.default ?? false;
    case "string-list":
      return [...(flag.default ?? [])];
    case "map":
      return { ...flag.default };
    case "duration":
      return typeof flag.default === "string" ? parseDuration(flag.default) : flag.default;
    default:
      return flag.default;
  }
}

// Go's habits that commander lacks: --some_flag, a bare boolean, -h, and -v=4.
function normalise(flags: Record<string, Flag>, argv: readonly string[]): string[] {
  return argv.map((word) => {
    if (word === "-h") return "--help=true";
    const match = /^(--?)([A-Za-z][\w.-]*)(=[\s\S]*)?$/.exec(word);
    if (!match) return word;
    const flagName = match[2]!.replaceAll("_", "-");
    if (match[1] === "-")
      return match[3] !== undefined && flagName.length === 1 ? `-${flagName}${match[3].slice(1)}` : word;
    if (flagName.length === 1 && flags[flagName]) return `-${flagName}${(match[3] ?? "").slice(1)}`;
    const bare = match[3] === undefined && flags[flagName]?.type === "bool";
    return `--${flagName}${bare ? "=true" : (match[3] ?? "")}`;
  });
}

function inPflagWords(error: CommanderError, command: Command): string {
  if (error.code === "commander.unknownOption") return `unknown flag: ${/'([^'=]*)/.exec(error.message)?.[1] ?? ""}`;
  if (error.code === "commander.optionMissingArgument")
    return `flag needs an argument: ${/'(-\S+)/.exec(error.message)?.[1] ?? ""}`;
  if (error.code === "commander.excessArguments")
    return `unknown command ${JSON.stringify(command.args[0] ?? "")} for "${command.name()}"`;
  return error.message.replace(/^error: /, "");
}

function parseValue({
  flagName,
  flag,
  text,
  before,
}: {
  flagName: string;
  flag: Flag;
  text: string;
  before: unknown;
}): unknown {
  const bad = (why: string) =>
    new ConfigError(
      `invalid argument ${JSON.stringify(text)} for "${flagName.length === 1 ? "-" : "--"}${flagName}" flag: ${why}`,
    );
  switch (flag.type) {
    case "string":
      if (flag.choices && !flag.choices.includes(text)) throw bad(`must be one of: ${flag.choices.join(", ")}`);
      return text;
    case "int":
      if (!/^[-+]?\d+$/.test(text)) throw bad(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
      return Number(text);
    case "bool":
      if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
      if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
      throw bad(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
    case "duration":
      try {
        return parseDuration(text);
      } catch (error) {
        throw bad((error as Error).message);
      }
    case "string-list":
      return [...((before as string[] | undefined) ?? []), ...text.split(",").filter((item) => item !== "")];
    case "map": {
      const pairs = text.split(",").filter((item) => item !== "");
      const entries = pairs.map((pair) => {
        const { separator = "=" } = flag;
        const at = pair.indexOf(separator);
        if (at < 0) throw bad(`malformed pair, expect string${separator}string`);
        return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const;
      });
      return { ...(before as Record<string, string> | undefined), ...Object.fromEntries(entries) };
    }
  }
}
