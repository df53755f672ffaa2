// port-forward over a SPDY session: each connection is a pair of streams, data and error, that share a request id.
// Upstream's cri/streaming/portforward/httpstream.go.

import type { Duplex } from "node:stream";
import { SpdySession } from "../spdy/session.js";
import type { SpdyStream } from "../spdy/stream.js";

const pairTimeoutMs = 30_000;

/** The protocol's name, offered in X-Stream-Protocol-Version. */
export const portForwardProtocol = "portforward.k8s.io";
/** The WebSocket subprotocol whose messages carry that SPDY session. */
export const portForwardTunnelProtocol = "SPDY/3.1+portforward.k8s.io";

export interface PortForwardOptions {
  transport: Duplex;
  /** Opens a connection to the pod's port. */
  connect: (port: number) => Promise<Duplex>;
  /** As upstream's errors name the pod: `web-1, uid 6f…`. */
  podWords: string;
}

interface Pair {
  data?: SpdyStream;
  error?: SpdyStream;
  timer: NodeJS.Timeout;
}

/** Copies both ways until both are done; rejects with what broke the connection to the pod. */
function copy(data: SpdyStream, connection: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.on("error", reject);
    data.on("close", () => connection.destroy());
    connection.on("close", () => resolve());
    connection.on("end", () => data.end());
    connection.pipe(data, { end: false });
    data.pipe(connection);
  });
}

async function forward({ connect, podWords }: PortForwardOptions, data: SpdyStream, error: SpdyStream): Promise<void> {
  const port = Number(data.header("port"));
  try {
    const connection = await connect(port);
    if (data.destroyed) connection.destroy();
    else await copy(data, connection);
  } catch (cause) {
    const words = `error forwarding port ${port} to pod ${podWords}: ${(cause as Error).message}`;
    if (!error.destroyed) error.write(words);
  }
  // Ended, not destroyed: a reset would overtake what the client has not read yet.
  if (!error.destroyed) error.end();
  if (!data.destroyed) {
    data.end();
    data.resume();
  }
}

/** Serves connections until the client closes the session. */
export async function servePortForward(options: PortForwardOptions): Promise<void> {
  const pairs = new Map<string, Pair>();
  const session = new SpdySession({
    transport: options.transport,
    role: "server",
    onStream(stream) {
      const type = stream.header("streamtype");
      if (type !== "error" && type !== "data") throw new Error(`invalid stream type "${type}"`);
      const port = Number(stream.header("port"));
      if (!Number.isInteger(port) || port < 1 || port > 65535) {
        throw new Error(`unable to parse "${stream.header("port")}" as a port`);
      }
      // Clients older than request ids open the error stream, then the data stream, two ids on.
      const requestId = stream.header("requestid") || String(type === "error" ? stream.id : stream.id - 2);
      let pair = pairs.get(requestId);
      if (!pair) {
        const timer = setTimeout(() => {
          pairs.delete(requestId);
          stream.destroy();
        }, pairTimeoutMs);
        pair = { timer };
        pairs.set(requestId, pair);
      }
      if (pair[type]) throw new Error(`${type} stream already assigned`);
      pair[type] = stream;
      if (!pair.data || !pair.error) return;
      clearTimeout(pair.timer);
      pairs.delete(requestId);
      void forward(options, pair.data, pair.error);
    },
  });
  await session.closed;
  for (const { timer } of pairs.values()) clearTimeout(timer);
}
