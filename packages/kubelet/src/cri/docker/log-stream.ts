// A container's log as Docker sends it, multiplexed and stamped, put together to what was said in the order it was said.
// An engine that follows over a rotation of its file sends the last lines before it again: what was sent is dropped. A
// part of a long line carries a stamp of its own, which is no part of the line.

import { type Readable, Transform } from "node:stream";

const headerBytes = 8;
/** Of one stream: far more than an engine sends again. */
const rememberedEntries = 4096;
const keyBytes = 64;

interface StreamState {
  /** The entry so far ends without a newline: the next one goes on with it. */
  isOpen: boolean;
  isDropped: boolean;
}

export interface LogStreamOptions {
  /** Begins each line with its time. */
  readonly timestamps: boolean;
  /** Entries may come twice. */
  readonly follow: boolean;
}

/** What is written into it must be Docker's stream of a container without a tty, asked for with timestamps. */
export function createLogAssembler({ timestamps, follow }: LogStreamOptions): Transform {
  const states = new Map<number, StreamState>();
  const seen = new Set<string>();
  let waiting = Buffer.alloc(0);

  /** Whether the entry came before; remembers it. */
  function isRepeated(key: string): boolean {
    if (seen.has(key)) return true;
    seen.add(key);
    if (seen.size > rememberedEntries) seen.delete(seen.values().next().value!);
    return false;
  }

  function entry(stream: number, payload: Buffer): Buffer | undefined {
    const state = states.get(stream) ?? { isOpen: false, isDropped: false };
    states.set(stream, state);
    const stampBytes = payload.indexOf(" ") + 1;
    const begins = !state.isOpen;
    if (begins && follow) {
      state.isDropped = isRepeated(
        `${stream} ${payload.length} ${payload.toString("latin1", 0, stampBytes + keyBytes)}`,
      );
    }
    state.isOpen = payload.at(-1) !== 0x0a;
    if (state.isDropped) return undefined;
    return timestamps && begins ? payload : payload.subarray(stampBytes);
  }

  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let rest = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
      while (rest.length >= headerBytes) {
        const endBytes = headerBytes + rest.readUInt32BE(4);
        if (rest.length < endBytes) break;
        const said = entry(rest[0]!, rest.subarray(headerBytes, endBytes));
        if (said) this.push(said);
        rest = rest.subarray(endBytes);
      }
      waiting = Buffer.from(rest);
      done();
    },
  });
}

/** The source's log, in order; either's end is the other's. */
export function logStream(source: Readable, options: LogStreamOptions): Readable {
  const assembled = createLogAssembler(options);
  source.on("error", (error) => assembled.destroy(error));
  // An engine that goes ends nothing; it only closes.
  source.on("close", () => {
    if (!source.readableEnded) assembled.end();
  });
  assembled.on("close", () => source.destroy());
  return source.pipe(assembled);
}
