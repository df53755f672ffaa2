// Runs ip(8) for tests and benchmarks. Knows no test runner, for benchmarks have none.

import { execFileSync } from "node:child_process";

/** Throws with what ip says. */
export function ip(...args: readonly string[]): string {
  return execFileSync("ip", args, { encoding: "utf8" });
}

/** Deletes a network namespace and all whose names begin with its name and a dash. */
export function deleteNamespaces(name: string): void {
  for (const line of ip("netns", "list").split("\n")) {
    const found = line.split(" ")[0]!;
    if (found === name || found.startsWith(`${name}-`)) ip("netns", "delete", found);
  }
}
