// Docker's multiplexed stream: frames of [stream, 0, 0, 0, size as u32 big-endian] and bytes. Takes one apart without
// losing back-pressure; a frame's bytes are handed on in the order they came.

import { Readable } from "node:stream";

const headerBytes = 8;
const stderrStream = 2;

/** Splits source into stdout and stderr. Both end, or fail, with it; destroying stdout destroys it. */
export function demux(source: Readable): { stdout: Readable; stderr: Readable } {
  const stdout = new Readable({ read: resume, destroy: close });
  const stderr = new Readable({ read: resume });
  let header = Buffer.alloc(0);
  let remaining = 0;
  let target = stdout;

  function resume(): void {
    source.resume();
  }
  function close(error: Error | null, callback: (error: Error | null) => void): void {
    source.destroy();
    callback(error);
  }

  function take(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (remaining === 0) {
        const missing = headerBytes - header.length;
        header = Buffer.concat([header, rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (header.length < headerBytes) return;
        target = header[0] === stderrStream ? stderr : stdout;
        remaining = header.readUInt32BE(4);
        header = Buffer.alloc(0);
        continue;
      }
      const part = rest.subarray(0, remaining);
      rest = rest.subarray(part.length);
      remaining -= part.length;
      if (!target.push(part)) source.pause();
    }
  }

  source.on("data", take);
  source.on("end", () => {
    stdout.push(null);
    stderr.push(null);
  });
  source.on("error", (error) => {
    stdout.destroy(error);
    stderr.destroy(error);
  });
  source.on("close", () => {
    if (source.readableEnded) return;
    stdout.push(null);
    stderr.push(null);
  });
  return { stdout, stderr };
}
