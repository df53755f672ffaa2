// Takes an HTTP/1.1 upgrade to SPDY/3.1, with the protocol version negotiated in headers of its own.
// Upstream's apimachinery util/httpstream.

import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** Whether a request asks for SPDY/3.1. */
export function isSpdyUpgrade(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === "spdy/3.1";
}

/** The versions a client offers, in its order; they may be one header or several. */
export function offeredStreamProtocols(request: IncomingMessage): string[] {
  return [request.headers["x-stream-protocol-version"] ?? []]
    .flat()
    .flatMap((line) => line.split(","))
    .map((protocol) => protocol.trim())
    .filter(Boolean);
}

/** Switches protocols; what comes after the head belongs to the SPDY session. */
export function acceptSpdy({ socket, head }: { socket: Duplex; head: Buffer }, protocol: string): Duplex {
  const lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: SPDY/3.1"];
  if (protocol !== "") lines.push(`X-Stream-Protocol-Version: ${protocol}`);
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  return socket;
}
