// SPDY/3 header blocks: names and values inside one zlib stream per direction of a session.
// What we send is written as stored blocks, which needs no compressor state; what we receive is inflated.

import { constants, createInflate, type Inflate } from "node:zlib";
import { headerDictionary, headerDictionaryId } from "./dictionary.js";

/** Header names in lower case. A name given twice keeps its values apart. */
export type Headers = Record<string, string[]>;

const maxBlockBytes = 256 * 1024;

/** An empty stored block. Go's inflater hands out what it has only there; without it, it reads on into an error. */
const syncFlush = Buffer.from([0, 0, 0, 0xff, 0xff]);

/** Names and values, uncompressed. */
export function serializeHeaders(headers: Headers): Buffer {
  const parts: Buffer[] = [];
  const count = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value, 0);
    parts.push(bytes);
  };
  const names = Object.keys(headers);
  count(names.length);
  for (const name of names) {
    for (const words of [name.toLowerCase(), headers[name]!.join("\0")]) {
      const bytes = Buffer.from(words, "utf8");
      count(bytes.length);
      parts.push(bytes);
    }
  }
  return Buffer.concat(parts);
}

/** The reverse of serializeHeaders; throws when lengths point outside the block. */
export function parseHeaders(block: Buffer): Headers {
  let offset = 0;
  const number = () => {
    if (offset + 4 > block.length) throw new Error("SPDY header block is cut short");
    offset += 4;
    return block.readUInt32BE(offset - 4);
  };
  const words = () => {
    const sizeBytes = number();
    if (offset + sizeBytes > block.length) throw new Error("SPDY header block is cut short");
    offset += sizeBytes;
    return block.toString("utf8", offset - sizeBytes, offset);
  };
  const headers: Headers = Object.create(null) as Headers;
  for (let left = number(); left > 0; left--) {
    const name = words().toLowerCase();
    headers[name] = words().split("\0");
  }
  return headers;
}

/** Writes header blocks as one zlib stream of stored (uncompressed) blocks. */
export class HeaderEncoder {
  #begun = false;

  encode(headers: Headers): Buffer {
    const raw = serializeHeaders(headers);
    if (raw.length > 0xffff) throw new Error("SPDY header block is over 64 KiB");
    const head = Buffer.alloc(this.#begun ? 5 : 11);
    if (!this.#begun) {
      // Deflate with a 32 KiB window, FDICT set, check bits such that the pair divides by 31.
      head.writeUInt16BE(0x78bb, 0);
      head.writeUInt32BE(headerDictionaryId, 2);
    }
    const at = head.length - 5;
    head.writeUInt8(0, at);
    head.writeUInt16LE(raw.length, at + 1);
    head.writeUInt16LE(~raw.length & 0xffff, at + 3);
    this.#begun = true;
    return Buffer.concat([head, raw, syncFlush]);
  }
}

/** Reads the peer's header blocks; they must be given one at a time, in order. */
export class HeaderDecoder {
  readonly #inflate: Inflate = createInflate({
    dictionary: headerDictionary,
    flush: constants.Z_SYNC_FLUSH,
    finishFlush: constants.Z_SYNC_FLUSH,
  });

  decode(block: Buffer): Promise<Headers> {
    const inflate = this.#inflate;
    return new Promise<Headers>((resolve, reject) => {
      const parts: Buffer[] = [];
      let sizeBytes = 0;
      const done = (error?: Error | null) => {
        inflate.off("error", done);
        inflate.off("data", onData);
        if (error) return reject(error);
        try {
          resolve(parseHeaders(Buffer.concat(parts)));
        } catch (cause) {
          reject(cause as Error);
        }
      };
      const onData = (part: Buffer) => {
        parts.push(part);
        sizeBytes += part.length;
        if (sizeBytes > maxBlockBytes) done(new Error("SPDY header block is over 256 KiB"));
      };
      inflate.on("error", done);
      inflate.on("data", onData);
      // The data of this write may be emitted in the turn after the write is done.
      inflate.write(block, () => setImmediate(done));
    });
  }

  close(): void {
    this.#inflate.on("error", () => undefined);
    this.#inflate.close();
  }
}
