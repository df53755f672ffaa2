// The LevelDB driver: wires one file a verb into a Store. Holds no logic of its own.

import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import { unavailable } from "../errors.js";
import type { Store } from "../store.js";
import { type CommitStats, createCommitter } from "./committer.js";
import { compact } from "./compact.js";
import { openDatabase, readRevisions } from "./database.js";
import { getAt, getCurrent } from "./get.js";
import { createLeases } from "./leases.js";
import { list } from "./list.js";
import { snapshotOf } from "./snapshot.js";
import { statusOf } from "./status.js";
import { WatchHub } from "./watch.js";
import { takesWrites } from "./write-probe.js";

/** Opens the store in a directory, which one process may use at a time; throws Unavailable with one clear line. */
export async function openLevelDbStore({
  directory,
  logger,
  clock,
  observeCommit,
}: {
  directory: string;
  logger: Logger;
  clock: Clock;
  /** Told of each synced write to the disk. */
  observeCommit?: (stats: CommitStats) => void;
}): Promise<Store> {
  const database = await openDatabase(directory);
  const { revision } = readRevisions(database);
  const hub = new WatchHub({ database, clock, revision });
  const committer = createCommitter({
    database,
    revision,
    publish: (events) => hub.publish(events),
    observe: observeCommit,
    logger,
  });
  const leases = createLeases({ database, committer, clock, logger });
  let compaction: Promise<void> = Promise.resolve();
  let closing: Promise<void> | undefined;

  const expiry = (leaseTtl: number | undefined) => (leaseTtl ? clock.now() + leaseTtl * 1000 : 0);
  const whileOpen = () => {
    if (closing) throw unavailable("the store is closed");
  };

  const store: Store = {
    async get(key, options) {
      whileOpen();
      return options?.revision === undefined ? getCurrent(database, key) : getAt(database, key, options.revision);
    },
    async list(prefix, options) {
      whileOpen();
      return list(database, prefix, options);
    },
    async create(key, value, options) {
      const expiresAtMs = expiry(options?.leaseTtl);
      const { current } = await committer.commit({ kind: "create", key, value, expiresAtMs });
      if (expiresAtMs) leases.expiresAt(expiresAtMs);
      return current;
    },
    async update(key, value, expectedRevision, options) {
      const expiresAtMs = expiry(options?.leaseTtl);
      const { current } = await committer.commit({ kind: "update", key, value, expectedRevision, expiresAtMs });
      if (expiresAtMs) leases.expiresAt(expiresAtMs);
      return current;
    },
    delete: (key, expectedRevision) => committer.commit({ kind: "delete", key, expectedRevision }),
    watch: (prefix, options) => hub.watch(prefix, options),
    compact(revision) {
      // One after the other: two at once would only do the same work twice.
      const next = compaction.then(() => {
        whileOpen();
        return compact(database, revision);
      });
      compaction = next.catch(() => undefined);
      return next;
    },
    async status() {
      whileOpen();
      return statusOf(database, committer.fault());
    },
    async recoverable() {
      whileOpen();
      return committer.fault() !== undefined && (await takesWrites(database.location));
    },
    snapshot: () => snapshotOf(database),
    close() {
      closing ??= (async () => {
        hub.close();
        await Promise.all([leases.close(), committer.close(), compaction]);
        await database.close();
      })();
      return closing;
    },
  };
  try {
    await leases.start();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}
