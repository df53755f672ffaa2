// In whose name a write is tracked: the fieldManager option, or what the client calls itself (apiserver
// pkg/endpoints/handlers: managerOrUserAgent).

import { isPrintable, MAX_MANAGER_LENGTH } from "../validation/field-manager.js";
import type { Exchange } from "./exchange.js";

/** The manager of a write: the option, if it says anything. */
export function managerOf({ request }: Exchange, option: string): string {
  return option || prefixOfUserAgent(request.headers["user-agent"] ?? "");
}

/** What stands before the first slash of a User-Agent, as far as it can be printed. */
export function prefixOfUserAgent(userAgent: string): string {
  let prefix = "";
  for (const character of userAgent.split("/", 1)[0]!) {
    if (!isPrintable(character)) continue;
    if (Buffer.byteLength(prefix + character) > MAX_MANAGER_LENGTH) break;
    prefix += character;
  }
  return prefix;
}
