// A TLS connection to a test apiserver on which a test writes what it likes: halves of requests, or no HTTP at all.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";

export interface RawConnection {
  readonly socket: TLSSocket;
  write(text: string): void;
  /** All that has come so far. */
  received(): string;
  /** Resolves once what has come matches; rejects when the connection ends before. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves to all that has come when the connection is closed. */
  closed(): Promise<string>;
  /** The code of the socket's error, once it had one. */
  failure(): string | undefined;
  destroy(): void;
}

/** Connects with the client certificate of that name ("admin", "kube-scheduler"); resolves after the handshake. */
export async function rawConnection(
  { url, pkiDirectory }: { url: string; pkiDirectory: string },
  certificate = "admin",
): Promise<RawConnection> {
  const file = (name: string) => readFileSync(join(pkiDirectory, name));
  const socket = connect({
    host: "127.0.0.1",
    port: Number(new URL(url).port),
    ca: file("ca.crt"),
    cert: file(`${certificate}.crt`),
    key: file(`${certificate}.key`),
  });
  let text = "";
  let over = false;
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  // How a connection ends is the test's to judge.
  let failure: string | undefined;
  socket.on("error", (error: NodeJS.ErrnoException) => {
    failure = error.code ?? error.message;
  });
  socket.on("close", () => {
    over = true;
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  return {
    socket,
    write: (more) => void socket.write(more),
    received: () => text,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (pattern.test(text)) resolve(text);
          else if (over) reject(new Error(`the connection ended before ${pattern}:\n${text}`));
          else return;
          socket.off("data", look);
          socket.off("close", look);
        };
        socket.on("data", look);
        socket.on("close", look);
        look();
      }),
    closed: () =>
      new Promise((resolve) => {
        if (over) resolve(text);
        else socket.once("close", () => resolve(text));
      }),
    failure: () => failure,
    destroy: () => socket.destroy(),
  };
}

/** The text of a request with a whole body. */
export function requestText(method: string, path: string, body = "", headers = ""): string {
  return `${method} ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;
}
