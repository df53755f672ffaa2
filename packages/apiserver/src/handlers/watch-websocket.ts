// A watch whose frames are WebSocket text messages instead of lines of a chunked answer.

import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { ServedResource } from "../storage/served-resource.js";
import type { HandlerDependencies } from "./dependencies.js";
import type { Exchange } from "./exchange.js";
import { type FrameSink, planWatch, runWatch } from "./watch.js";

const MAX_BACKLOG_BYTES = 8 * 1024 * 1024;

/** Completes the handshake and sends frames; throws before the handshake when the request is bad. */
export async function watchOverWebSocket(
  exchange: Omit<Exchange, "response">,
  {
    socket,
    head,
    served,
    dependencies,
  }: {
    socket: Duplex;
    head: Buffer;
    served: ServedResource;
    dependencies: HandlerDependencies;
  },
): Promise<void> {
  const plan = await planWatch(exchange as Exchange, served, dependencies);
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 64 * 1024 });
  server.handleUpgrade(exchange.request, socket, head, (websocket) => {
    websocket.on("error", () => websocket.terminate());
    const send = (frame: Buffer, done?: (error?: Error) => void) =>
      websocket.send(frame.subarray(0, frame.length - 1), { binary: false }, done);
    const sink: FrameSink = {
      send: (frame) => {
        send(frame);
        return websocket.bufferedAmount < MAX_BACKLOG_BYTES;
      },
      // Initial frames come joined, one a line.
      sendSlow: async (frames) => {
        for (const line of frames.toString().split("\n")) {
          if (line === "") continue;
          const failed = await new Promise((resolve) => send(Buffer.from(`${line}\n`), resolve));
          if (failed) return false;
        }
        return true;
      },
      end: () => websocket.close(1000),
      destroy: () => websocket.terminate(),
      onClose: (callback) => void websocket.on("close", callback),
    };
    void runWatch(plan, sink, dependencies);
  });
}
