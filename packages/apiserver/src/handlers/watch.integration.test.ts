// Watches of a real process under hard conditions: readers that do not read, ends of time, and a restart in between.

import { text as textOf } from "node:stream/consumers";
import { configmaps, events } from "@picokube/api/core/v1";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import tap, { test } from "tap";
import { rawConnection, requestText } from "../testing/raw-connection.js";
import { watchOnce } from "../testing/watchers.js";

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";

async function lines(server: TestApiServer, path: string) {
  const { body } = await server.client.raw({ method: "GET", path });
  const text = await textOf(body);
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const create = (server: TestApiServer, name: string, data = {}) =>
  server.client.create(configmaps, { metadata: { name, namespace: "default" }, data } as never);

/** What a watch says in its first minute, in which nothing happens to what it watches. */
let firstMinute: Promise<string>;
let elsewhere: number;

test("a watch in whose first minute nothing happens begins while the other tests go on", async (t) => {
  const server = await startApiServer(tap);
  const { metadata } = await create(server, "a");
  const watcher = await rawConnection(server);
  tap.teardown(() => watcher.destroy());
  const query = `watch=1&allowWatchBookmarks=true&resourceVersion=${metadata.resourceVersion}`;
  watcher.write(requestText("GET", `${CONFIG_MAPS}?${query}`));
  await watcher.until(/HTTP\/1.1 200/);
  const other = { metadata: { name: "other", namespace: "kube-system" } };
  elsewhere = Number((await server.client.create(configmaps, other as never)).metadata.resourceVersion);
  firstMinute = watcher.until(/"type":.*\n/);
  t.ok(elsewhere > Number(metadata.resourceVersion));
});

test("a watcher that does not read is cut off; others see everything", async (t) => {
  const server = await startApiServer(t);
  const slow = await rawConnection(server);
  slow.write(requestText("GET", `${CONFIG_MAPS}?watch=1`));
  await slow.until(/HTTP\/1.1 200/);
  slow.socket.pause();
  const fast = await rawConnection(server);
  fast.write(requestText("GET", `${CONFIG_MAPS}?watch=1`));
  const openWatches = async () => {
    const { body } = await server.client.raw({ method: "GET", path: "/metrics" });
    return Number(/apiserver_longrunning_requests (\d+)/.exec(await textOf(body))?.[1]);
  };
  while ((await openWatches()) < 2);
  const blob = "x".repeat(900_000);
  let sent = 0;
  // What the kernel takes is not the server's to count: 64 MB is more than both sides' buffers and the bound together.
  for (; sent < 72 && (await openWatches()) === 2; sent++) await create(server, `big-${sent}`, { blob });
  t.equal(await openWatches(), 1, `cut off after ${sent} changes of 900 KB`);
  await create(server, "last");
  await fast.until(/"name":"last"/);
  t.equal(fast.received().match(/"type":"ADDED"/g)?.length, await count(server), "the other one missed nothing");
  fast.destroy();
  slow.destroy();
});

async function count(server: TestApiServer): Promise<number> {
  return (await server.client.list(configmaps, { namespace: "default" })).items.length;
}

test("a watch that ends says where to go on from", async (t) => {
  const server = await startApiServer(t);
  const { metadata } = await create(server, "a");
  const frames = await lines(
    server,
    `${CONFIG_MAPS}?watch=1&allowWatchBookmarks=true&timeoutSeconds=1&resourceVersion=${metadata.resourceVersion}`,
  );
  const last = frames.at(-1);
  t.equal(last.type, "BOOKMARK");
  t.ok(Number(last.object.metadata.resourceVersion) >= Number(metadata.resourceVersion));
  const plain = `${CONFIG_MAPS}?watch=1&timeoutSeconds=1&resourceVersion=${metadata.resourceVersion}`;
  const { body } = await server.client.raw({ method: "GET", path: plain });
  t.equal(await textOf(body), "", "no bookmark for who did not ask");

  await create(server, "b");
  const resumed = `${CONFIG_MAPS}?watch=1&timeoutSeconds=1&resourceVersion=${last.object.metadata.resourceVersion}`;
  t.match(await lines(server, resumed), [{ type: "ADDED", object: { metadata: { name: "b" } } }]);
});

test("after a restart a watcher is told what it missed, from the store's log", async (t) => {
  const server = await startApiServer(t);
  const at = (name: string) => ({ namespace: "default", name });
  const relabel = (name: string, color: string) =>
    server.client.patch(configmaps, at(name), { metadata: { labels: { color } } }, { type: "merge" });
  const revision = ({ metadata }: { metadata: { resourceVersion?: string } }) => Number(metadata.resourceVersion);
  const kept = revision(await create(server, "a"));
  const b = revision(await create(server, "b"));
  const red = revision(await relabel("a", "red"));
  await server.client.delete(configmaps, at("b"));
  const blue = revision(await relabel("a", "blue"));
  await server.restart();

  const last = { metadata: { ...at("last"), labels: { color: "red" } } };
  const watchers = [
    {
      above: kept,
      query: "",
      told: [`ADDED b ${b}`, `MODIFIED a ${red}`, `DELETED b ${red + 1}`, `MODIFIED a ${blue}`],
    },
    { above: red, query: "", told: [`DELETED b ${red + 1}`, `MODIFIED a ${blue}`] },
    { above: kept, query: "&labelSelector=color%3Dred", told: [`ADDED a ${red}`, `DELETED a ${blue}`] },
    { above: blue, query: "", told: [] },
  ].map(async ({ above, query, told }) => {
    const path = `${CONFIG_MAPS}?watch=1&resourceVersion=${above}${query}`;
    const frames = await watchOnce(server, { path, transport: "http", leaveAfter: told.length + 1 });
    const heard = frames.map(({ type, object }) => `${type} ${object.metadata.name} ${revision(object)}`);
    t.same(heard.slice(0, -1), told, `above ${above}${query}`);
    t.match(heard.at(-1), /^ADDED last /, "and then what comes after the restart");
  });
  await server.client.create(configmaps, last as never);
  await Promise.all(watchers);
});

test("rows of what goes, or leaves a selection, are whole though they were shown before", async (t) => {
  const server = await startApiServer(t);
  const headers = { accept: "application/json;as=Table;g=meta.k8s.io;v=v1" };
  const table = async () => {
    const { body } = await server.client.raw({ method: "GET", path: CONFIG_MAPS, headers });
    return JSON.parse(await textOf(body));
  };
  for (const name of ["a", "b"]) {
    const metadata = { name, namespace: "default", labels: { color: "red" } };
    await server.client.create(configmaps, { metadata } as never);
  }
  const { metadata, rows } = await table();
  t.same(
    (await table()).rows.map(({ object }: { object: unknown }) => object),
    rows.map(({ object }: { object: unknown }) => object),
    "the row that is remembered is the row that was made",
  );
  const path = `${CONFIG_MAPS}?watch=1&labelSelector=color%3Dred&resourceVersion=${metadata.resourceVersion}`;
  const { body } = await server.client.raw({ method: "GET", path, headers });
  // A revision of more digits makes the bytes longer than those that the row was made of.
  const digits = metadata.resourceVersion.length;
  for (let revision = metadata.resourceVersion, made = 0; revision.length === digits; ) {
    const names = Array.from({ length: 20 }, () => `more-${made++}`);
    const created = await Promise.all(names.map((name) => create(server, name)));
    revision = created.at(-1)!.metadata.resourceVersion!;
  }
  const patch = { metadata: { labels: { color: "blue" } } };
  await server.client.patch(configmaps, { namespace: "default", name: "a" }, patch, { type: "merge" });
  await server.client.delete(configmaps, { namespace: "default", name: "b" });
  const told: string[] = [];
  let text = "";
  for await (const chunk of body) {
    text += chunk.toString();
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      const { type, object } = JSON.parse(text.slice(0, end));
      text = text.slice(end + 1);
      const { name, resourceVersion } = object.rows[0].object.metadata;
      told.push(`${type} ${name} ${resourceVersion === object.metadata.resourceVersion}`);
    }
    if (told.length === 2) break;
  }
  t.same(told, ["DELETED a true", "DELETED b true"]);
});

