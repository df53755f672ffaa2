// The text of --help, laid out as pflag lays it out. Never looks at argv.

import { formatDuration } from "./duration.js";
import { defaultOf, type Flag } from "./flag-set.js";

/** Usage, description and every flag with its explanation and default. */
export function helpText({
  name,
  description,
  flags,
}: {
  name: string;
  description: string;
  flags: Record<string, Flag>;
}): string {
  const lines = Object.entries(flags)
    .filter(([, flag]) => !flag.hidden)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([flagName, flag]) => `${signature(flagName, flag)}\n${wrap(`${flag.description}${defaultText(flag)}`)}`);
  return `${wrap(description, "")}\n\nUsage:\n  ${name} [flags]\n\nFlags:\n${lines.join("\n")}\n`;
}

const typeWords = {
  string: " string",
  int: " int",
  bool: "",
  duration: " duration",
  "string-list": " strings",
  map: " mapStringString",
} as const;

function signature(flagName: string, flag: Flag): string {
  if (flagName === "help") return "  -h, --help";
  return flagName.length === 1
    ? `  -${flagName}, --${flagName}${typeWords[flag.type]}`
    : `      --${flagName}${typeWords[flag.type]}`;
}

function defaultText(flag: Flag): string {
  const value = defaultOf(flag);
  if (value === undefined || value === "" || value === false) return "";
  if (flag.type === "duration") return ` (default ${formatDuration(value as number)})`;
  if (flag.type === "string-list")
    return (value as string[]).length === 0 ? "" : ` (default [${(value as string[]).join(",")}])`;
  if (flag.type === "map") {
    const pairs = Object.entries(value as Record<string, string>).map(([key, text]) => `${key}=${text}`);
    return pairs.length === 0 ? "" : ` (default ${pairs.join(",")})`;
  }
  return ` (default ${JSON.stringify(value)})`;
}

function wrap(text: string, indent = "                "): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && indent.length + line.length + word.length + 1 > 110) {
      lines.push(indent + line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, indent + line].join("\n");
}
