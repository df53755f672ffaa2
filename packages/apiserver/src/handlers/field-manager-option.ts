// In whose name a write is tracked: the fieldManager option, or what the client calls itself (apiserver
// pkg/endpoints/handlers: managerOrUserAgent).

import { invalid } from "@picokube/api/errors";
import { isPrintable, MAX_MANAGER_LENGTH, managerFaults } from "../validation/field-manager.js";
import type { Exchange } from "./exchange.js";

/** The manager of a write; throws 422 for a name that is none. kind is the options' kind: "CreateOptions". */
export function fieldManagerOf({ request, info }: Exchange, kind: string): string {
  const manager = info.query.get("fieldManager") ?? "";
  const faults = managerFaults(manager);
  if (faults.length > 0) throw invalid({ group: "meta.k8s.io", kind }, "", faults);
  return manager || prefixOfUserAgent(request.headers["user-agent"] ?? "");
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
