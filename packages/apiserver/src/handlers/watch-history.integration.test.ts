// What watchers of a real process are told while others write: every change that they may see, once, in the store's
// order, whatever they select, however they are connected and as often as they come back.

import { configmaps, namespaces } from "@picokube/api/core/v1";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { type WatchFrame, watchOnce } from "../testing/watchers.js";

const COLORS = ["red", "green", "blue", undefined];
const WRITERS = 5;
const WRITES_EACH = 60;
const WATCHERS = 50;

interface State {
  readonly namespace: string;
  readonly name: string;
  readonly color: string | undefined;
  readonly count: string;
}

/** A repeatable stream of numbers below one (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const revisionOf = ({ object }: WatchFrame): number => Number(object.metadata.resourceVersion);

function stateOf({ object }: WatchFrame): State {
  const { namespace, name, labels = {} } = object.metadata;
  return { namespace, name, color: labels.color, count: object.data?.count };
}

interface Selection {
  readonly path: string;
  readonly query: string;
  sees(state: State): boolean;
}

const SELECTIONS: readonly Selection[] = [
  { path: "/api/v1/configmaps", query: "labelSelector=of%3Dhistory", sees: () => true },
  { path: "/api/v1/configmaps", query: "labelSelector=color%3Dred", sees: ({ color }) => color === "red" },
  {
    path: "/api/v1/configmaps",
    query: "labelSelector=of%3Dhistory,color%20notin%20(red,blue)",
    sees: ({ color }) => color !== "red" && color !== "blue",
  },
  {
    path: "/api/v1/namespaces/one/configmaps",
    query: "labelSelector=color%20in%20(red,blue)",
    sees: ({ namespace, color }) => namespace === "one" && (color === "red" || color === "blue"),
  },
  { path: "/api/v1/configmaps", query: "fieldSelector=metadata.name%3Dc2", sees: ({ name }) => name === "c2" },
  {
    path: "/api/v1/namespaces/two/configmaps",
    query: "labelSelector=of%3Dhistory,!color&fieldSelector=metadata.name!%3Dc1",
    sees: ({ namespace, name, color }) => namespace === "two" && name !== "c1" && color === undefined,
  },
];

/** What a watcher with that selection must be told of these changes, each with the state before and after. */
function expectedOf(history: readonly WatchFrame[], { sees }: Selection): string[] {
  const before = new Map<string, State>();
  return history.flatMap((frame) => {
    const state = stateOf(frame);
    const key = `${state.namespace}/${state.name}`;
    const previous = before.get(key);
    const saw = previous !== undefined && sees(previous);
    if (frame.type === "DELETED") before.delete(key);
    else before.set(key, state);
    const seesNow = frame.type !== "DELETED" && sees(state);
    if (!saw && !seesNow) return [];
    const type = saw ? (seesNow ? "MODIFIED" : "DELETED") : "ADDED";
    // Upstream tells of what leaves a selection as it was last seen, under the new revision.
    const told = type === "DELETED" ? previous! : state;
    return [`${revisionOf(frame)} ${type} ${key} ${told.color} ${told.count}`];
  });
}

const told = (frame: WatchFrame): string => {
  const { namespace, name, color, count } = stateOf(frame);
  return `${revisionOf(frame)} ${frame.type} ${namespace}/${name} ${color} ${count}`;
};

async function write(server: TestApiServer, seed: number): Promise<number[]> {
  const random = randomFrom(seed);
  const revisions: number[] = [];
  for (let turn = 0; turn < WRITES_EACH; turn++) {
    const namespace = random() < 0.5 ? "one" : "two";
    const target = { namespace, name: `c${Math.floor(random() * 4)}` };
    const color = COLORS[Math.floor(random() * COLORS.length)];
    const data = { count: `${seed}-${turn}` };
    const labels = { of: "history", ...(color ? { color } : {}) };
    try {
      if (random() < 0.2) await server.client.delete(configmaps, target);
      else if (random() < 0.4) {
        const { metadata } = await server.client.create(configmaps, { metadata: { ...target, labels }, data } as never);
        revisions.push(Number(metadata.resourceVersion));
      } else {
        const patch = { metadata: { labels: { color: color ?? null } }, data };
        const { metadata } = await server.client.patch(configmaps, target, patch, { type: "merge" });
        revisions.push(Number(metadata.resourceVersion));
      }
    } catch (error) {
      // Another writer was first: the object is there already, or gone.
      if (![404, 409].includes((error as { code?: number }).code ?? 0)) throw error;
    }
  }
  return revisions;
}