test("compaction makes old pages expire with a token to go on with", async (t) => {
  const server = await startApiServer(t, { flags: ["--etcd-compaction-interval=300ms"] });
  for (const name of ["a", "b", "c"]) await create(server, name);
  const first = await server.client.list(configmaps, { namespace: "default", limit: 1 });
  const get = async (token: string) => {
    const path = `${CONFIG_MAPS}?limit=1&continue=${token}`;
    const { status, body } = await server.client.raw({ method: "GET", path });
    return { status, json: JSON.parse(await textOf(body)) };
  };
  let answer = await get(first.metadata.continue!);
  for (let attempt = 0; attempt < 200 && answer.status === 200; attempt++) {
    await create(server, `more-${attempt}`);
    answer = await get(first.metadata.continue!);
  }
  t.match(answer.json, { code: 410, reason: "Expired", message: /The provided continue parameter is too old/ });
  const rest = await get(answer.json.metadata.continue);
  t.match(rest.json.items, [{ metadata: { name: "b" } }], "the token of the answer goes on, inconsistently");
});

test("events live as long as --event-ttl says, and their end is told", async (t) => {
  const server = await startApiServer(t, { flags: ["--event-ttl=1s"] });
  const event = (name: string) => ({
    metadata: { name, namespace: "default" },
    involvedObject: { kind: "Pod", name: "p", namespace: "default" },
    reason: "Started",
    message: "m",
    type: "Normal",
  });
  const { metadata } = await server.client.create(events, event("e1") as never);
  const seen: string[] = [];
  const abort = new AbortController();
  const options = { namespace: "default", resourceVersion: metadata.resourceVersion!, signal: abort.signal };
  for await (const { type, object } of server.client.watch(events, options)) {
    seen.push(`${type} ${object.metadata.name}`);
    if (type === "DELETED") break;
  }
  t.same(seen, ["DELETED e1"]);
  await create(server, "kept");
  await server.client.create(events, event("e2") as never);
  await server.restart();
  for (;;) {
    const left = await server.client.list(events, { namespace: "default" });
    if (!left.items.some(({ metadata }) => metadata.name === "e2")) break;
  }
  t.equal((await server.client.get(configmaps, { namespace: "default", name: "kept" })).metadata.name, "kept");
});

test("a watch that has nothing to tell says once a minute how far it has come", async (t) => {
  const [, text] = /({"type":.*)\n/.exec(await firstMinute)!;
  const { type, object } = JSON.parse(text!);
  t.match({ type, object }, { type: "BOOKMARK", object: { kind: "ConfigMap" } });
  t.ok(Number(object.metadata.resourceVersion) >= elsewhere, "past what happened elsewhere meanwhile");
});
