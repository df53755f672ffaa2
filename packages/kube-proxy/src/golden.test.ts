import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "tap";
import { restoreInput } from "./restore-input.js";
import { severalServices } from "./several-services.testing.js";
import { shapes, writeOf } from "./shapes.testing.js";

const directory = fileURLToPath(new URL("../src/golden/", import.meta.url));

test("F1 each shape of Service has upstream's chains, order and comments", (t) => {
  const together = { "several-services": severalServices };
  const all = { ...Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, [shape]])), ...together };
  for (const [name, services] of Object.entries(all)) {
    const file = `${directory}${name}.rules`;
    const text = restoreInput(writeOf(...services));
    // Run with UPDATE_GOLDEN=1 after a change of rules, and read the difference.
    if (process.env.UPDATE_GOLDEN) writeFileSync(file, text);
    t.equal(text, readFileSync(file, "utf8"), name);
  }
  t.strictSame(
    readdirSync(directory).sort(),
    Object.keys(all)
      .map((name) => `${name}.rules`)
      .sort(),
    "no golden file is left without its shape",
  );
  t.end();
});