test("50 watchers hear every change once and in order, through reconnects", async (t) => {
  const server = await startApiServer(t);
  for (const name of ["one", "two"]) await server.client.create(namespaces, { metadata: { name } } as never);
  const { metadata } = await server.client.list(configmaps);
  let writing = true;

  async function follow(index: number, selection: Selection): Promise<WatchFrame[]> {
    const random = randomFrom(1000 + index);
    const heard: WatchFrame[] = [];
    let revision = metadata.resourceVersion!;
    for (;;) {
      const isLast = !writing;
      const query = `watch=1&resourceVersion=${revision}&allowWatchBookmarks=${index % 2 === 0}&timeoutSeconds=1`;
      const frames = await watchOnce(server, {
        path: `${selection.path}?${query}&${selection.query}`,
        transport: index % 3 === 0 ? "websocket" : "http",
        leaveAfter: isLast ? Number.POSITIVE_INFINITY : 1 + Math.floor(random() * 12),
      });
      for (const frame of frames) {
        revision = frame.object.metadata.resourceVersion;
        if (frame.type !== "BOOKMARK") heard.push(frame);
      }
      if (isLast) return heard;
    }
  }

  const watchers = Array.from({ length: WATCHERS }, (_, index) =>
    follow(index, SELECTIONS[index % SELECTIONS.length]!),
  );
  const writers = Array.from({ length: WRITERS }, (_, index) => write(server, index + 1));
  const acknowledged = (await Promise.all(writers)).flat();
  writing = false;
  const heard = await Promise.all(watchers);

  const history = heard[0]!;
  const revisions = history.map(revisionOf);
  t.same(
    revisions,
    [...new Set(revisions)].sort((a, b) => a - b),
    "in the store's order, none twice",
  );
  const missing = acknowledged.filter((revision) => !revisions.includes(revision));
  t.same(missing, [], `all ${acknowledged.length} acknowledged writes were told`);
  t.ok(history.some(({ type }) => type === "DELETED") && history.some(({ type }) => type === "MODIFIED"));
  for (const [index, frames] of heard.entries()) {
    const selection = SELECTIONS[index % SELECTIONS.length]!;
    t.same(frames.map(told), expectedOf(history, selection), `watcher ${index}: ${selection.path}?${selection.query}`);
  }
});

test("who was away for longer than the apiserver remembers is told everything from the log", async (t) => {
  const server = await startApiServer(t);
  const path = "/api/v1/namespaces/default/configmaps";
  const create = (name: string) =>
    server.client.create(configmaps, { metadata: { name, namespace: "default" } } as never);
  const first = await create("a");
  const names = Array.from({ length: 100 }, (_, index) => `c${index}`);
  await Promise.all(names.map(create));
  // More changes than the apiserver keeps at hand.
  for (let round = 0; round < 13; round++) {
    const patch = { data: { round: String(round) } };
    const change = (name: string) =>
      server.client.patch(configmaps, { namespace: "default", name }, patch, { type: "merge" });
    await Promise.all(names.map(change));
  }
  const changes = names.length * 14;
  for (const transport of ["http", "websocket"] as const) {
    const frames = await watchOnce(server, {
      path: `${path}?watch=1&resourceVersion=${first.metadata.resourceVersion}`,
      transport,
      leaveAfter: changes,
    });
    const revisions = frames.map(revisionOf);
    t.same(
      revisions,
      [...new Set(revisions)].sort((a, b) => a - b),
      `${transport}: in the store's order, none twice`,
    );
    for (const name of names) {
      const told = frames.filter(({ object }) => object.metadata.name === name);
      const rounds = told.map(({ type, object }) => `${type} ${object.data?.round ?? ""}`);
      const expected = ["ADDED ", ...Array.from({ length: 13 }, (_, round) => `MODIFIED ${round}`)];
      if (!t.same(rounds, expected, `${transport}: ${name}`)) break;
    }
  }
});

