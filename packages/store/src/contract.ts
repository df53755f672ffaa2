// The contract of a Store: what every driver must pass. Knows no driver.

import { type Test, test } from "tap";
import { isCompacted, isFutureRevision, isKeyExists, isKeyNotFound, isRevisionConflict } from "./errors.js";
import type { Store, StoreEvent, WatchItem } from "./store.js";

/** A store to be tested; the driver's test removes what it leaves behind. */
export interface StoreUnderTest {
  store: Store;
  /** Closes it and opens the same data again. */
  reopen(): Promise<Store>;
}

const bytes = (text: string) => Buffer.from(text);

/** Reads events from a watch until it has count of them. */
async function takeEvents(watch: AsyncIterable<WatchItem>, count: number): Promise<StoreEvent[]> {
  const events: StoreEvent[] = [];
  if (count === 0) return events;
  for await (const item of watch) {
    if (item.kind === "event" && events.push(item.event) === count) break;
  }
  return events;
}

function summary({ type, key, current, previous }: StoreEvent): string {
  return `${type} ${key} ${previous ? previous.value : "-"} ${current.value}`;
}

async function rejectsWith(t: Test, promise: Promise<unknown>, guard: (error: unknown) => boolean, name: string) {
  try {
    await promise;
    t.fail(`${name}: nothing was thrown`);
  } catch (error) {
    t.ok(guard(error), `${name}: ${error}`);
  }
}

