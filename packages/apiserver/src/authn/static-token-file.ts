// --token-auth-file: lines of token,user,uid,"group1,group2" (upstream: tokenfile). Read once, as upstream does.

import { readFileSync } from "node:fs";
import { ConfigError } from "@picokube/component-base/config-error";
import type { AgnosticAuthenticator } from "./audience-agnostic.js";
import type { UserInfo } from "./authenticator.js";

/** One line of CSV; quotes hold commas and double themselves. */
export function parseCsvLine(line: string): string[] {
  const fields: string[] = [];
  let field = "";
  let quoted = false;
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (quoted && character === '"' && line[at + 1] === '"') {
      field += '"';
      at++;
    } else if (character === '"') quoted = !quoted;
    else if (character === "," && !quoted) {
      fields.push(field);
      field = "";
    } else field += character;
  }
  return [...fields, field].map((value) => value.trim());
}

/** Users by token; throws ConfigError for a line that names too little. */
export function parseTokenFile(text: string, path: string): Map<string, UserInfo> {
  const users = new Map<string, UserInfo>();
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [token = "", name = "", uid = "", groups = ""] = parseCsvLine(line);
    if (uid === "" && !line.includes(",")) {
      throw new ConfigError(`token file '${path}' must have at least 3 columns (token, user name, user uid), found 1`);
    }
    if (token === "" || users.has(token)) continue;
    users.set(token, {
      name,
      ...(uid ? { uid } : {}),
      groups: groups
        .split(",")
        .map((group) => group.trim())
        .filter((group) => group !== ""),
    });
  }
  return users;
}

/** Authenticates the tokens of the file. */
export function staticTokenAuthenticator(path: string): AgnosticAuthenticator {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(`token-auth-file: ${error instanceof Error ? error.message : error}`);
  }
  const users = parseTokenFile(text, path);
  return {
    name: "static-token-file",
    userOf: (token) => users.get(token),
  };
}
