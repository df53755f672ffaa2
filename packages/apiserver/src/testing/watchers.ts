// Watchers for tests: each keeps what it was told, over HTTP or a WebSocket, and leaves in mid-stream when it has heard
// enough. Judges nothing.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestApiServer } from "@picokube/testing/apiserver";
import { WebSocket } from "ws";

/** One frame of a watch. */
export interface WatchFrame {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  // biome-ignore lint/suspicious/noExplicitAny: an object of any kind, or a Status
  readonly object: any;
}

/** How one connection is made and when it is left. */
export interface WatchConnection {
  readonly path: string;
  readonly transport: "http" | "websocket";
  /** Leaves in mid-stream after so many frames. */
  readonly leaveAfter: number;
}

/** The frames of one connection, until the server ends it or the watcher leaves. */
export async function watchOnce(server: TestApiServer, connection: WatchConnection): Promise<WatchFrame[]> {
  const frames: WatchFrame[] = [];
  const read = connection.transport === "http" ? readHttp : readWebSocket;
  for await (const text of read(server, connection.path)) {
    frames.push(JSON.parse(text));
    if (frames.length >= connection.leaveAfter) break;
  }
  return frames;
}

async function* readHttp(server: TestApiServer, path: string): AsyncGenerator<string> {
  const { status, body } = await server.client.raw({ method: "GET", path });
  if (status !== 200) throw new Error(`${path} answered ${status}`);
  let rest = "";
  // Leaving the loop destroys the body, and with it the connection.
  for await (const chunk of body) {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

async function* readWebSocket({ url, pkiDirectory }: TestApiServer, path: string): AsyncGenerator<string> {
  const file = (name: string) => readFileSync(join(pkiDirectory, name));
  const tls = { ca: file("ca.crt"), cert: file("admin.crt"), key: file("admin.key") };
  const socket = new WebSocket(`${url.replace("https:", "wss:")}${path}`, tls);
  const messages: string[] = [];
  let over: Error | true | undefined;
  let wake = () => {};
  socket.on("message", (data) => {
    messages.push(String(data));
    wake();
  });
  socket.on("error", (error) => {
    over = error;
    wake();
  });
  socket.on("close", () => {
    over ??= true;
    wake();
  });
  try {
    for (;;) {
      while (messages.length > 0) yield messages.shift()!;
      if (over instanceof Error) throw over;
      if (over) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    socket.terminate();
  }
}