/** Declares the contract's tests for one driver; open gives a fresh, empty store each time. */
export function storeContract(name: string, open: (t: Test) => Promise<StoreUnderTest>): void {
  const contract = (title: string, run: (t: Test, under: StoreUnderTest) => Promise<void>) => {
    void test(`${name}: ${title}`, async (t) => {
      const under = await open(t);
      // Timers of a store do not keep the process alive; the test must.
      const alive = setInterval(() => {}, 1000);
      t.teardown(() => clearInterval(alive));
      await run(t, under);
    });
  };
  const watchOf = (t: Test, store: Store, prefix: string, fromRevision: number) => {
    const controller = new AbortController();
    t.teardown(() => controller.abort());
    return store.watch(prefix, { fromRevision, signal: controller.signal });
  };

  contract("an empty store is at revision 1 and holds nothing", async (t, { store }) => {
    t.equal((await store.status()).revision, 1);
    t.equal(await store.get("/a"), undefined);
    t.same(await store.list("/"), { items: [], revision: 1, continueKey: undefined, remaining: 0 });
  });

  contract("create, update and delete give one revision each and count versions", async (t, { store }) => {
    const created = await store.create("/a", bytes("one"));
    t.match(created, { key: "/a", createRevision: 2, modRevision: 2, version: 1 });
    const updated = await store.update("/a", bytes("two"), 2);
    t.match(updated, { createRevision: 2, modRevision: 3, version: 2 });
    t.equal(String((await store.get("/a"))?.value), "two");
    const deleted = await store.delete("/a", 3);
    t.equal(deleted.revision, 4);
    t.equal(summary(deleted), "delete /a two two");
    t.equal(await store.get("/a"), undefined);
    t.match(await store.create("/a", bytes("three")), { createRevision: 5, modRevision: 5, version: 1 });
  });

  contract("preconditions are kept", async (t, { store }) => {
    await store.create("/a", bytes("one"));
    await rejectsWith(t, store.create("/a", bytes("x")), isKeyExists, "create of an existing key");
    await rejectsWith(t, store.update("/a", bytes("x"), 1), isRevisionConflict, "update at a wrong revision");
    await rejectsWith(t, store.delete("/a", 1), isRevisionConflict, "delete at a wrong revision");
    await rejectsWith(t, store.update("/b", bytes("x"), 1), isKeyNotFound, "update of nothing");
    await rejectsWith(t, store.delete("/b", 1), isKeyNotFound, "delete of nothing");
    t.equal((await store.status()).revision, 2, "a refused write takes no revision");
  });

  contract("of many writers that race for one key exactly one wins", async (t, { store }) => {
    const { modRevision } = await store.create("/a", bytes("0"));
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => store.update("/a", bytes(String(index)), modRevision)),
    );
    t.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
    t.ok(outcomes.every((outcome) => outcome.status === "fulfilled" || isRevisionConflict(outcome.reason)));
  });

  contract("concurrent writes get consecutive revisions in the order they came", async (t, { store }) => {
    const written = await Promise.all(
      Array.from({ length: 100 }, (_, index) => store.create(`/k/${index}`, bytes(String(index)))),
    );
    t.same(
      written.map(({ modRevision }) => modRevision),
      Array.from({ length: 100 }, (_, index) => index + 2),
    );
  });

  contract(
    "a write is judged by those on their way to the disk, and told no sooner than they",
    async (t, { store }) => {
      const { modRevision } = await store.create("/a", bytes("0"));
      const told: string[] = [];
      const tell = (name: string, outcome: Promise<unknown>) =>
        outcome.then(
          () => told.push(name),
          (error: { code: string }) => told.push(`${name}: ${error.code}`),
        );
      const first = tell("update", store.update("/a", bytes("1"), modRevision));
      for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
      await Promise.all([
        first,
        tell("late update", store.update("/a", bytes("2"), modRevision)),
        tell("create", store.create("/a", bytes("3"))),
        tell("delete", store.delete("/a", modRevision + 1)),
        tell("new create", store.create("/a", bytes("4"))),
      ]);
      t.same(told, ["update", "late update: Conflict", "create: KeyExists", "delete", "new create"]);
      t.match(await store.get("/a"), { modRevision: modRevision + 3, version: 1 });
    },
  );

  contract("list is sorted, bounded by its prefix and pages", async (t, { store }) => {
    for (const key of ["/p/b", "/p/a", "/pa", "/p/c/x", "/o", "/p/c"]) await store.create(key, bytes(key));
    const all = await store.list("/p/");
    t.same(
      all.items.map(({ key }) => key),
      ["/p/a", "/p/b", "/p/c", "/p/c/x"],
    );
    t.equal(all.revision, 7);
    const first = await store.list("/p/", { limit: 3 });
    t.match(first, { remaining: 1, revision: 7 });
    await store.create("/p/d", bytes("later"));
    await store.delete("/p/c/x", 5);
    const second = await store.list("/p/", { limit: 3, continueKey: first.continueKey!, revision: first.revision });
    t.same(
      second.items.map(({ key }) => key),
      ["/p/c/x"],
      "the second page is of the same revision as the first",
    );
    t.equal(second.continueKey, undefined);
    t.equal(second.revision, 7);
    await store.update("/p/c", bytes("changed"), 7);
    await store.delete("/p/a", 3);
    const behind = await store.list("/p/", { limit: 3, continueKey: "/p/c\0", revision: first.revision });
    t.same(
      behind.items.map(({ key }) => key),
      ["/p/c/x"],
      "a page that begins behind a key does not tell it again, though it has changed since",
    );
    const between = await store.list("/p/", { continueKey: "/p/a\0", revision: first.revision });
    t.same(
      between.items.map(({ key }) => key),
      ["/p/b", "/p/c", "/p/c/x"],
    );
  });

  contract("get and list show every kept revision as it was", async (t, { store }) => {
    const pictures: { revision: number; picture: string }[] = [];
    const picture = async (revision?: number) =>
      (await store.list("/", revision === undefined ? {} : { revision })).items
        .map(({ key, value, version }) => `${key}=${value}@${version}`)
        .join(" ");
    const keys = ["/a", "/a/b", "/ab", "/b"];
    for (let step = 0; step < 60; step++) {
      const key = keys[(step * 7) % keys.length]!;
      const found = await store.get(key);
      if (!found) await store.create(key, bytes(String(step)));
      else if (step % 5 === 0) await store.delete(key, found.modRevision);
      else await store.update(key, bytes(String(step)), found.modRevision);
      pictures.push({ revision: (await store.status()).revision, picture: await picture() });
    }
    for (const { revision, picture: expected } of pictures) {
      t.equal(await picture(revision), expected, `revision ${revision}`);
      const single = await Promise.all(keys.map((key) => store.get(key, { revision })));
      t.equal(
        single
          .filter((state) => state !== undefined)
          .map(({ key, value, version }) => `${key}=${value}@${version}`)
          .join(" "),
        expected,
      );
    }
    await rejectsWith(t, store.get("/a", { revision: 1000 }), isFutureRevision, "get of the future");
    await rejectsWith(t, store.list("/", { revision: 1000 }), isFutureRevision, "list of the future");
  });

  contract("compaction forgets the past and nothing else", async (t, { store }) => {
    await store.create("/a", bytes("1"));
    await store.update("/a", bytes("2"), 2);
    await store.create("/b", bytes("3"));
    await store.update("/a", bytes("4"), 3);
    await store.compact(4);
    t.equal((await store.status()).compactRevision, 4);
    await rejectsWith(t, store.get("/a", { revision: 3 }), isCompacted, "get below");
    await rejectsWith(t, store.list("/", { revision: 3 }), isCompacted, "list below");
    await rejectsWith(t, takeEvents(watchOf(t, store, "/", 3), 1), isCompacted, "watch below");
    await rejectsWith(t, store.compact(3), isCompacted, "compact below");
    await rejectsWith(t, store.compact(99), isFutureRevision, "compact of the future");
    t.equal(String((await store.get("/a", { revision: 4 }))?.value), "2", "the compacted revision itself stays");
    t.same((await takeEvents(watchOf(t, store, "/", 4), 1)).map(summary), ["put /a 2 4"]);
    t.equal((await store.list("/")).items.length, 2);
    await store.compact(5);
    t.equal((await store.list("/")).revision, 5, "the revision outlives the whole log");
  });

  contract("a watch replays and goes on without a gap, in order, of its prefix only", async (t, { store }) => {
    await store.create("/w/a", bytes("1"));
    await store.create("/x", bytes("other"));
    await store.update("/w/a", bytes("2"), 2);
    const events = takeEvents(watchOf(t, store, "/w/", 1), 4);
    await store.delete("/w/a", 4);
    await store.create("/w/b", bytes("3"));
    t.same((await events).map(summary), ["put /w/a - 1", "put /w/a 1 2", "delete /w/a 2 2", "put /w/b - 3"]);
  });

  contract("a watcher that sleeps through thousands of events still gets each once", async (t, { store }) => {
    const total = 6000;
    const seen: number[] = [];
    const watch = watchOf(t, store, "/n/", 1);
    const iterator = watch[Symbol.asyncIterator]();
    await store.create("/n/0", bytes("0"));
    const readTo = async (count: number) => {
      while (seen.length < count) {
        const { value } = await iterator.next();
        if (value.kind === "event") seen.push(value.event.revision);
      }
    };
    await readTo(1);
    for (let from = 1; from < total; from += 1000) {
      const to = Math.min(from + 1000, total);
      await Promise.all(Array.from({ length: to - from }, (_, i) => store.create(`/n/${from + i}`, bytes("v"))));
    }
    await readTo(total);
    t.same(
      seen,
      Array.from({ length: total }, (_, index) => index + 2),
    );
    await iterator.return?.();
  });

  contract("progress says how far an idle watch has come", async (t, { store }) => {
    const watch = watchOf(t, store, "/quiet/", 1);
    await Promise.all(Array.from({ length: 3 }, (_, index) => store.create(`/loud/${index}`, bytes("v"))));
    for await (const item of watch) {
      t.equal(item.kind, "progress");
      if (item.kind === "progress" && item.revision === 4) break;
    }
  });

  contract("an aborted watch ends", async (t, { store }) => {
    const controller = new AbortController();
    const ended = takeEvents(store.watch("/", { fromRevision: 1, signal: controller.signal }), 1);
    setTimeout(() => controller.abort(), 20);
    t.same(await ended, []);
  });

  contract("all of it survives a restart", async (t, under) => {
    await under.store.create("/a", bytes("1"));
    await under.store.update("/a", bytes("2"), 2);
    await under.store.create("/b", bytes("3"));
    await under.store.delete("/b", 4);
    const store = await under.reopen();
    t.match(await store.get("/a"), { createRevision: 2, modRevision: 3, version: 2 });
    t.equal(String((await store.get("/a", { revision: 2 }))?.value), "1");
    t.same((await takeEvents(watchOf(t, store, "/", 1), 4)).map(summary), [
      "put /a - 1",
      "put /a 1 2",
      "put /b - 3",
      "delete /b 3 3",
    ]);
    t.equal((await store.create("/c", bytes("4"))).modRevision, 6);
  });

  contract("a leased key goes when its time is over, also across a restart", async (t, under) => {
    await under.store.create("/short", bytes("x"), { leaseTtl: 1 });
    await under.store.create("/long", bytes("x"), { leaseTtl: 3600 });
    const freed = await under.store.create("/freed", bytes("x"), { leaseTtl: 1 });
    await under.store.update("/freed", bytes("y"), freed.modRevision);
    const store = await under.reopen();
    t.equal((await takeEvents(watchOf(t, store, "/short", 2), 1))[0]?.type, "delete");
    t.equal(await store.get("/short"), undefined);
    t.ok(await store.get("/long"));
    t.ok(await store.get("/freed"), "a write without a lease takes the lease away");
  });

  contract("a snapshot is not empty and ends", async (t, { store }) => {
    await store.create("/a", bytes("1"));
    let sizeBytes = 0;
    for await (const chunk of store.snapshot()) sizeBytes += chunk.length;
    t.ok(sizeBytes > 0);
  });
}
