// The OpenAPI documents of a real process, all kinds in them: closed in themselves, and not sent twice.

import { buffer as bufferOf, text as textOf } from "node:stream/consumers";
import { startApiServer } from "@picokube/testing/apiserver";
import { Validator } from "@seriousme/openapi-schema-validator";
import { test } from "tap";
import { valuesOf, textOf as wireText } from "../testing/wire-message.js";

/** JSONSchemaProps has a property of the name "$ref", which the validator takes for a reference. */
function forValidator(text: string): Record<string, unknown> {
  return JSON.parse(text.replaceAll('"$ref":{', '"$reference":{'));
}

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
    const { valid, errors } = await new Validator().validate(forValidator(text));
    t.ok(valid, `${name} is an OpenAPI 3.0 document: ${JSON.stringify(errors)?.slice(0, 2000)}`);
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
    t.ok(Date.parse(String(headers.expires)) > Date.now(), `${name}: kept for long`);
    const old = await get(`/openapi/v3/${name}?hash=OLD`, { accept });
    t.same(
      [old.status, old.headers.location],
      [301, serverRelativeURL],
      `${name}: an old address leads to the new one`,
    );
    const unhashed = await get(`/openapi/v3/${name}`, { accept });
    t.same([unhashed.status, unhashed.headers["cache-control"]], [200, "no-cache, private"], name);
  }

  const v2 = await get("/openapi/v2", { accept });
  const swagger = JSON.parse(v2.text);
  t.equal(swagger.swagger, "2.0");
  const { valid, errors } = await new Validator().validate(forValidator(v2.text));
  t.ok(valid, `an OpenAPI 2.0 document: ${JSON.stringify(errors)?.slice(0, 2000)}`);
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

/** Field numbers of gnostic's OpenAPIv2.proto. */
const DOCUMENT = { swagger: 1, paths: 8, definitions: 9 };
const PATHS = { path: 2 };
const NAMED = { name: 1, value: 2 };
const PATH_ITEM = { get: 2, put: 3, post: 4, delete: 5, options: 6, head: 7, patch: 8 };
const OPERATION = { operationId: 5 };
const PROPERTIES = { named: 1 };
const SCHEMA = { ref: 1, description: 4, required: 19, properties: 25 };

test("the protobuf form of v2 says what the JSON form says", async (t) => {
  const server = await startApiServer(t);
  const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
  const answer = await server.client.raw({ method: "GET", path: "/openapi/v2", headers: { accept } });
  const bytes = await bufferOf(answer.body);
  const json = await server.client.raw({ method: "GET", path: "/openapi/v2", headers: { accept: "application/json" } });
  const swagger = JSON.parse(await textOf(json.body));
  t.equal(wireText(bytes, DOCUMENT.swagger), "2.0");
  const named = (message: Buffer, field: number) =>
    valuesOf(message, field).map((each) => [wireText(each, NAMED.name), valuesOf(each, NAMED.value)[0]!] as const);

  const paths = valuesOf(bytes, DOCUMENT.paths).flatMap((part) => named(part, PATHS.path));
  t.same(
    paths.map(([path, item]) => {
      const methods = Object.entries(PATH_ITEM).flatMap(([method, field]) =>
        valuesOf(item, field).map((operation) => [method, operation] as const),
      );
      return [path, methods.map(([method, operation]) => [method, wireText(operation, OPERATION.operationId)]).sort()];
    }),
    Object.entries(swagger.paths as { [path: string]: object }).map(([path, item]) => {
      const methods = Object.entries(item).filter(([method]) => method !== "parameters");
      return [path, methods.map(([method, { operationId }]) => [method, operationId]).sort()];
    }),
    "paths and operations",
  );

  const definitions = valuesOf(bytes, DOCUMENT.definitions).flatMap((part) => named(part, PROPERTIES.named));
  const shape = (schema: Buffer) => ({
    ref: wireText(schema, SCHEMA.ref),
    description: wireText(schema, SCHEMA.description),
    required: valuesOf(schema, SCHEMA.required).map(String),
  });
  const shapeOfJson = ({ $ref = "", description = "", required = [] }: Record<string, unknown>) => ({
    ref: $ref,
    description,
    required,
  });
  t.same(
    definitions.map(([name, schema]) => ({
      name,
      ...shape(schema),
      properties: valuesOf(schema, SCHEMA.properties)
        .flatMap((part) => named(part, PROPERTIES.named))
        .map(([property, value]) => ({ property, ...shape(value) })),
    })),
    Object.entries(swagger.definitions as { [name: string]: Record<string, never> }).map(([name, schema]) => ({
      name,
      ...shapeOfJson(schema),
      properties: Object.entries((schema.properties ?? {}) as { [name: string]: Record<string, unknown> }).map(
        ([property, value]) => ({ property, ...shapeOfJson(value) }),
      ),
    })),
    "definitions, their properties and words",
  );
});
