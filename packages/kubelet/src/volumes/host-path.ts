// hostPath volumes: a path of the node, checked or made as its type asks; never removed.

import type { Stats } from "node:fs";
import { mkdir, open, stat } from "node:fs/promises";
import type { VolumePlugin } from "./volume-plugin.js";

interface Check {
  readonly is: (info: Stats) => boolean;
  readonly words: string;
  readonly create?: (path: string) => Promise<unknown>;
}

const directory = { is: (info: Stats) => info.isDirectory(), words: "a directory" };
const file = { is: (info: Stats) => info.isFile(), words: "a file" };

const checks: Readonly<Record<string, Check>> = {
  Directory: directory,
  DirectoryOrCreate: { ...directory, create: (path) => mkdir(path, { recursive: true, mode: 0o755 }) },
  File: file,
  FileOrCreate: { ...file, create: async (path) => (await open(path, "a", 0o644)).close() },
  Socket: { is: (info) => info.isSocket(), words: "a socket file" },
  CharDevice: { is: (info) => info.isCharacterDevice(), words: "a character device" },
  BlockDevice: { is: (info) => info.isBlockDevice(), words: "a block device" },
};

/** Throws upstream's words when the path is not what the type says; makes it where the type says so. */
export async function checkHostPath(path: string, type: string): Promise<void> {
  let info = await stat(path).catch(() => undefined);
  if (type === "") {
    // Upstream's container runtimes make a missing directory when they mount it.
    if (!info) await mkdir(path, { recursive: true, mode: 0o755 });
    return;
  }
  const check = checks[type];
  if (!check) throw new Error(`${type} is an invalid volume type`);
  if (!info && check.create) {
    await check.create(path);
    info = await stat(path);
  }
  if (!info || !check.is(info)) throw new Error(`hostPath type check failed: ${path} is not ${check.words}`);
}

export const hostPathPlugin: VolumePlugin = {
  field: "hostPath",
  refreshes: false,
  async setUp({ volume }) {
    const { path, type = "" } = volume.hostPath!;
    if (path.split("/").includes(".."))
      throw new Error(`failed to validate volume path ${path}: must not contain '..'`);
    await checkHostPath(path, type);
    return path;
  },
};
