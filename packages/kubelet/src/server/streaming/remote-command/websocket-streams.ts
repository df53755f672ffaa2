// exec and attach over WebSocket channels. Upstream's cri/streaming/remotecommand/websocket.go.

import { Readable, Writable } from "node:stream";
import type { WebSocket } from "ws";
import { channels, decodeMessage, encodeMessage } from "../websocket/channels.js";
import { encodeStatus, parseTerminalSize } from "./exit-status.js";
import type { RemoteStreams, StreamOptions, TerminalSize } from "./remote-streams.js";

const closeTimeoutMs = 5_000;
const maxMessageBytes = 32 * 1024;

function isOpen(webSocket: WebSocket): boolean {
  return webSocket.readyState === webSocket.OPEN;
}

/** Lays the channels over an open WebSocket. */
export function webSocketStreams(
  webSocket: WebSocket,
  { protocol, options }: { protocol: string; options: StreamOptions },
): RemoteStreams {
  const base64 = protocol.includes("base64");
  const closes = protocol.startsWith("v5.");
  const send = (channel: number, data: Buffer, done?: (error?: Error) => void) => {
    if (isOpen(webSocket)) webSocket.send(encodeMessage(channel, data, { base64 }), { binary: !base64 }, done);
    else done?.(new Error("the WebSocket is closed"));
  };
  const output = (channel: number) =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        const parts: Buffer[] = [];
        for (let at = 0; at < chunk.length; at += maxMessageBytes) parts.push(chunk.subarray(at, at + maxMessageBytes));
        // Only the last one's departure matters: they go in order.
        parts.forEach((part, index) => {
          send(channel, part, index === parts.length - 1 ? done : undefined);
        });
        if (parts.length === 0) done();
      },
    }).on("error", () => undefined);

  const stdin = options.stdin ? new Readable({ read: () => webSocket.resume() }) : undefined;
  const stdout = options.stdout ? output(channels.stdout) : undefined;
  const stderr = options.stderr && !options.tty ? output(channels.stderr) : undefined;
  const resizeListeners: ((size: TerminalSize) => void)[] = [];
  let lastSize: TerminalSize | undefined;
  let stdinEnded = false;
  const endStdin = () => {
    if (!stdinEnded) stdin?.push(null);
    stdinEnded = true;
  };

  webSocket.on("message", (raw: Buffer) => {
    const message = decodeMessage(raw, { base64 });
    if (!message) return;
    if (message.channel === channels.stdin && stdin && !stdinEnded) {
      if (message.data.length > 0 && !stdin.push(message.data)) webSocket.pause();
    } else if (message.channel === channels.resize) {
      lastSize = parseTerminalSize(message.data.toString("utf8"));
      if (lastSize) for (const listener of resizeListeners) listener(lastSize);
    } else if (message.channel === channels.close && closes && message.data[0] === channels.stdin) endStdin();
  });
  const closed = new Promise<void>((resolve) => {
    webSocket.on("close", () => {
      endStdin();
      resolve();
    });
  });
  // Upstream greets on the lowest channel that can be written to: the client knows that all is set up.
  send(stdout ? channels.stdout : stderr ? channels.stderr : channels.error, Buffer.alloc(0));

  return {
    stdin,
    stdout,
    stderr,
    onResize(listener) {
      resizeListeners.push(listener);
      // It may have come before anybody listened.
      if (lastSize) listener(lastSize);
    },
    closed,
    async finish(status) {
      const flushed = (stream: Writable | undefined) =>
        stream && !stream.destroyed ? new Promise<void>((resolve) => stream.end(() => resolve())) : undefined;
      await Promise.race([Promise.all([flushed(stdout), flushed(stderr)]), closed]);
      const words = encodeStatus(status, { json: /^v[45]\./.test(protocol) });
      if (words.length > 0) send(channels.error, words);
      if (isOpen(webSocket)) webSocket.close(1000);
      const timer = setTimeout(() => webSocket.terminate(), closeTimeoutMs);
      await closed;
      clearTimeout(timer);
    },
  };
}
