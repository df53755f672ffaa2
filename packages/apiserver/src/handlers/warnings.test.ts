// What warnings become: bounded, deduplicated, and always something that a header may hold.

import { validateHeaderValue } from "node:http";
import { test } from "tap";
import { createWarnings } from "./warnings.js";

test("any text is a valid header", async (t) => {
  const warnings = createWarnings();
  for (const text of ["plain", 'unknown field "a"', "漢字", "a\r\nSet-Cookie: x", "\0\ud800", ""]) warnings.add(text);
  for (const header of warnings.headers) validateHeaderValue("Warning", header);
  t.equal(warnings.headers.length, 5, "all but the empty one");
  t.equal(warnings.headers[1], '299 - "unknown field \\"a\\""');
  t.equal(Buffer.from(warnings.headers[2]!, "latin1").toString(), '299 - "漢字"');
  t.equal(warnings.headers[3], '299 - "a Set-Cookie: x"');
});

test("each is said once", async (t) => {
  const warnings = createWarnings();
  t.equal(warnings.add("a"), true);
  t.equal(warnings.add("a"), false);
  t.same(warnings.headers, ['299 - "a"']);
});

test("above the total all are shortened, then the rest is left out", async (t) => {
  const warnings = createWarnings();
  const long = (index: number) => `${index} ${"x".repeat(1500)}`;
  warnings.add(long(0));
  warnings.add(long(1));
  t.ok(warnings.headers.every((header) => header.length > 1500));
  warnings.add(long(2));
  t.ok(warnings.headers.every((header) => header.length < 300));
  for (let index = 3; index < 100_000; index++) warnings.add(long(index));
  t.equal(warnings.headers.length, 16);
});
