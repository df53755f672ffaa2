// exec and attach over SPDY: one stream each for error, stdin, stdout, stderr and resize, told apart by the header
// streamtype. Upstream's cri/streaming/remotecommand/httpstream.go.

import type { Duplex, Writable } from "node:stream";
import { SpdySession } from "../spdy/session.js";
import type { SpdyStream } from "../spdy/stream.js";
import { encodeStatus, parseTerminalSize } from "./exit-status.js";
import type { RemoteStreams, StreamOptions, TerminalSize } from "./remote-streams.js";

const creationTimeoutMs = 30_000;

/** Versions of the protocol, the best first. The empty one is v1, of clients that name none. */
export const spdyProtocols = [
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "v3.channel.k8s.io",
  "v2.channel.k8s.io",
  "channel.k8s.io",
  "",
];

/** The streams a client must open before anything runs. */
export function expectedStreams({ stdin, stdout, stderr, tty }: StreamOptions, protocol: string): string[] {
  const resizes = tty && /^v[345]\./.test(protocol);
  return [
    "error",
    ...(stdin ? ["stdin"] : []),
    ...(stdout ? ["stdout"] : []),
    ...(stderr && !tty ? ["stderr"] : []),
    ...(resizes ? ["resize"] : []),
  ];
}

function finished(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableFinished) return resolve();
    stream.once("close", resolve);
    stream.end(() => resolve());
  });
}

/** Waits for the client's streams; rejects when they do not come in time. */
export async function acceptSpdyStreams(
  transport: Duplex,
  { protocol, options }: { protocol: string; options: StreamOptions },
): Promise<RemoteStreams> {
  const expected = expectedStreams(options, protocol);
  const streams = new Map<string, SpdyStream>();
  let session!: SpdySession;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error("timed out waiting for client to create streams"));
      session.close();
    }, creationTimeoutMs);
    session = new SpdySession({
      transport,
      role: "server",
      onStream(stream) {
        const type = stream.header("streamtype");
        if (!expected.includes(type) || streams.has(type)) throw new Error(`invalid stream type: "${type}"`);
        streams.set(type, stream);
        if (streams.size < expected.length) return;
        clearTimeout(timer);
        resolve();
      },
    });
    void session.closed.then(() => {
      clearTimeout(timer);
      reject(new Error("the client has gone"));
    });
  });
  const error = streams.get("error")!;
  const json = /^v[45]\./.test(protocol);
  return {
    stdin: streams.get("stdin"),
    stdout: streams.get("stdout"),
    stderr: streams.get("stderr"),
    onResize(listener: (size: TerminalSize) => void) {
      let rest = "";
      streams.get("resize")?.on("data", (part: Buffer) => {
        rest += part.toString("utf8");
        // The sizes are JSON objects one after another.
        for (let end = rest.indexOf("}"); end >= 0; end = rest.indexOf("}")) {
          const size = parseTerminalSize(rest.slice(0, end + 1));
          rest = rest.slice(end + 1);
          if (size) listener(size);
        }
      });
    },
    closed: session.closed,
    async finish(status) {
      const outputs = [streams.get("stdout"), streams.get("stderr")].filter((stream) => stream !== undefined);
      await Promise.all(outputs.map((stream) => finished(stream)));
      const words = encodeStatus(status, { json });
      if (words.length > 0 && !error.destroyed) error.write(words);
      await finished(error);
      session.close();
    },
  };
}
