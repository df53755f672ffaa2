// npm run bench: runs the benchmarks, prints a table, and with --json writes the figures as an array.

import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { dns } from "./dns.js";
import { fanOut } from "./fan-out.js";
import { growth } from "./growth.js";
import { idlePods } from "./idle-pods.js";
import { listPause } from "./list-pause.js";
import { localVm } from "./local-vm.js";
import type { Benchmark, Measurement } from "./measurement.js";
import { memory } from "./memory.js";
import { podStart } from "./pod-start.js";
import { reads } from "./reads.js";
import { scale } from "./scale.js";
import { serviceRules } from "./services.js";
import { upToReady } from "./up-to-ready.js";
import { watchStart } from "./watch-start.js";
import { writes } from "./writes.js";

const benchmarks: readonly Benchmark[] = [
  writes,
  reads,
  growth,
  watchStart,
  fanOut,
  listPause,
  podStart,
  idlePods,
  serviceRules,
  scale,
  dns,
  upToReady,
  memory,
  localVm,
];

const { values } = parseArgs({ options: { only: { type: "string" }, json: { type: "string" } } });
const chosen = values.only ? benchmarks.filter(({ name }) => name === values.only) : benchmarks;
if (chosen.length === 0) {
  console.error(
    `bench: no benchmark is named "${values.only}"; there are ${benchmarks.map(({ name }) => name).join(", ")}`,
  );
  process.exit(1);
}

const all: Measurement[] = [];
for (const benchmark of chosen)
  all.push(...(await benchmark.run((text) => console.error(`${benchmark.name}: ${text}`))));

const shown = (value: number) => (value >= 100 ? Math.round(value).toString() : value.toPrecision(3));
const rows = [
  ["figure", "value", "baseline", "ratio", "target", "beside it"],
  ...all.map((m) => [
    m.name,
    `${shown(m.value)} ${m.unit}`,
    `${shown(m.baseline)} ${m.unit} (${m.against})`,
    m.ratio.toFixed(2),
    m.target,
    Object.entries(m.details ?? {})
      .map(([name, value]) => `${name} ${shown(value)}`)
      .join(", "),
  ]),
];
const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
console.log(
  `\n${new Date().toISOString().slice(0, 10)}, Node.js ${process.version}, ${cpus().length} cores, ${cpus()[0]?.model.trim()}\n`,
);
console.log(line(rows[0]!));
console.log(line(widths.map((width) => "-".repeat(width))));
for (const row of rows.slice(1)) console.log(line(row));
if (values.json)
  writeFileSync(
    values.json,
    `${JSON.stringify(
      all.map(({ against: _against, ...figures }) => figures),
      null,
      2,
    )}\n`,
  );
process.exit(0);
