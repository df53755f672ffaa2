// Patches that would grow without bound, or nest deeper than JSON can be written, are refused; good ones are not.

import { configmaps } from "@picokube/api/core/v1";
import { StatusError } from "@picokube/api/errors";
import { test } from "tap";
import { patcherOf } from "./apply-patch.js";

const jsonPatch = (operations: readonly object[]) =>
  patcherOf(Buffer.from(JSON.stringify(operations)), "application/json-patch+json", configmaps);

test("copies of copies stop at the limit", async (t) => {
  const doubling = Array.from({ length: 60 }, (_, index) => ({ op: "copy", from: "/data", path: `/data/${index}` }));
  const refusal = t.throws(() => jsonPatch(doubling)({ data: { a: "x".repeat(1000) } }), StatusError) as StatusError;
  t.equal(refusal.code, 422);
  t.match(refusal.toStatus().details?.causes, [
    {
      message:
        /^Unable to complete the copy, the accumulated size increase of copy is \d+, exceeding the limit 3145728$/,
    },
  ]);
  t.same(jsonPatch([{ op: "copy", from: "/data/a", path: "/data/b" }])({ data: { a: "1" } }), {
    data: { a: "1", b: "1" },
  });
});

test("operations see what those before them did, and name themselves when they fail", async (t) => {
  const patch = jsonPatch([
    { op: "add", path: "/data", value: {} },
    { op: "add", path: "/data/a", value: "1" },
    { op: "move", from: "/data/a", path: "/data/b" },
    { op: "test", path: "/data/b", value: "1" },
  ]);
  t.same(patch({}), { data: { b: "1" } });
  t.same(patch({}), { data: { b: "1" } }, "again, as after a conflict");
  const failing = jsonPatch([{ op: "test", path: "/a", value: 2 }]);
  t.match((t.throws(() => failing({ a: 1 })) as StatusError).toStatus().details?.causes, [
    { message: "testing value /a failed: test failed" },
  ]);
  for (const path of ["/__proto__/a", "/constructor/prototype/a"]) {
    t.throws(() => jsonPatch([{ op: "add", path, value: "x" }])({}), StatusError);
  }
  t.equal(({} as { a?: unknown }).a, undefined);
});
