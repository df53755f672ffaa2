// Reads a file's TAP on standard input and prints what a person wants to see of it: every failure with its diagnostics. With
// --comments also what tests tell of themselves.

import { createInterface } from "node:readline";

const showsComments = process.argv.includes("--comments");
/** TAP's own comments: titles, times, totals. */
const ofTap = /^ *# (?:Subtest: |time=|\{ total: )/;

let diagnosing = false;
for await (const line of createInterface({ input: process.stdin })) {
  const point = /^( *)(not ok|ok) \d+(?: - (.*?))?(?: # (.*))?$/.exec(line);
  if (point) {
    const [, indent, verdict, title = ""] = point;
    if (verdict === "not ok") console.log(`${indent}not ok: ${title}`);
    diagnosing = verdict === "not ok";
  } else if (diagnosing) {
    console.log(line);
    if (/^ *\.\.\.$/.test(line)) diagnosing = false;
  } else if (showsComments && /^ *# /.test(line) && !ofTap.test(line)) {
    console.log(line);
  }
}
