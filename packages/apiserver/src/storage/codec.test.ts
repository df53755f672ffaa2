// Bytes of stored objects: order of fields and the splice of the resourceVersion.

import { test } from "tap";
import { encodeObject, parseObject, replaceRevision, spliceRevision } from "./codec.js";

const meta = { name: "a", uid: "6b2c", resourceVersion: "7", creationTimestamp: "2026-01-01T00:00:00Z" };

test("the revision lands after the uid and the stored bytes carry none", async (t) => {
  const cases = [
    { name: "plain", object: { apiVersion: "v1", kind: "Pod", metadata: meta, spec: { a: 1 } } },
    { name: "quote in the name", object: { apiVersion: "v1", kind: "Pod", metadata: { ...meta, name: '"uid":"x' } } },
    {
      name: "uid in an annotation",
      object: { apiVersion: "v1", kind: "Pod", metadata: { ...meta, annotations: { x: '"uid":"' } } },
    },
    {
      name: "multi-byte",
      object: { apiVersion: "v1", kind: "Pod", metadata: { ...meta, annotations: { x: "é漢" } }, spec: "ü" },
    },
    {
      name: "uid alone",
      object: {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "a", uid: "u", resourceVersion: "", creationTimestamp: undefined as never },
      },
    },
  ];
  for (const { name, object } of cases) {
    const stored = encodeObject(object);
    t.notMatch(stored.toString(), "resourceVersion", name);
    const wire = spliceRevision(stored, 4242);
    t.same(
      parseObject(wire),
      JSON.parse(JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion: "4242" } })),
      name,
    );
    t.match(wire.toString(), /^\{"kind":"Pod","apiVersion":"v1","metadata":\{"name":/, name);
  }
});

test("an object without a uid takes the revision first in metadata", async (t) => {
  t.same(JSON.parse(spliceRevision(Buffer.from('{"metadata":{}}'), 3).toString()), {
    metadata: { resourceVersion: "3" },
  });
  t.same(JSON.parse(spliceRevision(Buffer.from('{"metadata":{"name":"x"}}'), 3).toString()), {
    metadata: { name: "x", resourceVersion: "3" },
  });
});

test("the revision of what went over the wire is replaced where it stands", async (t) => {
  const metadata = { name: "a", uid: "u", labels: { a: '"resourceVersion":"7"' } };
  const stored = encodeObject({ apiVersion: "v1", kind: "ConfigMap", metadata } as never);
  for (const to of [8, 12345]) {
    const replaced = replaceRevision(spliceRevision(stored, 7), { from: 7, to });
    t.same(replaced, spliceRevision(stored, to));
  }
  t.end();
});
