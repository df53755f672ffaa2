// Copies the whole store, history included, into a stream of chunks and back into an empty directory.
// Format: a magic line; per entry two lengths (32 bits), key and value; a zero length; the SHA-256 of all before it.

import { createHash } from "node:crypto";
import { unavailable } from "../errors.js";
import { type Database, type Operation, openDatabase, READ_AHEAD_BYTES } from "./database.js";

const MAGIC = Buffer.from("picokube-store-snapshot 1\n");
const HASH_BYTES = 32;

function encodeEntries(entries: readonly (readonly [string, Buffer])[]): Buffer {
  return Buffer.concat(
    entries.flatMap(([key, value]) => {
      const keyBytes = Buffer.from(key);
      const lengths = Buffer.allocUnsafe(8);
      lengths.writeUInt32BE(keyBytes.length, 0);
      lengths.writeUInt32BE(value.length, 4);
      return [lengths, keyBytes, value];
    }),
  );
}

/** Store.snapshot. */
export async function* snapshotOf(database: Database): AsyncGenerator<Buffer, void, undefined> {
  const hash = createHash("sha256");
  const hashed = (chunk: Buffer) => {
    hash.update(chunk);
    return chunk;
  };
  const snapshot = database.snapshot();
  const iterator = database.iterator({ snapshot, highWaterMarkBytes: READ_AHEAD_BYTES });
  try {
    yield hashed(MAGIC);
    for (;;) {
      const entries = await iterator.nextv(1000);
      if (entries.length === 0) break;
      yield hashed(encodeEntries(entries));
    }
    yield hashed(Buffer.alloc(4));
    yield hash.digest();
  } finally {
    await iterator.close();
    await snapshot.close();
  }
}

/** Takes bytes from chunks in pieces of a wished size. */
async function* exactly(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, number> {
  let held: Buffer = Buffer.alloc(0);
  let wanted = yield held;
  const source = chunks[Symbol.asyncIterator]();
  for (;;) {
    while (held.length < wanted) {
      const next = await source.next();
      if (next.done) throw unavailable("the snapshot ends too early");
      held = Buffer.concat([held, next.value]);
    }
    const piece = held.subarray(0, wanted);
    held = held.subarray(wanted);
    wanted = yield piece;
  }
}

/** Writes a snapshot into a directory that holds no store yet; throws Unavailable when the snapshot is damaged. */
export async function restoreLevelDb({
  directory,
  chunks,
}: {
  directory: string;
  chunks: AsyncIterable<Buffer>;
}): Promise<void> {
  const database = await openDatabase(directory);
  const occupied = (await database.keys({ limit: 1 }).all()).length > 0;
  try {
    if (occupied) {
      throw unavailable(`cannot restore into ${directory}: it already holds a store`);
    }
    const hash = createHash("sha256");
    const reader = exactly(chunks);
    await reader.next(0);
    const take = async (size: number): Promise<Buffer> => (await reader.next(size)).value as Buffer;
    const takeHashed = async (size: number): Promise<Buffer> => {
      const piece = await take(size);
      hash.update(piece);
      return piece;
    };
    if (!(await takeHashed(MAGIC.length)).equals(MAGIC)) throw unavailable("this is not a snapshot of a store");
    let operations: Operation[] = [];
    for (;;) {
      const keyLength = (await takeHashed(4)).readUInt32BE(0);
      if (keyLength === 0) break;
      const valueLength = (await takeHashed(4)).readUInt32BE(0);
      const key = (await takeHashed(keyLength)).toString();
      operations.push({ type: "put", key, value: Buffer.from(await takeHashed(valueLength)) });
      if (operations.length === 1000) {
        await database.batch(operations);
        operations = [];
      }
    }
    if (!(await take(HASH_BYTES)).equals(hash.digest())) throw unavailable("the snapshot is damaged: its hash differs");
    await database.batch(operations, { sync: true });
  } catch (error) {
    // Half a restore must never be taken for a store.
    if (!occupied) await database.clear();
    throw error;
  } finally {
    await database.close();
  }
}
