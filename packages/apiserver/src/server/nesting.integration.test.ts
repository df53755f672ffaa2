// What a real process does with bodies that nest without end: it says so, quickly, and goes on.

import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { plainRequest } from "../testing/plain-request.js";

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
const JSON_BODY = { "content-type": "application/json" };
const configMap = (name: string) => JSON.stringify({ metadata: { name } });

test("what nests without end is a bad request in every form", async (t) => {
  const server = await startApiServer(t);
  const one = `${CONFIG_MAPS}/a`;
  t.equal(
    (await plainRequest(server, { method: "POST", path: CONFIG_MAPS, headers: JSON_BODY, body: configMap("a") }))
      .status,
    201,
  );
  for (const depth of [10_001, 500_000]) {
    const array = `${"[".repeat(depth)}${"]".repeat(depth)}`;
    const object = `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
    const requests: [method: string, path: string, type: string, body: string][] = [
      ["POST", CONFIG_MAPS, "application/json", `{"metadata":{"name":"b"},"data":${object}}`],
      ["POST", CONFIG_MAPS, "application/yaml", `metadata: {name: b}\nx: ${array}`],
      ["POST", CONFIG_MAPS, "application/yaml", `metadata: {name: b}\nx:\n${"- ".repeat(depth)}1`],
      ["PUT", one, "application/json", `{"metadata":{"name":"a"},"x":${array}}`],
      ["PATCH", one, "application/merge-patch+json", `{"data":${object}}`],
      ["PATCH", one, "application/strategic-merge-patch+json", `{"data":${object}}`],
      ["PATCH", one, "application/json-patch+json", `[{"op":"add","path":"/data","value":${object}}]`],
      ["PATCH", `${one}?fieldManager=a`, "application/apply-patch+yaml", `metadata: {name: a}\ndata: ${object}`],
      ["DELETE", one, "application/json", `{"preconditions":${object}}`],
    ];
    for (const [method, path, type, body] of requests) {
      const what = `${method} ${type} ${depth}`;
      const { status, text } = await plainRequest(server, { method, path, headers: { "content-type": type }, body });
      t.equal(status, 400, what);
      t.match(JSON.parse(text), { kind: "Status", code: 400, message: /exceeded max depth/ }, what);
    }
  }
  t.equal((await plainRequest(server, { path: one })).status, 200, "and nothing has changed");
});
