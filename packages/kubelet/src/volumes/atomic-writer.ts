// Writes a set of files so that readers see all of the old or all of the new: a directory per version, the symlink
// ..data swapped by rename, a symlink per top-level name. Upstream's volume/util/atomic_writer.go.

import { randomBytes } from "node:crypto";
import { chmod, lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, normalize } from "node:path";

export interface PayloadFile {
  readonly data: Buffer;
  /** Permission bits, such as 0o644. */
  readonly mode: number;
}

/** By path relative to the volume. */
export type Payload = ReadonlyMap<string, PayloadFile>;

const dataLink = "..data";
const newDataLink = "..data_tmp";
const maxPathBytes = 4096;

/** Throws for a path that would leave the volume or hide among the writer's own names. */
export function validatePayloadPath(path: string): string {
  if (path === "") throw new Error(`invalid path: must not be empty: "${path}"`);
  if (isAbsolute(path)) throw new Error(`invalid path: must be relative path: ${path}`);
  if (Buffer.byteLength(path) > maxPathBytes) {
    throw new Error(`invalid path: must be less than or equal to ${maxPathBytes} characters`);
  }
  if (path.split("/").includes("..")) throw new Error(`invalid path: must not contain '..': ${path}`);
  if (path.startsWith("..")) throw new Error(`invalid path: must not start with '..': ${path}`);
  return normalize(path);
}

const topLevel = (path: string): string => path.split("/")[0]!;

async function isUpToDate(current: string, files: Map<string, PayloadFile>): Promise<boolean> {
  const present = await readdir(current, { recursive: true, withFileTypes: true });
  if (present.filter((entry) => !entry.isDirectory()).length !== files.size) return false;
  for (const [path, { data }] of files) {
    const found = await readFile(join(current, path)).catch(() => undefined);
    if (!found?.equals(data)) return false;
  }
  return true;
}

function versionName(): string {
  const stamp = new Date().toISOString().replace(/[-T:]/g, "_").replace("Z", "");
  return `..${stamp}${randomBytes(4).toString("hex")}`;
}

/**
 * Makes the directory hold exactly the payload. Returns false when it did already. finish is called with the new
 * version's directory before it becomes visible: owners and groups are set there.
 */
export async function writeAtomically(
  directory: string,
  payload: Payload,
  finish?: (versionDirectory: string) => Promise<void>,
): Promise<boolean> {
  const files = new Map([...payload].map(([path, file]) => [validatePayloadPath(path), file]));
  const old = await readlink(join(directory, dataLink)).catch(() => undefined);
  if (old !== undefined && (await isUpToDate(join(directory, old), files).catch(() => false))) {
    await linkVisibleNames(directory, files);
    return false;
  }
  const version = versionName();
  const versionDirectory = join(directory, version);
  await mkdir(versionDirectory);
  await chmod(versionDirectory, 0o755);
  for (const [path, { data, mode }] of files) {
    const target = join(versionDirectory, path);
    if (path.includes("/")) await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await writeFile(target, data, { mode });
    // The process' umask has been at work.
    await chmod(target, mode);
  }
  await finish?.(versionDirectory);
  await rm(join(directory, newDataLink), { force: true });
  await symlink(version, join(directory, newDataLink));
  await rename(join(directory, newDataLink), join(directory, dataLink));
  await linkVisibleNames(directory, files);
  await removeStale(directory, { version, files });
  return true;
}

async function linkVisibleNames(directory: string, files: Map<string, PayloadFile>): Promise<void> {
  for (const name of new Set([...files.keys()].map(topLevel))) {
    const link = join(directory, name);
    if (await lstat(link).catch(() => undefined)) continue;
    await symlink(join(dataLink, name), link);
  }
}

async function removeStale(
  directory: string,
  { version, files }: { version: string; files: Map<string, PayloadFile> },
): Promise<void> {
  const wanted = new Set([dataLink, version, ...[...files.keys()].map(topLevel)]);
  for (const name of await readdir(directory)) {
    if (!wanted.has(name)) await rm(join(directory, name), { recursive: true, force: true });
  }
}
