// What a real apiserver process answers to bodies, paths and headers that are wrong.

import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { plainRequest } from "./testing/plain-request.js";

test("bad input gets upstream's Status, never a 500", async (t) => {
  const server = await startApiServer(t);
  const json = { "content-type": "application/json" };
  const collection = "/api/v1/namespaces/default/pods";
  const pod = (spec: string, extra = "") =>
    `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"${extra}},"spec":${spec}}`;
  const cases = [
    {
      name: "malformed JSON",
      body: "{",
      status: 400,
      reason: "BadRequest",
      message: /unrecognized \(must be of type Pod\).*unexpected end of JSON input/,
    },
    { name: "array", body: "[]", status: 400, reason: "BadRequest", message: /cannot unmarshal array/ },
    {
      name: "wrong kind",
      body: '{"apiVersion":"v1","kind":"Foo"}',
      status: 400,
      reason: "BadRequest",
      message: /no kind "Foo" is registered for version "v1"/,
    },
    {
      name: "wrong type",
      body: pod('{"containers":"x"}'),
      status: 400,
      reason: "BadRequest",
      message: /json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type \[\]v1.Container/,
    },
    {
      name: "missing name",
      body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{}}',
      path: "/api/v1/namespaces/default/configmaps",
      status: 422,
      reason: "Invalid",
      message: /metadata.name: Required value: name or generateName is required/,
    },
    {
      name: "bad name",
      body: '{"metadata":{"name":"A_b"}}',
      path: "/api/v1/namespaces/default/configmaps",
      status: 422,
      reason: "Invalid",
      message: /metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain/,
    },
    {
      name: "other namespace",
      body: '{"metadata":{"name":"a","namespace":"b"}}',
      path: "/api/v1/namespaces/default/configmaps",
      status: 400,
      reason: "BadRequest",
      message: /does not match the namespace sent on the request/,
    },
    {
      name: "absent namespace",
      body: '{"metadata":{"name":"a"}}',
      path: "/api/v1/namespaces/no/configmaps",
      status: 404,
      reason: "NotFound",
      message: /namespaces "no" not found/,
    },
    {
      name: "media type",
      body: "x",
      headers: { "content-type": "text/html" },
      status: 415,
      reason: "UnsupportedMediaType",
      message: /unknown format/,
    },
    {
      name: "bad protobuf",
      body: "k8s\0\x0a\xff",
      headers: { "content-type": "application/vnd.kubernetes.protobuf" },
      status: 400,
      reason: "BadRequest",
      message: /unrecognized/,
    },
    {
      name: "too large",
      body: `{"x":"${"a".repeat(3 * 1024 * 1024)}"}`,
      status: 413,
      reason: "RequestEntityTooLarge",
      message: /limit is 3145728/,
    },
    {
      name: "too deep",
      body: `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`,
      status: 400,
      reason: "BadRequest",
      message: /exceeded max depth/,
    },
    {
      name: "strict",
      body: pod('{"containers":[{"name":"c","image":"i","imag":"j","image":"k"}]}'),
      path: `${collection}?fieldValidation=Strict`,
      status: 400,
      reason: "BadRequest",
      message:
        /strict decoding error: unknown field "spec.containers\[0\].imag", duplicate field "spec.containers\[0\].image"/,
    },
    {
      name: "label selector",
      method: "GET",
      path: `${collection}?labelSelector=a%3D%3D%3Db`,
      status: 400,
      reason: "BadRequest",
      message: /./,
    },
    {
      name: "field selector",
      method: "GET",
      path: `${collection}?fieldSelector=foo%3Db`,
      status: 400,
      reason: "BadRequest",
      message: /field label not supported: foo/,
    },
    {
      name: "revision",
      method: "GET",
      path: `${collection}?resourceVersion=abc`,
      status: 400,
      reason: "BadRequest",
      message: /invalid syntax/,
    },
    {
      name: "future revision",
      method: "GET",
      path: `${collection}?resourceVersion=99999999`,
      status: 504,
      reason: "Timeout",
      message: /Too large resource version/,
    },
    {
      name: "continue",
      method: "GET",
      path: `${collection}?continue=abc`,
      status: 400,
      reason: "BadRequest",
      message: /continue key is not valid/,
    },
    {
      name: "absent",
      method: "GET",
      path: `${collection}/a`,
      status: 404,
      reason: "NotFound",
      message: /^pods "a" not found$/,
    },
    {
      name: "method",
      method: "POST",
      path: `${collection}/a`,
      body: "{}",
      status: 405,
      reason: "MethodNotAllowed",
      message: /./,
    },
    {
      name: "apply in nobody's name",
      method: "PATCH",
      path: `${collection}/a`,
      body: "{}",
      headers: { "content-type": "application/apply-patch+yaml" },
      status: 422,
      reason: "Invalid",
      message: /fieldManager: Required value: is required for apply patch/,
    },
  ];
  for (const { name, method = "POST", path = collection, body, headers = json, status, reason, message } of cases) {
    const answer = await plainRequest(server, { method, path, body, headers });
    t.equal(answer.status, status, `${name}: ${answer.text}`);
    t.match(JSON.parse(answer.text), { kind: "Status", status: "Failure", reason, message }, name);
  }
  t.equal((await plainRequest(server, { path: "/api/v1/nothing" })).status, 404);
  t.equal((await plainRequest(server, { path: "/%zz" })).status, 400);
});
