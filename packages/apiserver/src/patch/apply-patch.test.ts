// How PATCH bodies of each type are read and refused, and what becomes of a document that is no object any more.

import { deployments } from "@picokube/api/apps/v1";
import { StatusError } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { test } from "tap";
import type { FieldValidation } from "../decode/decode-object.js";
import { readPatch } from "./apply-patch.js";
import { patchedObject } from "./patched-object.js";

const JSON_PATCH = "application/json-patch+json";
const MERGE = "application/merge-patch+json";
const STRATEGIC = "application/strategic-merge-patch+json";

function patched(contentType: string, body: string, fieldValidation: FieldValidation = "Warn") {
  const warnings: string[] = [];
  const options = { contentType, kind: deployments, fieldValidation, warn: (text: string) => warnings.push(text) };
  const document = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "d" }, spec: { replicas: 1 } };
  const object = patchedObject<KubernetesObject>(document, readPatch(Buffer.from(body), options), options);
  return { object, warnings };
}

test("bodies that are no patch", (t) => {
  const table: [string, string, number, string][] = [
    [
      JSON_PATCH,
      "{}",
      400,
      "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
    ],
    [
      JSON_PATCH,
      '[{"op":1}]',
      400,
      "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string",
    ],
    [
      JSON_PATCH,
      "[1]",
      400,
      "error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp",
    ],
    [JSON_PATCH, "[", 400, "error decoding patch: unexpected end of JSON input"],
    [
      JSON_PATCH,
      JSON.stringify(Array.from({ length: 10_001 }, () => ({ op: "test", path: "" }))),
      413,
      "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
    ],
    [
      MERGE,
      "[]",
      400,
      "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
    ],
    [STRATEGIC, "[]", 400, "json: cannot unmarshal array into Go value of type map[string]interface {}"],
    [STRATEGIC, '{"spec":', 400, "unexpected end of JSON input"],
    [
      "text/plain",
      "{}",
      415,
      "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml",
    ],
  ];
  for (const [type, body, code, message] of table) {
    const error = t.throws(() => patched(type, body), StatusError) as StatusError;
    t.same([error.code, error.message], [code, message]);
  }
  t.end();
});

test("a patch that does not apply is a 422 that does not say why, as upstream's", (t) => {
  const body = '[{"op":"test","path":"/spec/replicas","value":2}]';
  const error = t.throws(() => patched(JSON_PATCH, body), StatusError) as StatusError;
  t.same(error.toStatus(), {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "the server rejected our request due to an error in our request",
    reason: "Invalid",
    details: {},
    code: 422,
  });
  t.match(error.cause, { message: "testing value /spec/replicas failed: test failed" });
  t.end();
});

const invalid = (shown: string, why: string) =>
  ` "" is invalid: patch: Invalid value: ${JSON.stringify(shown)}: ${why}`;

test("what is patched into another shape is a 422 that shows it", (t) => {
  const shown = '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"replicas":"x"}}';
  const why = "json: cannot unmarshal string into Go struct field Deployment.spec.replicas of type int32";
  const table: [string, string, string, string][] = [
    [MERGE, '{"spec":{"replicas":"x"}}', shown, why.replace("Deployment.", "DeploymentSpec.")],
    [
      JSON_PATCH,
      '[{"op":"replace","path":"/spec/replicas","value":"x"}]',
      shown,
      why.replace("Deployment.", "DeploymentSpec."),
    ],
    [STRATEGIC, '{"spec":{"replicas":"x"}}', "map[spec:map[replicas:x]]", "unrecognized type: int32"],
    [STRATEGIC, '{"spec":{"paused":1}}', "map[spec:map[paused:1]]", "unrecognized type: bool"],
    [STRATEGIC, '{"spec":{"template":[]}}', "map[spec:map[template:[]]]", "cannot restore struct from: slice"],
    [STRATEGIC, '{"metadata":{"labels":"x"}}', "map[metadata:map[labels:x]]", "cannot restore map from string"],
    [
      STRATEGIC,
      '{"metadata":{"labels":{"a":1}}}',
      "map[metadata:map[labels:map[a:1]]]",
      "cannot convert int64 to string",
    ],
    [
      STRATEGIC,
      '{"spec":{"template":{"spec":{"containers":"x"}}}}',
      "map[spec:map[template:map[spec:map[containers:x]]]]",
      "cannot restore slice from string",
    ],
  ];
  for (const [type, body, value, words] of table) {
    const error = t.throws(() => patched(type, body), StatusError) as StatusError;
    t.same([error.code, error.message], [422, invalid(value, words)], body);
  }
  t.end();
});

test("unknown and repeated fields, by field validation, for each type", (t) => {
  const table: [string, string, string[]][] = [
    [
      MERGE,
      '{"spec":{"foo":1,"replicas":2,"replicas":3}}',
      ['duplicate field "spec.replicas"', 'unknown field "spec.foo"'],
    ],
    [
      STRATEGIC,
      '{"spec":{"foo":1,"replicas":2,"replicas":3}}',
      ['duplicate field "spec.replicas"', 'unknown field "spec.foo"'],
    ],
    [
      JSON_PATCH,
      '[{"op":"add","path":"/spec/foo","value":1,"x":1,"op":"add"}]',
      ['json patch unknown field "[0].x"', 'json patch duplicate field "[0].op"', 'unknown field "spec.foo"'],
    ],
  ];
  for (const [type, body, faults] of table) {
    t.same(patched(type, body).warnings, faults, type);
    t.same(patched(type, body, "Ignore").warnings, []);
    const error = t.throws(() => patched(type, body, "Strict"), StatusError) as StatusError;
    t.equal(error.code, 422);
    t.ok(error.message.endsWith(`: strict decoding error: ${faults.join(", ")}`), error.message);
  }
  t.end();
});
