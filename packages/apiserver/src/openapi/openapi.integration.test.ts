// The OpenAPI documents of a real process, all kinds in them: closed in themselves, and not sent twice.

import { text as textOf } from "node:stream/consumers";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";

test("documents are closed, hashed and conditional", async (t) => {
  const server = await startApiServer(t);
  async function get(path: string, headers: Record<string, string> = {}) {
    const { status, headers: answered, body } = await server.client.raw({ method: "GET", path, headers });
    return { status, headers: answered, text: await textOf(body) };
  }
  const accept = "application/json";
  const index = await get("/openapi/v3", { accept });
  const paths: [string, { serverRelativeURL: string }][] = Object.entries(JSON.parse(index.text).paths);
  const served = JSON.parse((await get("/apis", { accept })).text).groups.flatMap(
    ({ versions }: { versions: { groupVersion: string }[] }) =>
      versions.map(({ groupVersion }) => `apis/${groupVersion}`),
  );
  t.same(paths.map(([name]) => name).sort(), ["api/v1", ...served].sort(), "one for each group and version");

  for (const [name, { serverRelativeURL }] of paths) {
    const { status, headers, text } = await get(serverRelativeURL, { accept });
    t.equal(status, 200, name);
    t.equal(headers["cache-control"], "public, immutable", name);
    const document = JSON.parse(text);
    t.equal(document.openapi, "3.0.0", name);
    const schemas: { [name: string]: unknown } = document.components.schemas;
    const wanted = new Set(
      [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, schema]) => schema!),
    );
    t.same(
      [...wanted].filter((schema) => !Object.hasOwn(schemas, schema)),
      [],
      `${name}: every $ref resolves`,
    );
    t.notMatch(text, /"\$ref":"(?!#\/components\/schemas\/)/, `${name}: no reference leads elsewhere`);
    const operations = Object.values(document.paths as { [path: string]: object }).flatMap((path) =>
      Object.entries(path).flatMap(([method, operation]) => (method === "parameters" ? [] : [operation.operationId])),
    );
    t.equal(new Set(operations).size, operations.length, `${name}: operation ids are unique`);
    for (const [path, { parameters }] of Object.entries(
      document.paths as { [path: string]: { parameters: { in: string; name: string }[] } },
    )) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      const told = parameters.filter((parameter) => parameter.in === "path").map((parameter) => parameter.name);
      t.same(told.sort(), named.sort(), `${path} tells its parameters`);
    }
    const etag = String(headers.etag);
    const again = await get(serverRelativeURL, { accept, "if-none-match": etag });
    t.same([again.status, again.text], [304, ""], `${name}: not sent twice`);
    t.equal((await get(serverRelativeURL, { accept, "if-none-match": '"other"' })).status, 200, name);
  }

  const v2 = await get("/openapi/v2", { accept });
  const swagger = JSON.parse(v2.text);
  t.equal(swagger.swagger, "2.0");
  const missing = [...v2.text.matchAll(/"\$ref":"#\/definitions\/([^"]+)"/g)].filter(
    ([, name]) => !Object.hasOwn(swagger.definitions, name!),
  );
  t.same(missing, [], "v2: every $ref resolves");
  t.equal((await get("/openapi/v2", { accept, "if-none-match": String(v2.headers.etag) })).status, 304);
  const proto = await get("/openapi/v2", { accept: "application/com.github.proto-openapi.spec.v2@v1.0+protobuf" });
  t.not(proto.headers.etag, v2.headers.etag, "each form has its own tag");
  t.equal((await get("/openapi/v3/apis/nothing/v1", { accept })).status, 404);
  t.equal((await get("/openapi/v2", { accept: "text/html" })).status, 406);
});
