// Reads the engine's json-file log of one container from where it stopped, over the engine's own rotation (<path>.1 is the
// newest rotated file). Holds no file open between reads: an idle container costs nothing. Never writes.

import { type FileHandle, open, stat } from "node:fs/promises";

export interface EngineLogReader {
  /** Complete lines that are new since the last call, at most about a megabyte; empty when there are none. */
  read(): Promise<string[]>;
}

const chunkBytes = 1024 * 1024;
const newline = 0x0a;

interface LogFile {
  readonly path: string;
  readonly inode: number;
  readonly sizeBytes: number;
}

/** The files of the log, the oldest first. */
async function filesOf(path: string): Promise<LogFile[]> {
  const found: LogFile[] = [];
  for (let number = 0; ; number++) {
    const file = number === 0 ? path : `${path}.${number}`;
    const info = await stat(file).catch(() => undefined);
    if (!info) {
      // In the middle of a rotation there is no file without a number.
      if (number === 0) continue;
      return found.reverse();
    }
    found.push({ path: file, inode: info.ino, sizeBytes: info.size });
  }
}

async function readAt(file: FileHandle, offset: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(chunkBytes);
  const { bytesRead } = await file.read(buffer, 0, chunkBytes, offset);
  return buffer.subarray(0, bytesRead);
}

/** Begins with the oldest file that is still there. */
export function createEngineLogReader(path: string): EngineLogReader {
  let inode: number | undefined;
  let offset = 0;
  /** The beginning of a line whose end is in the next chunk. */
  let rest: Buffer = Buffer.alloc(0);

  /** What comes next of this file; undefined when the name leads to another file by now. */
  async function next(file: LogFile): Promise<Buffer | undefined> {
    const handle = await open(file.path, "r").catch(() => undefined);
    if (!handle) return undefined;
    try {
      return (await handle.stat()).ino === file.inode ? await readAt(handle, offset) : undefined;
    } finally {
      await handle.close();
    }
  }

  return {
    async read() {
      const files = await filesOf(path);
      // A file that is shorter than what was read of it is another, with the inode of one that was removed.
      const place = files.findIndex((file) => file.inode === inode && file.sizeBytes >= offset);
      if (place < 0) inode = undefined;
      // Rotated away while nobody looked: go on with the oldest.
      const from = files.slice(Math.max(0, place));
      for (const file of from) {
        if (file.inode !== inode) {
          inode = file.inode;
          offset = 0;
          rest = Buffer.alloc(0);
        }
        if (offset >= file.sizeBytes) continue;
        const chunk = await next(file);
        if (chunk === undefined) return [];
        offset += chunk.length;
        const bytes = Buffer.concat([rest, chunk]);
        const end = bytes.lastIndexOf(newline) + 1;
        rest = Buffer.from(bytes.subarray(end));
        if (end > 0) return bytes.toString("utf8", 0, end - 1).split("\n");
      }
      return [];
    },
  };
}
