// Counts the test points in the TAP files of a folder and prints the closing line. Exits 1 when anything failed.
// usage: node scripts/count-tests.mjs FOLDER FAILED      FAILED: 1 when a run ended badly though no test point says so

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [folder, runFailed] = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (const file of readdirSync(folder).filter((name) => name.endsWith(".tap"))) {
  // Leaves alone count: a point that closes a subtest or a file follows the lines of its own children.
  const depths = [];
  for (const line of readFileSync(join(folder, file), "utf8").split("\n")) {
    const point = /^( *)(not )?ok \d+/.exec(line);
    if (!point) continue;
    const depth = point[1].length;
    const closesChildren = depths.length > 0 && depths.at(-1) > depth;
    while (depths.length > 0 && depths.at(-1) > depth) depths.pop();
    if (depths.at(-1) !== depth) depths.push(depth);
    if (closesChildren) continue;
    if (/ # (skip|todo)/i.test(line)) continue;
    if (point[2]) failed++;
    else passed++;
  }
}
if (runFailed === "1" && failed === 0) failed = 1;
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
