// The forms that a real process answers in: objects, Tables and metadata alone, as JSON and YAML, for get, list and watch.

import { text as textOf } from "node:stream/consumers";
import { configmaps } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { Agent, request } from "undici";
import { parse } from "yaml";

const META = "g=meta.k8s.io;v=v1";
const TABLE = `application/json;as=Table;${META}`;
const PARTIAL = `application/json;as=PartialObjectMetadata;${META}`;
const PARTIAL_LIST = `application/json;as=PartialObjectMetadataList;${META}`;

async function fetchAnonymous(url: string, accept: string) {
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  try {
    const { statusCode, headers, body } = await request(url, { headers: { accept }, dispatcher });
    return { status: statusCode, type: String(headers["content-type"]), text: await body.text() };
  } finally {
    await dispatcher.destroy();
  }
}

test("objects, tables and metadata, as JSON and YAML", async (t) => {
  const server = await startApiServer(t);
  const labels = { of: "forms" };
  for (const name of ["a", "b"]) {
    const metadata = { name, namespace: "default", labels };
    await server.client.create(configmaps, { metadata, data: { key: "yes", number: "1" } } as never);
  }
  const collection = "/api/v1/namespaces/default/configmaps";
  const list = `${collection}?labelSelector=of%3Dforms`;
  async function ask(path: string, headers: Record<string, string>, method = "GET") {
    const { status, headers: answered, body } = await server.client.raw({ method, path, headers });
    return { status, type: String(answered["content-type"]), text: await textOf(body) };
  }
  const json = async (path: string, accept: string) => JSON.parse((await ask(path, { accept })).text);

  await t.test("metadata alone", async (t) => {
    const one = await json(`${collection}/a`, PARTIAL);
    t.same(Object.keys(one).sort(), ["apiVersion", "kind", "metadata"]);
    t.match(one, { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: { name: "a", labels } });
    const all = await json(list, PARTIAL_LIST);
    t.match(all, {
      kind: "PartialObjectMetadataList",
      apiVersion: "meta.k8s.io/v1",
      metadata: { resourceVersion: /^\d+$/ },
    });
    t.equal(all.items.length, 2);
    for (const item of all.items) t.notOk("data" in item);
    t.match(await json(`${list}&limit=1`, PARTIAL_LIST), { metadata: { continue: /./ }, items: { length: 1 } });
  });

  await t.test("metadata of a list for one object is refused, and the other way round", async (t) => {
    t.match(await json(`${collection}/a`, PARTIAL_LIST), {
      code: 406,
      reason: "NotAcceptable",
      message: "you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)",
    });
    t.match(await json(list, PARTIAL), {
      code: 406,
      message: "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)",
    });
  });

  await t.test("tables carry what includeObject says", async (t) => {
    const table = await json(list, TABLE);
    t.match(table, { kind: "Table", apiVersion: "meta.k8s.io/v1", metadata: { resourceVersion: /^\d+$/ } });
    t.match(table.columnDefinitions, [{ name: "Name", format: "name" }, { name: "Data" }, { name: "Age" }]);
    t.match(table.rows, [{ cells: ["a", 2, /s$/], object: { kind: "PartialObjectMetadata" } }, { cells: ["b", 2] }]);
    t.match(await json(`${list}&includeObject=Object`, TABLE), {
      rows: [{ object: { kind: "ConfigMap", data: {} } }, {}],
    });
    t.same((await json(`${list}&includeObject=None`, TABLE)).rows[0].object, null);
    t.match(await json(`${list}&includeObject=All`, TABLE), { code: 400 });
    t.match(await json(`${collection}/a`, TABLE), { kind: "Table", rows: [{ cells: ["a", 2] }] });
  });

  await t.test("YAML is the same document", async (t) => {
    for (const path of [`${collection}/a`, list, `${list}&limit=1`]) {
      const answer = await ask(path, { accept: "application/yaml" });
      t.equal(answer.type, "application/yaml", path);
      const plain = await json(path, "application/json");
      delete plain.metadata.continue;
      const same = parse(answer.text, { version: "1.1" });
      delete same.metadata.continue;
      t.same(same, plain, path);
    }
    const table = await ask(list, { accept: TABLE.replace("json", "yaml") });
    t.match(parse(table.text), { kind: "Table", rows: [{}, {}] });
  });

  await t.test("errors come as YAML too, and as JSON to who accepts neither", async (t) => {
    const absent = `${collection}/absent`;
    const yaml = await ask(absent, { accept: "application/yaml" });
    t.same([yaml.status, yaml.type], [404, "application/yaml"]);
    t.match(parse(yaml.text), {
      kind: "Status",
      apiVersion: "v1",
      code: 404,
      message: 'configmaps "absent" not found',
    });
    for (const accept of [TABLE, "application/json", "application/vnd.kubernetes.protobuf, application/json"]) {
      const answer = await ask(absent, { accept });
      t.same([answer.status, answer.type], [404, "application/json"], accept);
      t.match(JSON.parse(answer.text), { kind: "Status", code: 404 }, accept);
    }
    const anonymous = await fetchAnonymous(`${server.url}${absent}`, "application/yaml");
    t.same([anonymous.status, anonymous.type], [403, "application/yaml"]);
    t.match(parse(anonymous.text), { kind: "Status", code: 403, reason: "Forbidden" });
  });

  await t.test("every verb answers in the form that was asked for", async (t) => {
    const send = async (method: string, path: string, body: object | undefined, accept: string, type = "json") => {
      const headers = { accept, "content-type": `application/${type}` };
      const { body: answer } = await server.client.raw({
        method,
        path,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return JSON.parse(await textOf(answer));
    };
    const only = { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: { name: "verbs" } };
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "verbs" }, data: { a: "1" } };
    const one = `${collection}/verbs`;
    const created = await send("POST", collection, object, PARTIAL);
    t.match(created, only);
    t.notOk("data" in created);
    t.match(await send("PUT", one, { ...object, data: { a: "2" } }, PARTIAL), only);
    t.match(await send("PATCH", one, { data: { a: "3" } }, PARTIAL, "merge-patch+json"), only);
    t.match(await send("PATCH", one, { data: { b: "4" } }, TABLE, "merge-patch+json"), {
      kind: "Table",
      rows: [{ cells: ["verbs", 2] }],
    });
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "verbs" } };
    const accounts = "/api/v1/namespaces/default/serviceaccounts";
    t.match(await send("POST", accounts, account, TABLE), { kind: "Table", rows: [{ cells: ["verbs", 0] }] });
    t.match(await send("DELETE", `${accounts}/verbs`, undefined, PARTIAL), only, "a deleted object that is returned");
    t.match(await send("DELETE", one, undefined, PARTIAL), { kind: "Status", status: "Success" });
  });

  await t.test("the best that can be served, or 406", async (t) => {
    const kinds: [string, string][] = [
      ["application/vnd.kubernetes.protobuf, application/json", "application/json"],
      ["application/cbor;q=0.9, application/yaml;q=0.5, application/json;q=0.1", "application/yaml"],
      [`${TABLE.replace("Table", "Poster")}, application/yaml`, "application/yaml"],
      ["*/*, application/yaml", "application/yaml"],
    ];
    for (const [accept, type] of kinds) t.equal((await ask(`${collection}/a`, { accept })).type, type, accept);
    for (const accept of ["text/html", "application/vnd.kubernetes.protobuf", "application/cbor", `${TABLE}beta9`]) {
      for (const path of [`${collection}/a`, list]) {
        t.match(
          JSON.parse((await ask(path, { accept })).text),
          { code: 406, reason: "NotAcceptable" },
          `${path} ${accept}`,
        );
      }
    }
    const body = JSON.stringify({ metadata: { name: "unwanted" } });
    const headers = { accept: "text/html", "content-type": "application/json" };
    const { status, body: answer } = await server.client.raw({ method: "POST", path: collection, body, headers });
    answer.resume();
    t.equal(status, 406);
    t.equal((await ask(`${collection}/unwanted`, {})).status, 404, "who cannot be answered writes nothing");
  });

  await t.test("watches in each form", async (t) => {
    const watch = `${list}&watch=1&timeoutSeconds=1&allowWatchBookmarks=true`;
    const frames = async (accept: string) => {
      const { text } = await ask(watch, { accept });
      return text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
    };
    const tables = await frames(TABLE);
    t.match(tables[0], {
      type: "ADDED",
      object: { kind: "Table", columnDefinitions: [{}, {}, {}], rows: [{ cells: ["a"] }] },
    });
    t.match(tables[1], { type: "ADDED", object: { kind: "Table", columnDefinitions: null, rows: [{ cells: ["b"] }] } });
    t.match(tables.at(-1), { type: "BOOKMARK", object: { kind: "Table" } });
    const partial = await frames(PARTIAL);
    t.match(partial, [
      { type: "ADDED", object: { kind: "PartialObjectMetadata", metadata: { name: "a" } } },
      { type: "ADDED", object: { kind: "PartialObjectMetadata", metadata: { name: "b" } } },
      { type: "BOOKMARK", object: { kind: "PartialObjectMetadata" } },
    ]);
    t.notOk(partial.some(({ object }) => "data" in object));
    const noStream = await ask(watch, { accept: "application/yaml" });
    t.match(parse(noStream.text), { code: 406, reason: "NotAcceptable" }, "a stream has no YAML form");
    t.match(await json(watch, PARTIAL_LIST), { code: 406 });
  });

  await t.test("curl gets what a person can read", async (t) => {
    const curl = { "user-agent": "curl/8.5.0" };
    for (const path of [`${collection}/a`, list, `${collection}/absent`]) {
      const answer = await ask(path, curl);
      t.match(answer.text, /^\{\n {2}"kind": "/, path);
      t.notMatch((await ask(`${path}${path.includes("?") ? "&" : "?"}pretty=false`, curl)).text, /^\{\n/, path);
    }
  });
});
