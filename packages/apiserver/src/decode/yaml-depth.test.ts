// Which YAML texts nest too deeply, in each of YAML's ways to nest.

import { test } from "tap";
import { isYamlTooDeep } from "./yaml-depth.js";

const indented = (depth: number) =>
  Array.from({ length: depth }, (_, level) => `${" ".repeat(level)}a:${level === depth - 1 ? " 1" : ""}`).join("\n");

const ways: readonly [name: string, text: (depth: number) => string][] = [
  ["flow sequences", (depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`],
  ["flow sequences that do not end", (depth) => "[".repeat(depth)],
  ["flow mappings", (depth) => `${"{a: ".repeat(depth)}1${"}".repeat(depth)}`],
  ["JSON", (depth) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`],
  ["block sequences", (depth) => `${"- ".repeat(depth)}1`],
  ["complex keys", (depth) => `${"? ".repeat(depth)}1`],
  ["block mappings", indented],
];

test("depth is what nests, not how much there is", async (t) => {
  for (const [name, text] of ways) {
    t.equal(isYamlTooDeep(text(100), 200), false, name);
    t.equal(isYamlTooDeep(text(210), 200), true, name);
  }
  t.equal(isYamlTooDeep(`a: "${"[{- ".repeat(1000)}"`, 200), false, "text is not nesting");
  t.equal(isYamlTooDeep(`a: |\n${"  [[[{{{ - ? -\n".repeat(1000)}`, 200), false, "nor is a block of text");
  t.equal(isYamlTooDeep("- {a: [1, 2]}\n".repeat(1000), 200), false, "nor are many entries");
  t.equal(isYamlTooDeep("[".repeat(1_000_000), 200), true, "half a million levels are no more work");
});
