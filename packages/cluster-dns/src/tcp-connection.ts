// One client's TCP connection: messages with a length before each, any number of them, answered as they are ready (RFC 7766).
// A client that sends without reading, or says nothing for long, holds nothing for long.

import type { Socket } from "node:net";

export interface ConnectionOptions {
  readonly idleTimeoutMs: number;
  /** undefined: there is no answer, the connection ends. */
  answer(message: Buffer, send: (response: Buffer | undefined) => void): void;
}

/** More than this many unanswered, and no more are read until some are. */
const maxPipelined = 100;
const maxUnsentBytes = 1 << 20;

export function serveConnection(socket: Socket, { idleTimeoutMs, answer }: ConnectionOptions): void {
  let received: Buffer = Buffer.alloc(0);
  let pending = 0;
  const isFull = () => pending >= maxPipelined || socket.writableLength > maxUnsentBytes;

  function send(response: Buffer | undefined): void {
    pending--;
    if (socket.destroyed) return;
    if (!response) return void socket.destroy();
    const length = Buffer.allocUnsafe(2);
    length.writeUInt16BE(response.length);
    socket.cork();
    socket.write(length);
    socket.write(response);
    process.nextTick(() => socket.uncork());
    if (!isReading) takeMessages();
  }

  let isReading = false;
  function takeMessages(): void {
    isReading = true;
    while (!socket.destroyed && !isFull() && received.length >= 2) {
      const length = received.readUInt16BE(0);
      if (received.length < 2 + length) break;
      const message = received.subarray(2, 2 + length);
      received = received.subarray(2 + length);
      pending++;
      answer(message, send);
    }
    isReading = false;
    if (isFull()) socket.pause();
    else if (socket.isPaused()) socket.resume();
  }

  socket.setTimeout(idleTimeoutMs, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("drain", takeMessages);
  socket.on("data", (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    takeMessages();
  });
}
