// The fields in which two specs differ, as lines for a message. Upstream prints cmp.Diff of Go structs there, whose very
// spaces vary from build to build; these lines name each field by its path instead. Pure.

import { semanticDeepEqual } from "@picokube/api/deep-equal";

type Tree = { readonly [field: string]: unknown };

const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null;

function innermost(before: unknown, after: unknown, path: string): string[] {
  if (semanticDeepEqual(before, after)) return [];
  if (!isTree(before) || !isTree(after)) {
    return [`-${path}: ${JSON.stringify(before) ?? "nil"}`, `+${path}: ${JSON.stringify(after) ?? "nil"}`];
  }
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
    innermost(before[key], after[key], Array.isArray(after) ? `${path}[${key}]` : `${path}.${key}`),
  );
}

/** The innermost fields that differ, old and new, one a line; "" when there are none. */
export function specDiff(before: unknown, after: unknown, path: string): string {
  return innermost(before, after, path)
    .map((line) => `${line}\n`)
    .join("");
}
