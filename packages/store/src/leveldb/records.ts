// How keys and values lie in LevelDB. Pure: encodes and decodes, never reads or writes.
//
//   data/<key>                   the present state: create, mod revision, version, expiry, bytes
//   log/<revision>               one event: its type, its key and the state it replaced
//   history/<key>\0<revision>    empty: finds the events of one key in order
//   lease/<expiry>/<key>         empty: finds what expires next
//   meta/revision, meta/compact  the newest revision and the compacted one
//
// An event keeps what it replaced; what it put stands in data/, or in the key's next event as what that replaced.
// So bytes are stored once while they are current, and all lookups into the past go forward, never below compaction.

import type { KeyValue } from "../store.js";

/** A KeyValue with what only the driver needs. */
export interface StoredValue extends KeyValue {
  /** Milliseconds since the epoch; 0 when the key does not expire. */
  readonly expiresAtMs: number;
}

/** One entry of the log. */
export interface LogRecord {
  readonly type: "put" | "delete";
  readonly key: string;
  readonly previous: StoredValue | undefined;
}

export const META_REVISION = "meta/revision";
export const META_COMPACT = "meta/compact";
/** Sorts after every character that a key may hold. */
const LAST = "\u{10ffff}";
const NUMBER_BYTES = 6;
const STATE_HEADER_BYTES = 4 * NUMBER_BYTES;
const LOG_HEADER_BYTES = 6;

/** Fixed-width hexadecimal, so that byte order is numeric order. */
export function sortable(number: number): string {
  return number.toString(16).padStart(12, "0");
}

export const dataKey = (key: string): string => `data/${key}`;
export const keyOfData = (stored: string): string => stored.slice("data/".length);
export const logKey = (revision: number): string => `log/${sortable(revision)}`;
export const revisionOfLog = (stored: string): number => Number.parseInt(stored.slice("log/".length), 16);
export const historyKey = (key: string, revision: number): string => `history/${key}\0${sortable(revision)}`;
export const leaseKey = (expiresAtMs: number, key: string): string => `lease/${sortable(expiresAtMs)}/${key}`;

/** Where all that begins with a prefix lies in one of the areas; from starts within it. */
export function rangeOf(area: "data" | "history" | "lease" | "log", prefix = "", from = prefix) {
  return { gte: `${area}/${from}`, lt: `${area}/${prefix}${LAST}` };
}

/** The key and revision of a history entry. */
export function parseHistoryKey(stored: string): { key: string; revision: number } {
  const separator = stored.lastIndexOf("\0");
  return {
    key: stored.slice("history/".length, separator),
    revision: Number.parseInt(stored.slice(separator + 1), 16),
  };
}

/** The expiry and key of a lease entry. */
export function parseLeaseKey(stored: string): { expiresAtMs: number; key: string } {
  const start = "lease/".length;
  return { expiresAtMs: Number.parseInt(stored.slice(start, start + 12), 16), key: stored.slice(start + 13) };
}

export function encodeNumber(number: number): Buffer {
  const bytes = Buffer.allocUnsafe(NUMBER_BYTES);
  bytes.writeUIntBE(number, 0, NUMBER_BYTES);
  return bytes;
}

export function decodeNumber(bytes: Buffer | undefined): number | undefined {
  return bytes?.readUIntBE(0, NUMBER_BYTES);
}

function writeState(target: Buffer, offset: number, state: StoredValue): void {
  target.writeUIntBE(state.createRevision, offset, NUMBER_BYTES);
  target.writeUIntBE(state.modRevision, offset + 6, NUMBER_BYTES);
  target.writeUIntBE(state.version, offset + 12, NUMBER_BYTES);
  target.writeUIntBE(state.expiresAtMs, offset + 18, NUMBER_BYTES);
  state.value.copy(target, offset + STATE_HEADER_BYTES);
}

export function encodeState(state: StoredValue): Buffer {
  const bytes = Buffer.allocUnsafe(STATE_HEADER_BYTES + state.value.length);
  writeState(bytes, 0, state);
  return bytes;
}

export function decodeState(key: string, bytes: Buffer): StoredValue {
  return {
    key,
    value: bytes.subarray(STATE_HEADER_BYTES),
    createRevision: bytes.readUIntBE(0, NUMBER_BYTES),
    modRevision: bytes.readUIntBE(6, NUMBER_BYTES),
    version: bytes.readUIntBE(12, NUMBER_BYTES),
    expiresAtMs: bytes.readUIntBE(18, NUMBER_BYTES),
  };
}

export function encodeLog({ type, key, previous }: LogRecord): Buffer {
  const keyBytes = Buffer.byteLength(key);
  const stateBytes = previous ? STATE_HEADER_BYTES + previous.value.length : 0;
  const bytes = Buffer.allocUnsafe(LOG_HEADER_BYTES + keyBytes + stateBytes);
  bytes.writeUInt8(type === "put" ? 1 : 2, 0);
  bytes.writeUInt8(previous ? 1 : 0, 1);
  bytes.writeUInt32BE(keyBytes, 2);
  bytes.write(key, LOG_HEADER_BYTES);
  if (previous) writeState(bytes, LOG_HEADER_BYTES + keyBytes, previous);
  return bytes;
}

export function decodeLog(bytes: Buffer): LogRecord {
  const stateAt = LOG_HEADER_BYTES + bytes.readUInt32BE(2);
  const key = bytes.toString("utf8", LOG_HEADER_BYTES, stateAt);
  return {
    type: bytes.readUInt8(0) === 1 ? "put" : "delete",
    key,
    previous: bytes.readUInt8(1) === 1 ? decodeState(key, bytes.subarray(stateAt)) : undefined,
  };
}