test("who was away until its revision was compacted gets 410, lists again and misses nothing from there", async (t) => {
  const server = await startApiServer(t, { flags: ["--etcd-compaction-interval=300ms"] });
  const path = "/api/v1/namespaces/default/configmaps";
  const create = (name: string) =>
    server.client.create(configmaps, { metadata: { name, namespace: "default" } } as never);
  const old = (await create("a")).metadata.resourceVersion;
  await create("c0");
  // The ring of the cache knows that revision as long as the server runs.
  const isCompacted = async () => {
    const query = `limit=1&resourceVersion=${old}&resourceVersionMatch=Exact`;
    const { status, body } = await server.client.raw({ method: "GET", path: `${path}?${query}` });
    body.resume();
    return status === 410;
  };
  for (let attempt = 0; attempt < 600 && !(await isCompacted()); attempt++) await create(`more-${attempt}`);
  await server.restart();
  for (const transport of ["http", "websocket"] as const) {
    const frames = await watchOnce(server, {
      path: `${path}?watch=1&resourceVersion=${old}`,
      transport,
      leaveAfter: 9,
    });
    t.equal(frames.length, 1, transport);
    t.match(frames[0], {
      type: "ERROR",
      object: {
        kind: "Status",
        apiVersion: "v1",
        status: "Failure",
        code: 410,
        reason: "Expired",
        message: new RegExp(`^too old resource version: ${old} \\(\\d+\\)$`),
      },
    });
  }
  const listed = await server.client.list(configmaps, { namespace: "default" });
  const going = watchOnce(server, {
    path: `${path}?watch=1&resourceVersion=${listed.metadata.resourceVersion}`,
    transport: "http",
    leaveAfter: 2,
  });
  await create("b");
  await server.client.delete(configmaps, { namespace: "default", name: "c0" });
  t.match(await going, [
    { type: "ADDED", object: { metadata: { name: "b" } } },
    { type: "DELETED", object: { metadata: { name: "c0" } } },
  ]);
});

test("a streaming list under writes is a consistent state, then every change after it", async (t) => {
  const server = await startApiServer(t);
  const path = "/api/v1/namespaces/default/configmaps";
  const create = (name: string) =>
    server.client.create(configmaps, {
      metadata: { name, namespace: "default" },
      data: { x: "y".repeat(999) },
    } as never);
  await Promise.all(Array.from({ length: 300 }, (_, index) => create(`before-${index}`)));
  const query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
  const watchers = Array.from({ length: 10 }, (_, index) =>
    watchOnce(server, {
      path: `${path}?${query}&timeoutSeconds=3`,
      transport: index % 2 ? "websocket" : "http",
      leaveAfter: Number.POSITIVE_INFINITY,
    }),
  );
  await Promise.all(Array.from({ length: 100 }, (_, index) => create(`during-${index}`)));
  const { items } = await server.client.list(configmaps, { namespace: "default" });
  for (const [index, frames] of (await Promise.all(watchers)).entries()) {
    const end = frames.findIndex(
      ({ type, object }) =>
        type === "BOOKMARK" && object.metadata.annotations?.["k8s.io/initial-events-end"] === "true",
    );
    t.ok(end >= 300, `watcher ${index}: the end of the initial state is told`);
    const mark = revisionOf(frames[end]!);
    const state = frames.slice(0, end);
    t.ok(state.every((frame) => frame.type === "ADDED" && revisionOf(frame) <= mark));
    const after = frames.slice(end + 1).filter(({ type }) => type !== "BOOKMARK");
    t.ok(
      after.every((frame, position) => revisionOf(frame) > (position === 0 ? mark : revisionOf(after[position - 1]!))),
    );
    const names = [...state, ...after].map(({ object }) => object.metadata.name as string);
    t.same(names.sort(), items.map(({ metadata }) => metadata.name).sort(), "each object once");
  }
});
