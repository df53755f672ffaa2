// Sends long answers a slice at a time, so that no client makes the event loop stand still, or memory grow because it
// reads slowly. Knows bytes alone.

import type { ServerResponse } from "node:http";

/** Copied and encrypted in well under a millisecond, read while the next is; larger buffers' pages would go back to the kernel each time. */
const SLICE_BYTES = 128 * 1024;
/** Lengths added up between two turns of the event loop. */
const PARTS_PER_TURN = 2000;
const COMMA = ",".charCodeAt(0);
const TAIL = Buffer.from("]}\n");

/** Lets everybody else have the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

interface Joined<Item> {
  readonly items: readonly Item[];
  bytesOf(item: Item): Buffer;
  /** The answer says how long it is, for which all bytes are asked for beforehand; else each is asked for once. */
  readonly hasLength: boolean;
}

/** Sends a document of a head that ends within an array, its items with commas between them, and its end. */
export async function sendJoined<Item>(response: ServerResponse, head: string, joined: Joined<Item>): Promise<void> {
  const { items, bytesOf } = joined;
  const first = Buffer.from(head);
  const length = joined.hasLength ? first.length + (await joinedLength(joined)) + TAIL.length : undefined;
  response.writeHead(200, {
    "Content-Type": "application/json",
    "Cache-Control": "no-cache, private",
    ...(length === undefined ? {} : { "Content-Length": length }),
  });
  // One buffer for all slices: each has left before the next is gathered.
  const slice = Buffer.allocUnsafeSlow(Math.min(length ?? SLICE_BYTES, SLICE_BYTES));
  let used = first.copy(slice);
  let rest: Buffer = first.subarray(used);
  const flush = async (): Promise<boolean> => {
    const isSent = await writeSlice(response, slice.subarray(0, used));
    used = 0;
    return isSent;
  };
  const add = async (bytes: Buffer): Promise<boolean> => {
    rest = bytes;
    while (rest.length > 0) {
      if (used === slice.length && !(await flush())) return false;
      const copied = rest.copy(slice, used);
      used += copied;
      rest = rest.subarray(copied);
    }
    return true;
  };
  if (!(await add(rest))) return;
  for (let index = 0; index < items.length; index++) {
    const bytes = bytesOf(items[index]!);
    if (used + 1 + bytes.length > slice.length) {
      if (index > 0 && !(await add(Buffer.of(COMMA)))) return;
      if (!(await add(bytes))) return;
      continue;
    }
    if (index > 0) slice[used++] = COMMA;
    used += bytes.copy(slice, used);
  }
  if (used + TAIL.length > slice.length && !(await flush())) return;
  used += TAIL.copy(slice, used);
  response.end(slice.subarray(0, used));
}

async function joinedLength<Item>({ items, bytesOf }: Joined<Item>): Promise<number> {
  let length = Math.max(items.length - 1, 0);
  for (let index = 0; index < items.length; index++) {
    length += bytesOf(items[index]!).length;
    if (index % PARTS_PER_TURN === PARTS_PER_TURN - 1) await nextTurn();
  }
  return length;
}

/** Writes and waits until the bytes have left, so that they may be changed; false when the client has gone. */
export function writeSlice(response: ServerResponse, bytes: Buffer): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const gone = () => resolve(false);
    response.once("close", gone);
    response.write(bytes, (error) => {
      response.off("close", gone);
      resolve(!error && !response.destroyed);
    });
  });
}
