// One stream of a SPDY session as a Duplex. Ending its writable side half-closes it; destroying it resets it.

import { Duplex } from "node:stream";
import type { Headers } from "./header-block.js";

const maxDataFrameBytes = 32 * 1024;
/** What a reader may leave unread before the session stops reading from its transport. */
const maxUnreadBytes = 1024 * 1024;

/** What a stream asks of its session. */
export interface StreamTransport {
  sendData(streamId: number, data: Buffer, fin: boolean, done: (error?: Error | null) => void): void;
  sendReset(streamId: number): void;
  sendWindowUpdate(streamId: number, delta: number): void;
  forget(streamId: number): void;
}

export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: Headers;
  readonly #transport: StreamTransport;
  #unacknowledgedBytes = 0;
  #onRead: (() => void) | undefined;
  #remoteClosed = false;
  #localClosed = false;

  constructor({ id, headers, transport }: { id: number; headers: Headers; transport: StreamTransport }) {
    super({ allowHalfOpen: true });
    this.id = id;
    this.headers = headers;
    this.#transport = transport;
    // Whoever uses the stream may listen too; a reset that nobody waits for must not end the process.
    this.on("error", () => undefined);
  }

  /** The first value of a header, "" when absent. */
  header(name: string): string {
    return this.headers[name]?.[0] ?? "";
  }

  /** The session hands over data; resolves when more may come. */
  async receive(data: Buffer): Promise<void> {
    if (this.destroyed || this.#remoteClosed || data.length === 0) return;
    this.#unacknowledgedBytes += data.length;
    this.push(data);
    this.#acknowledge();
    if (this.readableLength > maxUnreadBytes) {
      await new Promise<void>((resolve) => {
        this.#onRead = resolve;
      });
    }
  }

  /** The peer has half-closed. */
  receiveFin(): void {
    if (this.#remoteClosed) return;
    this.#remoteClosed = true;
    if (!this.destroyed) this.push(null);
  }

  /** The peer has reset the stream, or the session is gone. */
  receiveReset(error?: Error): void {
    this.#remoteClosed = true;
    this.#localClosed = true;
    this.destroy(error);
  }

  #acknowledge(): void {
    const consumed = this.#unacknowledgedBytes - this.readableLength;
    if (consumed < maxDataFrameBytes || this.#remoteClosed) return;
    this.#unacknowledgedBytes -= consumed;
    this.#transport.sendWindowUpdate(this.id, consumed);
  }

  override _read(): void {
    this.#acknowledge();
    this.#onRead?.();
    this.#onRead = undefined;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    let offset = 0;
    const next = (error?: Error | null): void => {
      if (error || offset >= chunk.length) {
        callback(error);
        return;
      }
      const part = chunk.subarray(offset, offset + maxDataFrameBytes);
      offset += part.length;
      this.#transport.sendData(this.id, part, false, next);
    };
    next();
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#localClosed = true;
    this.#transport.sendData(this.id, Buffer.alloc(0), true, callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#onRead?.();
    if (!this.#localClosed || !this.#remoteClosed) this.#transport.sendReset(this.id);
    this.#transport.forget(this.id);
    callback(error);
  }
}
