// Splits a stream of bytes into lines without ever scanning or copying a byte twice. Knows nothing of what they mean.

const newline = 0x0a;

/** Collects chunks and hands out whole lines. */
export class LineDecoder {
  #pending: Buffer[] = [];

  /** The lines that this chunk completes; empty ones are left out. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const tail = chunk.subarray(start, end);
      const line = this.#pending.length === 0 ? tail : Buffer.concat([...this.#pending, tail]);
      this.#pending = [];
      if (line.length > 0) lines.push(line.toString("utf8"));
      start = end + 1;
    }
    if (start < chunk.length) this.#pending.push(chunk.subarray(start));
    return lines;
  }

  /** What came after the last newline. */
  rest(): string {
    const text = Buffer.concat(this.#pending).toString("utf8");
    this.#pending = [];
    return text;
  }
}
