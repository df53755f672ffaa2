// The matchConditions of webhooks and policies, in upstream's words (upstream: validateMatchConditions). Pure; the
// expressions are never compiled.

import { duplicate, type FieldError, required, tooMany } from "@picokube/api/validation/field-error";
import { isQualifiedName } from "@picokube/api/validation/names";
import { objections } from "../check.js";

interface MatchCondition {
  readonly name?: string;
  readonly expression?: string;
}

const maxConditions = 64;

/** At most 64, each with an expression and a name of its own. */
export function validateMatchConditions(
  conditions: readonly MatchCondition[] | undefined = [],
  path: string,
): FieldError[] {
  const seen = new Set<string>();
  const faults = conditions.length > maxConditions ? [tooMany(path, conditions.length, maxConditions)] : [];
  for (const [index, { name = "", expression = "" }] of conditions.entries()) {
    const at = `${path}[${index}]`;
    if (expression.trim() === "") faults.push(required(`${at}.expression`));
    if (name === "") faults.push(required(`${at}.name`));
    else faults.push(...objections(`${at}.name`, name, isQualifiedName(name)));
    if (name !== "" && seen.has(name)) faults.push(duplicate(`${at}.name`, name));
    seen.add(name);
  }
  return faults;
}
