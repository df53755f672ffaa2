// Group commit: the one place where revisions are given. Takes all writes that wait, checks their preconditions
// against the state they will find, writes one batch with fsync, then publishes and acknowledges in order.
// After a failed write nothing more is written: what LevelDB's log holds is uncertain until it is opened anew.

import type { Logger } from "@picokube/component-base/logger";
import { keyExists, keyNotFound, revisionConflict, type StoreError, unavailable } from "../errors.js";
import type { StoreEvent } from "../store.js";
import { type Database, type Operation, reasonOf } from "./database.js";
import {
  dataKey,
  decodeState,
  encodeLog,
  encodeNumber,
  encodeState,
  historyKey,
  leaseKey,
  logKey,
  META_REVISION,
  type StoredValue,
} from "./records.js";

/** One write as a caller asks for it. */
export type Write =
  | { kind: "create"; key: string; value: Buffer; expiresAtMs: number }
  | { kind: "update"; key: string; value: Buffer; expectedRevision: number; expiresAtMs: number }
  | { kind: "delete"; key: string; expectedRevision: number };

interface Waiting {
  write: Write;
  resolve(event: StoreEvent): void;
  reject(error: Error): void;
}

export interface Committer {
  /** Resolves to the event once it is on disk and published. */
  commit(write: Write): Promise<StoreEvent>;
  /** Why writes are refused, if they are. */
  fault(): string | undefined;
  /** Refuses writes from now on, because the disk does not take them. */
  fail(error: unknown): StoreError;
  /** Refuses new writes and resolves when those under way are done. */
  close(): Promise<void>;
}

const MAX_BATCH_WRITES = 1000;
const MAX_BATCH_BYTES = 8 * 1024 * 1024;

/** The event of a write that finds this state, or the error its precondition makes. */
export function decide(write: Write, found: StoredValue | undefined, revision: number): StoreEvent | StoreError {
  const { key } = write;
  if (write.kind === "create") {
    if (found) return keyExists(key, found);
  } else {
    if (!found) return keyNotFound(key);
    if (found.modRevision !== write.expectedRevision) return revisionConflict(key, write.expectedRevision, found);
  }
  if (write.kind === "delete") return { type: "delete", key, revision, current: found!, previous: found };
  const current: StoredValue = {
    key,
    value: write.value,
    createRevision: found?.createRevision ?? revision,
    modRevision: revision,
    version: (found?.version ?? 0) + 1,
    expiresAtMs: write.expiresAtMs,
  };
  return { type: "put", key, revision, current, previous: found };
}

/** What one event changes in LevelDB. */
function operationsOf({ type, key, revision, current, previous }: StoreEvent): Operation[] {
  const after = type === "put" ? (current as StoredValue) : undefined;
  const before = previous as StoredValue | undefined;
  const operations: Operation[] = [
    after ? { type: "put", key: dataKey(key), value: encodeState(after) } : { type: "del", key: dataKey(key) },
    { type: "put", key: logKey(revision), value: encodeLog({ type, key, previous: before }) },
    { type: "put", key: historyKey(key, revision), value: Buffer.alloc(0) },
  ];
  if (before?.expiresAtMs) operations.push({ type: "del", key: leaseKey(before.expiresAtMs, key) });
  if (after?.expiresAtMs) {
    operations.push({ type: "put", key: leaseKey(after.expiresAtMs, key), value: Buffer.alloc(0) });
  }
  return operations;
}

export function createCommitter({
  database,
  revision: startRevision,
  publish,
  logger,
}: {
  database: Database;
  revision: number;
  publish(events: readonly StoreEvent[]): void;
  logger: Logger;
}): Committer {
  let revision = startRevision;
  let queue: Waiting[] = [];
  let running: Promise<void> | undefined;
  let fault: string | undefined;
  let closed = false;

  function refusal(): StoreError {
    return unavailable(fault ? `the store refuses writes: ${fault}` : "the store is closed");
  }

  function fail(error: unknown): StoreError {
    if (fault === undefined) {
      fault = reasonOf(error);
      logger.error("The store cannot write any more; reads go on", { err: error });
    }
    return refusal();
  }

  function take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { write } of queue) {
      if (count > 0 && (count === MAX_BATCH_WRITES || bytes > MAX_BATCH_BYTES)) break;
      bytes += "value" in write ? write.value.length : 0;
      count++;
    }
    const taken = queue.slice(0, count);
    queue = queue.slice(count);
    return taken;
  }

  async function commitBatch(batch: readonly Waiting[]): Promise<void> {
    const pending = new Map<string, StoredValue | undefined>();
    const accepted: { waiting: Waiting; event: StoreEvent }[] = [];
    const operations: Operation[] = [];
    let next = revision;
    for (const waiting of batch) {
      const { key } = waiting.write;
      let found = pending.get(key);
      if (!pending.has(key)) {
        const bytes = database.getSync(dataKey(key));
        found = bytes && decodeState(key, bytes);
      }
      const outcome = decide(waiting.write, found, next + 1);
      if (outcome instanceof Error) {
        waiting.reject(outcome);
        continue;
      }
      next++;
      pending.set(key, outcome.type === "put" ? (outcome.current as StoredValue) : undefined);
      operations.push(...operationsOf(outcome));
      accepted.push({ waiting, event: outcome });
    }
    if (accepted.length === 0) return;
    operations.push({ type: "put", key: META_REVISION, value: encodeNumber(next) });
    try {
      await database.batch(operations, { sync: true });
    } catch (error) {
      const refused = fail(error);
      for (const { waiting } of accepted) waiting.reject(refused);
      return;
    }
    revision = next;
    publish(accepted.map(({ event }) => event));
    for (const { waiting, event } of accepted) waiting.resolve(event);
  }

  async function run(): Promise<void> {
    while (queue.length > 0) {
      // One turn of the event loop lets every writer that is ready join the batch.
      await new Promise((resolve) => setImmediate(resolve));
      const batch = take();
      try {
        if (fault !== undefined) throw refusal();
        await commitBatch(batch);
      } catch (error) {
        for (const waiting of batch) waiting.reject(error as Error);
      }
    }
    running = undefined;
  }

  return {
    commit(write) {
      if (closed || fault !== undefined) return Promise.reject(refusal());
      return new Promise((resolve, reject) => {
        queue.push({ write, resolve, reject });
        running ??= run();
      });
    },
    fault: () => fault,
    fail,
    async close() {
      closed = true;
      await running;
    },
  };
}
