// Opens LevelDB and says in one line why it cannot. The only file that names the LevelDB package.

import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { ClassicLevel } from "classic-level";
import { Level } from "level";
import { unavailable } from "../errors.js";
import { decodeNumber, META_COMPACT, META_REVISION } from "./records.js";

export type Database = ClassicLevel<string, Buffer>;
/** A picture of the database at one instant; close it soon. */
export type DatabaseSnapshot = ReturnType<Database["snapshot"]>;
/** One operation of an atomic batch. */
export type Operation = { type: "put"; key: string; value: Buffer } | { type: "del"; key: string };

/** As in etcd, an empty store stands at revision 1, because 0 means "any" to the API's clients. */
export const FIRST_REVISION = 1;
/** Bytes that one read of an iterator may gather. */
export const READ_AHEAD_BYTES = 1024 * 1024;

const REASONS: Record<string, string> = {
  LEVEL_LOCKED: "another process is using it",
  LEVEL_CORRUPTION: "its files are damaged; restore a snapshot or remove the directory",
};

/** The innermost message of an error, on one line. */
export function reasonOf(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  const code = (inner as { code?: string }).code ?? "";
  const message = inner instanceof Error ? inner.message : String(inner);
  return REASONS[code] ?? message.replaceAll("\n", " ");
}

// Node.js's recursive mkdir says ENOENT of a read-only disk; made one by one, each fault keeps its own name.
async function makeDirectory(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && (await stat(path)).isDirectory()) return;
    if (code === "EEXIST") throw new Error("it is not a directory");
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    await makeDirectory(dirname(path), 0o755);
    await mkdir(path, { mode });
  }
}

/** Opens or creates the database; throws Unavailable with one clear line. */
export async function openDatabase(directory: string): Promise<Database> {
  // Before the Level is made, because it begins to open by itself.
  try {
    await makeDirectory(directory, 0o700);
  } catch (error) {
    throw unavailable(`cannot open the store in ${directory}: ${reasonOf(error)}`, error);
  }
  // On Node.js a Level is a ClassicLevel; its own types leave out what browsers lack.
  const database = new Level<string, Buffer>(directory, {
    keyEncoding: "utf8",
    valueEncoding: "buffer",
    cacheSize: 16 * 1024 * 1024,
    writeBufferSize: 8 * 1024 * 1024,
  }) as unknown as Database;
  try {
    await database.open();
  } catch (error) {
    throw unavailable(`cannot open the store in ${directory}: ${reasonOf(error)}`, error);
  }
  return database;
}

/** The newest and the compacted revision, as the snapshot (or the present) has them. */
export function readRevisions(database: Database, snapshot?: DatabaseSnapshot) {
  const options = snapshot ? { snapshot } : {};
  return {
    revision: decodeNumber(database.getSync(META_REVISION, options)) ?? FIRST_REVISION,
    compactRevision: decodeNumber(database.getSync(META_COMPACT, options)) ?? 0,
  };
}
