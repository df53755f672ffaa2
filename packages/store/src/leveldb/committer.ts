// Group commit: the one place where revisions are given. A write is decided when it comes, against the state it will
// find, and joins the batch that is being gathered; while one batch is synced the next is gathered. What a batch holds
// is published and acknowledged in order, and only when it is on disk.
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

/** One synced write to the disk. */
export interface CommitStats {
  readonly writes: number;
  readonly durationMs: number;
}

/** Some writes that reach the disk together. */
interface Batch {
  readonly operations: Operation[];
  readonly events: StoreEvent[];
  /** Who waits for it, in order: the refused too when it was this batch that stood in their way. */
  readonly waiting: { settle(): void; reject(error: Error): void }[];
  bytes: number;
}

const MAX_BATCH_WRITES = 1000;
const MAX_BATCH_BYTES = 8 * 1024 * 1024;

function emptyBatch(): Batch {
  return { operations: [], events: [], waiting: [], bytes: 0 };
}

const isFull = ({ events, bytes }: Batch): boolean => events.length >= MAX_BATCH_WRITES || bytes > MAX_BATCH_BYTES;

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
  observe = () => {},
  logger,
}: {
  database: Database;
  revision: number;
  publish(events: readonly StoreEvent[]): void;
  /** Told of each batch that reached the disk. */
  observe?: ((stats: CommitStats) => void) | undefined;
  logger: Logger;
}): Committer {
  /** The newest that has been given, on disk or not. */
  let revision = startRevision;
  /** In order; all but the last are full. The one that is being synced is no longer among them. */
  const gathered: Batch[] = [];
  /** What keys will be once the last batch that changes them is on disk; no state: deleted. */
  const pending = new Map<string, { state: StoredValue | undefined; batch: Batch }>();
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

  function stored(key: string): StoredValue | undefined {
    const bytes = database.getSync(dataKey(key));
    return bytes && decodeState(key, bytes);
  }

  function batchToJoin(): Batch {
    const last = gathered.at(-1);
    if (last && !isFull(last)) return last;
    const batch = emptyBatch();
    gathered.push(batch);
    return batch;
  }

  function join(write: Write, { resolve, reject }: { resolve(event: StoreEvent): void; reject(error: Error): void }) {
    const earlier = pending.get(write.key);
    const outcome = decide(write, earlier ? earlier.state : stored(write.key), revision + 1);
    if (outcome instanceof Error) {
      // What is not on disk yet may still fail: nobody is told of it before.
      if (earlier) earlier.batch.waiting.push({ settle: () => reject(outcome), reject });
      else reject(outcome);
      return;
    }
    revision++;
    const batch = batchToJoin();
    batch.operations.push(...operationsOf(outcome));
    batch.events.push(outcome);
    pending.set(write.key, { batch, state: outcome.type === "put" ? (outcome.current as StoredValue) : undefined });
    batch.waiting.push({ settle: () => resolve(outcome), reject });
    batch.bytes += outcome.current.value.length;
    running ??= run();
  }

  async function sync(batch: Batch): Promise<void> {
    const { operations, events, waiting } = batch;
    operations.push({ type: "put", key: META_REVISION, value: encodeNumber(events.at(-1)!.revision) });
    try {
      if (fault !== undefined) throw refusal();
      const startedMs = performance.now();
      await database.batch(operations, { sync: true });
      observe({ writes: events.length, durationMs: performance.now() - startedMs });
    } catch (error) {
      const refused = fail(error);
      for (const { reject } of waiting) reject(refused);
      return;
    }
    for (const { key } of events) if (pending.get(key)?.batch === batch) pending.delete(key);
    publish(events);
    for (const { settle } of waiting) settle();
  }

  async function run(): Promise<void> {
    // One turn of the event loop lets every writer that is ready join the first batch.
    await new Promise((resolve) => setImmediate(resolve));
    for (let batch = gathered.shift(); batch !== undefined; batch = gathered.shift()) await sync(batch);
    running = undefined;
  }

  return {
    commit(write) {
      if (closed || fault !== undefined) return Promise.reject(refusal());
      return new Promise((resolve, reject) => join(write, { resolve, reject }));
    },
    fault: () => fault,
    fail,
    async close() {
      closed = true;
      await running;
    },
  };
}
