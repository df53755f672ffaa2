// In whose name a write is tracked: the fieldManager option, or what the client calls itself (apiserver
// pkg/endpoints/handlers: managerOrUserAgent, apimachinery ValidateFieldManager).

import { type FieldError, invalid } from "@picokube/api/errors";
import { invalidValue, tooLong } from "@picokube/api/validation/field-error";
import type { Exchange } from "./exchange.js";

const MAX_LENGTH = 128;
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

/** The manager of a write; throws 422 for a name that is none. kind is the options' kind: "CreateOptions". */
export function fieldManagerOf({ request, info }: Exchange, kind: string): string {
  const manager = info.query.get("fieldManager") ?? "";
  const faults = managerFaults(manager);
  if (faults.length > 0) throw invalid({ group: "meta.k8s.io", kind }, "", faults);
  return manager || prefixOfUserAgent(request.headers["user-agent"] ?? "");
}

/** What is wrong with the name of a manager. */
export function managerFaults(manager: string): FieldError[] {
  const faults: FieldError[] = [];
  if (Buffer.byteLength(manager) > MAX_LENGTH) faults.push(tooLong("fieldManager", MAX_LENGTH));
  for (const character of manager) {
    if (!UNPRINTABLE.test(character)) continue;
    const code = character.codePointAt(0)!;
    const shown = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
    const at = Buffer.byteLength(manager.slice(0, manager.indexOf(character)));
    faults.push(invalidValue("fieldManager", manager, `invalid character ${shown} (at position ${at})`));
  }
  return faults;
}

/** What stands before the first slash of a User-Agent, as far as it can be printed. */
export function prefixOfUserAgent(userAgent: string): string {
  let prefix = "";
  for (const character of userAgent.split("/", 1)[0]!) {
    if (UNPRINTABLE.test(character)) continue;
    if (Buffer.byteLength(prefix + character) > MAX_LENGTH) break;
    prefix += character;
  }
  return prefix;
}
