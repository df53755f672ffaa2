// Reads TAP on standard input and prints what a person wants to see while tests run: a line a file as it ends, and every
// failure with its diagnostics. With --comments also what tests tell of themselves.

import { createInterface } from "node:readline";

const showsComments = process.argv.includes("--comments");
/** TAP's own comments: titles, times, totals. */
const ofTap = /^ *# (?:Subtest: |time=|\{ total: )/;

let diagnosing = false;
for await (const line of createInterface({ input: process.stdin })) {
  const point = /^( *)(not ok|ok) \d+(?: - (.*?))?(?: # (.*))?$/.exec(line);
  if (point) {
    const [, indent, verdict, title = "", directive = ""] = point;
    const timeMs = Number(/time=([\d.]+)ms/.exec(directive)?.[1] ?? Number.NaN);
    const isFile = indent === "" && /\.test\.js$/.test(title);
    if (isFile) console.log(`${verdict === "ok" ? "ok    " : "NOT OK"} ${title} (${(timeMs / 1000).toFixed(1)} s)`);
    else if (verdict === "not ok") console.log(`${indent}not ok: ${title}`);
    diagnosing = verdict === "not ok";
  } else if (diagnosing) {
    console.log(line);
    if (/^ *\.\.\.$/.test(line)) diagnosing = false;
  } else if (showsComments && /^ *# /.test(line) && !ofTap.test(line)) {
    console.log(line);
  }
}
