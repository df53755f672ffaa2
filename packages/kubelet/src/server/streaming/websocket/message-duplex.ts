// A WebSocket as a byte stream: every binary message is the next bytes. Carries SPDY for port-forward.

import { Duplex } from "node:stream";
import type { WebSocket } from "ws";

/** Closing the stream closes the WebSocket, and the reverse. */
export function messageDuplex(webSocket: WebSocket): Duplex {
  const stream = new Duplex({
    read: () => webSocket.resume(),
    write: (chunk: Buffer, _encoding, done) => webSocket.send(chunk, { binary: true }, done),
    final(done) {
      webSocket.close(1000);
      done();
    },
    destroy(error, done) {
      webSocket.terminate();
      done(error);
    },
  });
  webSocket.on("message", (data: Buffer) => {
    if (!stream.push(data)) webSocket.pause();
  });
  webSocket.on("close", () => {
    stream.push(null);
    // Whatever is still being written has nowhere to go.
    if (!stream.writableEnded) stream.end();
  });
  return stream;
}
