// mount(8) and umount(8), and what is mounted where. The one place of this folder that spawns anything.

import { spawn } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";

class CommandError extends Error {
  constructor(
    message: string,
    readonly code: number | null,
    readonly output: string,
  ) {
    super(message);
  }
}

function run(command: string, args: readonly string[], signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], ...(signal ? { signal } : {}) });
    let words = "";
    child.stderr.on("data", (part: Buffer) => {
      words += part.toString();
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) return resolve();
      const message = `${command} ${args.join(" ")}: exit status ${code}: ${words.trim()}`;
      reject(new CommandError(message, code, words));
    });
  });
}

/** Mounts a tmpfs; sizeBytes undefined leaves the kernel's half of memory. */
export async function mountTmpfs(
  path: string,
  { sizeBytes, mode }: { sizeBytes?: number; mode: number },
): Promise<void> {
  const options = [`mode=${mode.toString(8)}`, ...(sizeBytes ? [`size=${sizeBytes}`] : [])];
  await run("mount", ["-t", "tmpfs", "-o", options.join(","), "tmpfs", path]);
}

/** Mounts a file system of a type that mount(8) knows; a failure is told in upstream's words (mount_linux.go). */
export async function mountFileSystem({
  type,
  source,
  target,
  options,
  signal,
}: {
  type: string;
  source: string;
  target: string;
  options: readonly string[];
  signal: AbortSignal;
}): Promise<void> {
  const args = ["-t", type, ...(options.length > 0 ? ["-o", options.join(",")] : []), source, target];
  try {
    await run("mount", args, signal);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const { code, output } = error;
    throw new Error(
      `mount failed: exit status ${code}\nMounting command: mount\nMounting arguments: ${args.join(" ")}\nOutput: ${output}`,
      { cause: error },
    );
  }
}

/** Binds source over target, taking source as it is written: it may be a /proc/<pid>/fd/<n>. */
export async function mountBind(source: string, target: string): Promise<void> {
  await run("mount", ["--no-canonicalize", "-o", "bind", source, target]);
}

/** Unmounts; lazily when something still holds it. */
export async function unmount(path: string): Promise<void> {
  try {
    await run("umount", ["--no-canonicalize", path]);
  } catch {
    await run("umount", ["--no-canonicalize", "--lazy", path]);
  }
}

/** Whether the directory is the root of another file system than its parent's; binds of one file system do not show. */
export async function isOtherFileSystem(path: string): Promise<boolean> {
  try {
    const [own, parent] = await Promise.all([stat(path), stat(dirname(path))]);
    return own.dev !== parent.dev;
  } catch {
    return false;
  }
}

/** Mount points in a mountinfo text at or below a path, deepest first. */
export function mountsBelow(mountInfo: string, path: string): string[] {
  const points: string[] = [];
  for (const line of mountInfo.split("\n")) {
    const point = line
      .split(" ")[4]
      ?.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    if (point === path || point?.startsWith(`${path}/`)) points.push(point);
  }
  return points.reverse();
}

/** What is mounted at or below a path now, deepest first. */
export async function mountedBelow(path: string): Promise<string[]> {
  return mountsBelow(await readFile("/proc/self/mountinfo", "utf8"), path);
}
