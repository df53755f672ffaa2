// A container's log file with upstream's rotation: <n>.log.<time> beside it, all but the newest of them compressed.
// Mirrors upstream's container_log_manager.go; the rotation follows the writing instead of a period.

import {
  appendFile,
  chmod,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Clock } from "@picokube/component-base/clock";

export interface RotationPolicy {
  /** A negative number: the file is never rotated. */
  readonly maxSizeBytes: number;
  /** With the one that is written to. */
  readonly maxFiles: number;
}

export interface RotatingFile {
  append(text: string): Promise<void>;
  /** The last whole line that was ever written; half a line of a kubelet that was killed is cut off. */
  resume(): Promise<string | undefined>;
  /** Removes the file and its rotated ones. */
  remove(): Promise<void>;
}

const compress = promisify(gzip);
const logMode = 0o640;

/** Go's layout 20060102-150405, in local time as upstream's. */
export function rotationSuffix(nowMs: number): string {
  const date = new Date(nowMs);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}

/** What a rotation does to the rotated files that are there: names without the folder, in any order. Pure. */
export function planRotation(rotated: readonly string[], maxFiles: number): { remove: string[]; compress: string[] } {
  const inUse = rotated.filter((name) => !name.endsWith(".tmp") && !rotated.includes(`${name}.gz`)).sort();
  // Beside them there will be the one that is rotated now and the new one.
  const kept = inUse.slice(Math.max(0, inUse.length - Math.max(0, maxFiles - 2)));
  return {
    remove: rotated.filter((name) => !kept.includes(name)),
    compress: kept.filter((name) => !name.endsWith(".gz")),
  };
}

/** Makes nothing until the first append. */
export function createRotatingFile(path: string, { policy, clock }: { policy: RotationPolicy; clock: Clock }) {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  const rotatedFiles = async () =>
    (await readdir(folder).catch(() => [])).filter((name) => name.startsWith(prefix)).sort();
  let sizeBytes: number | undefined;

  async function rotate(): Promise<void> {
    const name = `${prefix}${rotationSuffix(clock.now())}`;
    const present = await rotatedFiles();
    // One rotation a second: until then the file grows.
    if (present.some((other) => other.startsWith(name))) return;
    const plan = planRotation(present, policy.maxFiles);
    for (const old of plan.remove) await rm(join(folder, old), { force: true });
    for (const old of plan.compress) {
      const temporary = join(folder, `${old}.tmp`);
      await writeFile(temporary, await compress(await readFile(join(folder, old))), { mode: logMode });
      await rename(temporary, join(folder, `${old}.gz`));
      await rm(join(folder, old), { force: true });
    }
    await rename(path, join(folder, name));
    // Whoever follows the name must find it, whether or not the container says more.
    await (await open(path, "a", logMode)).close();
    sizeBytes = 0;
  }

  const file: RotatingFile = {
    async append(text) {
      if (sizeBytes === undefined) {
        await mkdir(folder, { recursive: true, mode: 0o755 });
        sizeBytes = (await stat(path).catch(() => undefined))?.size ?? 0;
      }
      await appendFile(path, text, { mode: logMode });
      if (sizeBytes === 0) await chmod(path, logMode);
      sizeBytes += Buffer.byteLength(text);
      if (policy.maxSizeBytes >= 0 && sizeBytes >= policy.maxSizeBytes) await rotate();
    },
    async resume() {
      const newest = (await rotatedFiles()).filter((name) => !/\.(gz|tmp)$/.test(name)).at(-1);
      for (const candidate of [path, ...(newest === undefined ? [] : [join(folder, newest)])]) {
        const bytes = await readFile(candidate).catch(() => Buffer.alloc(0));
        const end = bytes.lastIndexOf("\n") + 1;
        if (end < bytes.length) await truncate(candidate, end);
        if (end > 0) return bytes.toString("utf8", bytes.lastIndexOf("\n", end - 2) + 1, end - 1);
      }
      return undefined;
    },
    async remove() {
      for (const name of await rotatedFiles()) await rm(join(folder, name), { force: true });
      await rm(path, { force: true });
    },
  };
  return file;
}
