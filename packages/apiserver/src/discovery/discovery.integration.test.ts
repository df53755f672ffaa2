// Discovery of a real process: both forms tell of the same resources, in the form that was asked for, and not twice.

import { text as textOf } from "node:stream/consumers";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { parse } from "yaml";

const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

test("discovery", async (t) => {
  const server = await startApiServer(t);
  async function get(path: string, headers: Record<string, string> = {}) {
    const { status, headers: answered, body } = await server.client.raw({ method: "GET", path, headers });
    return { status, type: answered["content-type"], etag: String(answered.etag), text: await textOf(body) };
  }

  await t.test("the legacy and the aggregated form agree", async (t) => {
    for (const root of ["/api", "/apis"]) {
      const { items } = JSON.parse((await get(root, { accept: `${AGGREGATED},application/json` })).text);
      t.ok(items.length > 0);
      for (const { metadata, versions } of items) {
        for (const { version, resources } of versions) {
          const path = root === "/api" ? `/api/${version}` : `/apis/${metadata.name}/${version}`;
          const legacy = JSON.parse((await get(path)).text).resources;
          const told = resources.flatMap(
            ({ resource, verbs, subresources = [] }: { resource: string; verbs: string[]; subresources?: never[] }) => [
              { name: resource, verbs },
              ...subresources.map(({ subresource, verbs: own }) => ({
                name: `${resource}/${subresource}`,
                verbs: own,
              })),
            ],
          );
          t.same(
            told,
            legacy.map(({ name, verbs }: { name: string; verbs: string[] }) => ({ name, verbs })),
            path,
          );
        }
      }
    }
  });

  await t.test("what the client has is not sent again", async (t) => {
    for (const path of ["/api", "/apis"]) {
      const first = await get(path, { accept: AGGREGATED });
      t.equal(first.type, AGGREGATED);
      const again = await get(path, { accept: AGGREGATED, "if-none-match": first.etag });
      t.same([again.status, again.text, again.etag], [304, "", first.etag], path);
      t.equal((await get(path, { accept: AGGREGATED, "if-none-match": '"other"' })).status, 200);
      t.not((await get(path)).etag, first.etag, "each form has its own tag");
    }
  });

  await t.test("documents come as YAML, indented, or not at all", async (t) => {
    for (const path of ["/api", "/apis", "/apis/apps", "/apis/apps/v1", "/api/v1"]) {
      const plain = await get(path, { accept: "application/json" });
      const yaml = await get(path, { accept: "application/yaml" });
      t.equal(yaml.type, "application/yaml", path);
      t.same(parse(yaml.text, { version: "1.1" }), JSON.parse(plain.text), path);
      t.match((await get(path, { "user-agent": "curl/8.5.0" })).text, /^\{\n {2}"kind"/, path);
      t.equal((await get(path, { accept: "text/html" })).status, 406, path);
    }
    t.match((await get("/version")).text, /^\{\n {2}"major": "1",\n {2}"minor": "33"/);
  });
});
