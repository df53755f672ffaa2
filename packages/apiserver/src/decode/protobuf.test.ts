// Protobuf bodies as Go's typed clients write them: zero values that mean nothing, inlined messages, maps, quantities.

import { test } from "tap";
import { decodeProtobuf } from "./protobuf.js";
import { fieldsOfMessage } from "./protobuf-fields.js";

function encodedVarint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}
const field = (number: number, bytes: Buffer | string): Buffer => {
  const content = Buffer.from(bytes);
  return Buffer.concat([encodedVarint(number * 8 + 2), encodedVarint(content.length), content]);
};
const varint = (number: number, value: number): Buffer =>
  Buffer.concat([encodedVarint(number * 8), encodedVarint(value)]);
const all = (...parts: Buffer[]): Buffer => Buffer.concat(parts);
const envelope = (apiVersion: string, kind: string, raw: Buffer): Buffer =>
  all(Buffer.from("k8s\0"), field(1, all(field(1, apiVersion), field(2, kind))), field(2, raw));

const wanted = { group: "", version: "v1", kind: "Pod" };

test("a pod", async (t) => {
  const metadata = all(field(1, "web"), field(3, ""), field(8, ""), field(11, all(field(1, "app"), field(2, "web"))));
  const resources = all(field(2, all(field(1, "cpu"), field(2, field(1, "500m")))));
  const probe = all(
    field(1, field(2, all(field(1, "/"), field(2, all(varint(1, 0), varint(2, 80), field(3, "")))))),
    varint(2, 0),
  );
  const container = all(field(1, "c"), field(2, ""), field(8, resources), field(10, probe));
  const volume = all(field(1, "v"), field(2, field(2, all(field(1, "")))));
  const spec = all(field(1, volume), field(2, container), field(3, ""), varint(4, 0), varint(11, 0), varint(21, 0));
  t.same(decodeProtobuf(envelope("v1", "Pod", all(field(1, metadata), field(2, spec), field(3, ""))), wanted), {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", labels: { app: "web" } },
    spec: {
      volumes: [{ name: "v", emptyDir: {} }],
      containers: [
        { name: "c", resources: { requests: { cpu: "500m" } }, livenessProbe: { httpGet: { path: "/", port: 80 } } },
      ],
      // Pointers in Go: zero is a value.
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
    },
    status: {},
  });
});

test("managedFields, which carry their fields as JSON text", async (t) => {
  const fields = field(7, field(1, '{"f:data":{".":{},"f:a":{}}}'));
  const time = field(4, varint(1, 1_900_000_000));
  const entry = all(
    field(1, "kubectl"),
    field(2, "Apply"),
    field(3, "v1"),
    time,
    field(6, "FieldsV1"),
    fields,
    field(8, ""),
  );
  const body = envelope("v1", "ConfigMap", field(1, all(field(1, "c"), field(17, entry))));
  t.same(decodeProtobuf(body, { group: "", version: "v1", kind: "ConfigMap" }), {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: "c",
      managedFields: [
        {
          manager: "kubectl",
          operation: "Apply",
          apiVersion: "v1",
          time: "2030-03-17T17:46:40Z",
          fieldsType: "FieldsV1",
          fieldsV1: { "f:data": { ".": {}, "f:a": {} } },
        },
      ],
    },
  });
});

test("bytes, and lists as values", async (t) => {
  const secret = field(2, all(field(1, "k"), field(2, "hello")));
  t.match(decodeProtobuf(envelope("v1", "Secret", secret), wanted), { data: { k: "aGVsbG8=" } });
  const extra = field(5, all(field(1, "scopes"), field(2, all(field(1, "a"), field(1, "b")))));
  const review = envelope("authorization.k8s.io/v1", "SubjectAccessReview", field(2, extra));
  t.match(decodeProtobuf(review, wanted), { spec: { extra: { scopes: ["a", "b"] } } });
});

test("what is none", async (t) => {
  t.throws(() => decodeProtobuf(Buffer.from("{}"), wanted), { message: /does not appear to be a protobuf message/ });
  t.throws(() => decodeProtobuf(envelope("v1", "Nothing", Buffer.alloc(0)), wanted), { message: /no kind "Nothing"/ });
  t.throws(() => decodeProtobuf(envelope("v1", "Pod", Buffer.from([0x0a, 0x20])), wanted), {
    message: "unexpected EOF",
  });
  t.throws(() => decodeProtobuf(envelope("v1", "Pod", Buffer.from([0x0b])), wanted), { message: /illegal wireType/ });
});

test("the table of numbers", async (t) => {
  t.match(fieldsOfMessage("core.v1.ServiceSpec")?.get(7), { name: "sessionAffinity", optional: false });
  t.match(fieldsOfMessage("core.v1.Volume")?.get(2), { inlined: "core.v1.VolumeSource" });
  t.match(fieldsOfMessage("apps.v1.DeploymentSpec")?.get(9), { name: "progressDeadlineSeconds", optional: true });
});
