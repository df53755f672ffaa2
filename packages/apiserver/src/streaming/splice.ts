// An upgraded connection, handed on byte for byte: the request's head is written to the other side, then both sockets
// are joined. Reads no protocol; what the other side answers, also a refusal, is what the client gets.

import type { IncomingMessage } from "node:http";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { internalError } from "@picokube/api/errors";
import { forwardedHeaders } from "./headers.js";

const CONNECT_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 30_000;

export interface SpliceTarget {
  readonly host: string;
  readonly port: number;
  /** Left out: plain TCP. */
  readonly tls?: ConnectionOptions;
}

function open({ host, port, tls }: SpliceTarget): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const servername = isIP(host) ? {} : { servername: host };
    const socket: Socket = tls ? connectTls({ ...tls, host, port, ...servername }) : connectTcp({ host, port });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(internalError(new Error(`error dialing backend: ${error.message}`, { cause: error })));
    };
    const timer = setTimeout(() => fail(new Error(`dial tcp ${host}:${port}: i/o timeout`)), CONNECT_TIMEOUT_MS);
    socket.once("error", fail);
    socket.once("close", () => clearTimeout(timer));
    socket.once(tls ? "secureConnect" : "connect", () => {
      clearTimeout(timer);
      socket.off("error", fail);
      resolve(socket);
    });
  });
}

/** Connects and joins; resolves when both are joined. Throws, before a byte was written to the client, when it cannot connect. */
export async function splice(
  request: IncomingMessage,
  { socket: client, head, target, path }: { socket: Duplex; head: Buffer; target: SpliceTarget; path: string },
): Promise<void> {
  const backend = await open(target);
  const host = target.host.includes(":") ? `[${target.host}]` : target.host;
  const lines = forwardedHeaders(request, { upgrade: true }).map(([name, value]) => `${name}: ${value}\r\n`);
  const headText = `${request.method} ${path} HTTP/1.1\r\nHost: ${host}:${target.port}\r\n${lines.join("")}\r\n`;
  backend.setNoDelay(true);
  backend.setKeepAlive(true, KEEP_ALIVE_MS);
  const clientSocket = client as Partial<Socket>;
  clientSocket.setNoDelay?.(true);
  clientSocket.setKeepAlive?.(true, KEEP_ALIVE_MS);
  clientSocket.setTimeout?.(0);
  // A half that breaks takes the other with it; a half that ends lets the other finish what it still has to say.
  client.once("error", () => backend.destroy());
  backend.once("error", () => client.destroy());
  client.once("close", () => backend.destroy());
  backend.once("close", () => client.end());
  backend.write(Buffer.from(headText, "latin1"));
  if (head.length > 0) backend.write(head);
  client.pipe(backend);
  backend.pipe(client);
}
