// A SPDY/3.1 session over any byte stream. The peer's send window is not waited for (kubectl never sends
// WINDOW_UPDATE); the transport's own back-pressure is. Knows nothing of what the streams carry.

import { once } from "node:events";
import type { Duplex } from "node:stream";
import { encodeFrame, type Frame, FrameDecoder } from "./frames.js";
import { HeaderDecoder, HeaderEncoder, type Headers } from "./header-block.js";
import { SpdyStream, type StreamTransport } from "./stream.js";

const protocolError = 1;
const refusedStream = 3;
const cancel = 5;
const maxStreams = 4096;
const closeTimeoutMs = 10_000;

export interface SpdySessionOptions {
  transport: Duplex;
  /** The server's streams have even ids, the client's odd ones. */
  role: "server" | "client";
  /** A stream that the peer opened; it has been answered already. Throwing resets it. */
  onStream?(stream: SpdyStream): void;
}

export class SpdySession implements StreamTransport {
  readonly #transport: Duplex;
  readonly #onStream: ((stream: SpdyStream) => void) | undefined;
  readonly #encoder = new HeaderEncoder();
  readonly #decoder = new HeaderDecoder();
  readonly #streams = new Map<number, SpdyStream>();
  #nextId: number;
  #lastPeerId = 0;
  #ended = false;
  /** Resolves when the transport has ended, for whatever reason. */
  readonly closed: Promise<void>;

  constructor({ transport, role, onStream }: SpdySessionOptions) {
    this.#transport = transport;
    this.#onStream = onStream;
    this.#nextId = role === "client" ? 1 : 2;
    transport.on("error", () => undefined);
    this.closed = this.#run();
  }

  /** Opens a stream with these headers. */
  open(headers: Headers, { fin = false }: { fin?: boolean } = {}): SpdyStream {
    const id = this.#nextId;
    this.#nextId += 2;
    const stream = new SpdyStream({ id, headers, transport: this });
    this.#streams.set(id, stream);
    const headerBlock = this.#encoder.encode(headers);
    this.#send({ type: "synStream", streamId: id, fin, unidirectional: false, headerBlock });
    return stream;
  }

  /** Says goodbye and ends the transport once all that was written is out. */
  close(): void {
    if (this.#ended || this.#transport.destroyed) return;
    this.#send({ type: "goAway", lastStreamId: this.#lastPeerId, status: 0 });
    this.#ended = true;
    this.#transport.end();
    // A peer that does not answer must not keep the connection.
    const timer = setTimeout(() => this.#transport.destroy(), closeTimeoutMs);
    void this.closed.then(() => clearTimeout(timer));
  }

  sendData(streamId: number, data: Buffer, fin: boolean, done: (error?: Error | null) => void): void {
    this.#send({ type: "data", streamId, fin, data }, done);
  }

  sendReset(streamId: number): void {
    this.#send({ type: "rstStream", streamId, status: cancel });
  }

  sendWindowUpdate(streamId: number, delta: number): void {
    this.#send({ type: "windowUpdate", streamId, delta });
  }

  forget(streamId: number): void {
    this.#streams.delete(streamId);
  }

  #send(frame: Frame, done?: (error?: Error | null) => void): void {
    if (this.#ended || this.#transport.destroyed || this.#transport.writableEnded) {
      done?.(new Error("the SPDY session is closed"));
      return;
    }
    // A callback waits for the kernel's buffer: that is the back-pressure the streams see.
    const roomy = this.#transport.write(encodeFrame(frame));
    if (!done) return;
    if (roomy) process.nextTick(done);
    else this.#whenDrained(done);
  }

  #whenDrained(done: (error?: Error | null) => void): void {
    const finish = () => {
      this.#transport.off("drain", finish);
      this.#transport.off("close", finish);
      done(this.#transport.destroyed ? new Error("the SPDY session is closed") : null);
    };
    this.#transport.on("drain", finish);
    this.#transport.on("close", finish);
  }

  async #run(): Promise<void> {
    const decoder = new FrameDecoder();
    this.#transport.setMaxListeners(0);
    try {
      // The transport's other half must outlive the end of this one.
      for await (const chunk of this.#transport.iterator({ destroyOnReturn: false })) {
        for (const frame of decoder.push(chunk as Buffer)) await this.#receive(frame);
      }
    } catch {
      this.#send({ type: "goAway", lastStreamId: this.#lastPeerId, status: protocolError });
    } finally {
      this.#ended = true;
      for (const stream of this.#streams.values()) stream.receiveReset(new Error("the SPDY session is closed"));
      this.#streams.clear();
      this.#decoder.close();
      this.#transport.end();
      if (!this.#transport.writableFinished && !this.#transport.destroyed) {
        await Promise.race([once(this.#transport, "finish"), once(this.#transport, "close")]).catch(() => undefined);
      }
      this.#transport.destroy();
    }
  }

  async #receive(frame: Frame): Promise<void> {
    switch (frame.type) {
      case "synStream":
        return this.#accept(frame.streamId, await this.#decoder.decode(frame.headerBlock), frame.fin);
      case "synReply":
      case "headers":
        // Their names and values mean nothing to us, but the zlib stream must see them.
        await this.#decoder.decode(frame.headerBlock);
        if (frame.fin) this.#streams.get(frame.streamId)?.receiveFin();
        return;
      case "data": {
        const stream = this.#streams.get(frame.streamId);
        await stream?.receive(frame.data);
        if (frame.fin) stream?.receiveFin();
        return;
      }
      case "rstStream":
        this.#streams.get(frame.streamId)?.receiveReset();
        return;
      case "ping":
        // Ours would carry the parity of our streams; the peer's are echoed.
        if ((frame.id & 1) !== (this.#nextId & 1)) this.#send(frame);
        return;
      case "goAway":
      case "settings":
      case "windowUpdate":
        return;
    }
  }

  #accept(streamId: number, headers: Headers, fin: boolean): void {
    if ((streamId & 1) === (this.#nextId & 1) || streamId <= this.#lastPeerId) {
      throw new Error(`SPDY stream id ${streamId} is out of order`);
    }
    this.#lastPeerId = streamId;
    if (this.#streams.size >= maxStreams || !this.#onStream) {
      this.#send({ type: "rstStream", streamId, status: refusedStream });
      return;
    }
    const stream = new SpdyStream({ id: streamId, headers, transport: this });
    this.#streams.set(streamId, stream);
    this.#send({ type: "synReply", streamId, fin: false, headerBlock: this.#encoder.encode({}) });
    if (fin) stream.receiveFin();
    try {
      this.#onStream(stream);
    } catch (error) {
      stream.destroy(error as Error);
    }
  }
}
