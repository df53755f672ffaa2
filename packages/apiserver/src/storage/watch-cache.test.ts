// The watch cache against a plain list of what it should hold: order, pages, and indexes that follow every change.

import { test } from "tap";
import type { CacheItem } from "./cache-item.js";
import { ParsedObjects } from "./parsed-objects.js";
import { WatchCache } from "./watch-cache.js";

const PREFIX = "/registry/pods/";
const COLORS = ["red", "green", "blue", "constructor"];

function itemOf(index: number, revision: number, color: string | undefined): CacheItem {
  const [namespace, name] = [index % 3 === 0 ? "one" : "two", `p${index}`];
  return {
    key: `${PREFIX}${namespace}/${name}`,
    namespace,
    name,
    revision,
    bytes: Buffer.from("{}"),
    labels: color === undefined ? {} : { color },
    fields: { "metadata.name": name, "spec.nodeName": `node-${(index + revision) % 40}` },
    parsed: undefined,
  };
}

const keysOf = (items: readonly CacheItem[]) => items.map(({ key, revision }) => `${key}@${revision}`);

/** A cache after some thousand changes, and what it must hold, sorted by key. */
function changedCache(): { cache: WatchCache; expected: CacheItem[] } {
  const cache = new WatchCache({
    prefix: PREFIX,
    parsedObjects: new ParsedObjects({ limit: 10 }),
    onListenerFault: (error) => {
      throw error;
    },
  });
  const held = new Map<number, CacheItem>();
  for (let index = 0; index < 500; index++) {
    const item = itemOf(index, 1, COLORS[index % 5]);
    held.set(index, item);
    cache.load(item);
  }
  // The indexes exist before the changes come.
  cache.candidates(PREFIX, { terms: [{ source: "labels", name: "color", values: ["red"] }] });
  cache.candidates(PREFIX, { terms: [{ source: "fields", name: "spec.nodeName", values: ["node-1"] }] });
  for (let revision = 2; revision < 4000; revision++) {
    const index = (revision * 7919) % 600;
    const previous = held.get(index);
    const item = itemOf(index, revision, COLORS[(revision * 31) % 6]);
    const type = previous ? (revision % 4 === 0 ? "DELETED" : "MODIFIED") : "ADDED";
    if (type === "DELETED") held.delete(index);
    else held.set(index, item);
    cache.apply({ type, revision, item, previous, frames: new Map() });
  }
  const expected = [...held.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  return { cache, expected };
}

test("items stand in key order and are found by prefix, by page and by what they must have", (t) => {
  const { cache, expected } = changedCache();
  t.same(keysOf(cache.range(PREFIX)), keysOf(expected));
  const two = expected.filter(({ namespace }) => namespace === "two");
  t.same(keysOf(cache.range(`${PREFIX}two/`)), keysOf(two));
  const [, , third] = two;
  t.same(keysOf(cache.range(`${PREFIX}two/`, { afterKey: third!.key, limit: 5 })), keysOf(two.slice(3, 8)));
  t.equal(cache.count(`${PREFIX}two/`, third!.key), two.length - 3);

  const cases: { name: string; source: "labels" | "fields"; values: string[] }[] = [
    { source: "labels", name: "color", values: ["red"] },
    { source: "labels", name: "color", values: ["constructor", "blue", "blue"] },
    { source: "labels", name: "constructor", values: ["red"] },
    { source: "labels", name: "color", values: ["unknown"] },
    { source: "fields", name: "spec.nodeName", values: ["node-1"] },
    { source: "fields", name: "metadata.name", values: ["p7"] },
  ];
  for (const term of cases) {
    const fits = ({ [term.source]: have }: CacheItem) =>
      Object.hasOwn(have, term.name) && term.values.includes(have[term.name]!);
    const wanted = two.filter((item) => fits(item));
    const found = cache.candidates(`${PREFIX}two/`, { terms: [term] });
    t.same(keysOf(found.filter(fits)), keysOf(wanted), `${term.name}=${term.values}`);
    if (term.source === "fields") t.same(keysOf(found), keysOf(wanted), "nothing else is looked at");
    const after = cache.candidates(`${PREFIX}two/`, { afterKey: third!.key, terms: [term] });
    t.same(keysOf(after.filter(fits)), keysOf(wanted.filter(({ key }) => key > third!.key)));
  }
  const narrowest = cache.candidates(PREFIX, {
    terms: [
      { source: "labels", name: "color", values: COLORS },
      { source: "fields", name: "spec.nodeName", values: ["node-1"] },
    ],
  });
  t.ok(narrowest.length < 40 && narrowest.every(({ fields }) => fields["spec.nodeName"] === "node-1"));
  t.end();
});

test("more indexes than are kept make the oldest go, and it comes back", (t) => {
  const { cache, expected } = changedCache();
  for (let number = 0; number < 20; number++) {
    const terms = [{ source: "labels" as const, name: `other-${number}`, values: ["x"] }];
    t.same(cache.candidates(PREFIX, { terms }), []);
  }
  const terms = [{ source: "fields" as const, name: "spec.nodeName", values: ["node-2"] }];
  const wanted = expected.filter(({ fields }) => fields["spec.nodeName"] === "node-2");
  t.same(keysOf(cache.candidates(PREFIX, { terms })), keysOf(wanted));
  t.end();
});

test("one listener that fails keeps the change from nobody else", (t) => {
  const faults: unknown[] = [];
  const cache = new WatchCache({
    prefix: PREFIX,
    parsedObjects: new ParsedObjects({ limit: 10 }),
    onListenerFault: (error) => faults.push(error),
  });
  const seen: number[] = [];
  const fault = new Error("listener");
  cache.subscribe(() => {
    throw fault;
  });
  cache.subscribe(({ revision }) => seen.push(revision));
  cache.apply({ type: "ADDED", revision: 7, item: itemOf(1, 7, "red"), previous: undefined, frames: new Map() });
  t.same(seen, [7]);
  t.same(faults, [fault]);
  t.equal(cache.range(PREFIX).length, 1);
  t.end();
});

test("what is added in key order, and taken away to the last, leaves the right pages at every size", (t) => {
  const cache = new WatchCache({
    prefix: PREFIX,
    parsedObjects: new ParsedObjects({ limit: 10 }),
    onListenerFault: (error) => {
      throw error;
    },
  });
  const keyOf = (index: number) => `${PREFIX}one/p${String(index).padStart(5, "0")}`;
  for (let index = 0; index < 3000; index++) cache.load({ ...itemOf(index, 1, "red"), key: keyOf(index) });
  t.equal(cache.range(PREFIX).length, 3000);
  t.equal(cache.count(PREFIX, keyOf(511)), 2488);
  const page = cache.range(PREFIX, { afterKey: keyOf(255), limit: 600 });
  t.same([page.length, page[0]?.key, page.at(-1)?.key], [600, keyOf(256), keyOf(855)]);
  t.equal(cache.range(`${PREFIX}one/p029`).length, 100);
  t.equal(cache.range(`${PREFIX}two/`).length, 0);
  for (let index = 2999; index >= 0; index--) {
    const item = { ...itemOf(index, 2, "red"), key: keyOf(index) };
    cache.apply({ type: "DELETED", revision: 2, item, previous: cache.get(item.key), frames: new Map() });
  }
  t.same([cache.range(PREFIX), cache.count(PREFIX)], [[], 0]);
  cache.load({ ...itemOf(7, 3, "red"), key: keyOf(7) });
  t.equal(cache.count(PREFIX), 1, "and it fills again");
  t.end();
});
