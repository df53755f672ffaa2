import { Duplex } from "node:stream";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { adler32 } from "./adler32.testing.js";
import { headerDictionary, headerDictionaryId } from "./dictionary.js";
import { encodeFrame, type Frame, FrameDecoder } from "./frames.js";
import { HeaderDecoder, HeaderEncoder, parseHeaders } from "./header-block.js";
import { SpdySession } from "./session.js";
import type { SpdyStream } from "./stream.js";

/** Two ends of one in-memory wire. */
function wire(): [Duplex, Duplex] {
  const ends: Duplex[] = [];
  for (const other of [1, 0]) {
    ends.push(
      new Duplex({
        read: () => undefined,
        write: (chunk, _encoding, done) => {
          ends[other]!.push(chunk);
          setImmediate(done);
        },
        final: (done) => {
          ends[other]!.push(null);
          done();
        },
      }),
    );
  }
  return [ends[0]!, ends[1]!];
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
}

test("the dictionary is the one of SPDY/3", (t) => {
  t.equal(headerDictionary.length, 1423);
  t.equal(adler32(headerDictionary), headerDictionaryId);
  t.end();
});

test("frames survive the round trip, whole or byte by byte", (t) => {
  const block = Buffer.from("block");
  const frames: Frame[] = [
    { type: "synStream", streamId: 1, fin: true, unidirectional: false, headerBlock: block },
    { type: "synReply", streamId: 1, fin: false, headerBlock: block },
    { type: "data", streamId: 7, fin: true, data: Buffer.alloc(70_000, "x") },
    { type: "data", streamId: 7, fin: false, data: Buffer.alloc(0) },
    { type: "rstStream", streamId: 3, status: 5 },
    { type: "ping", id: 0xfffffffe },
    { type: "goAway", lastStreamId: 9, status: 1 },
    { type: "headers", streamId: 5, fin: false, headerBlock: block },
    { type: "windowUpdate", streamId: 5, delta: 65536 },
  ];
  const bytes = Buffer.concat(frames.map(encodeFrame));
  t.same([...new FrameDecoder().push(bytes)], frames);
  const decoder = new FrameDecoder();
  const slowly: Frame[] = [];
  for (let at = 0; at < bytes.length; at += 13) slowly.push(...decoder.push(bytes.subarray(at, at + 13)));
  t.same(slowly, frames);
  t.throws(() => [...new FrameDecoder().push(Buffer.from("80020001000000000000", "hex"))], /version 2/);
  t.end();
});

test("header blocks share one zlib stream", async (t) => {
  const encoder = new HeaderEncoder();
  const decoder = new HeaderDecoder();
  t.same({ ...(await decoder.decode(encoder.encode({ StreamType: ["stdin"] }))) }, { streamtype: ["stdin"] });
  t.same({ ...(await decoder.decode(encoder.encode({}))) }, {});
  t.same({ ...(await decoder.decode(encoder.encode({ a: ["1", "2"], b: [""] }))) }, { a: ["1", "2"], b: [""] });
  await t.rejects(decoder.decode(Buffer.from("garbage")));
  decoder.close();
  t.throws(() => parseHeaders(Buffer.from("00000001000000ff", "hex")), /cut short/);
});

test("streams carry data both ways, close by halves and reset", async (t) => {
  const [a, b] = wire();
  const accepted: SpdyStream[] = [];
  const server = new SpdySession({
    transport: b,
    role: "server",
    onStream: (stream) => {
      accepted.push(stream);
      if (stream.header("streamtype") === "echo") stream.pipe(stream);
    },
  });
  const client = new SpdySession({ transport: a, role: "client" });
  const echo = client.open({ streamtype: ["echo"] });
  const big = "0123456789".repeat(30_000);
  echo.end(big);
  t.equal(await textOf(echo), big);
  const doomed = client.open({ streamtype: ["other"] });
  await eventually("the other end has it", async () => accepted.length === 2);
  const closed = new Promise((resolve) => accepted[1]!.once("close", resolve));
  doomed.destroy();
  await closed;
  t.equal(accepted.length, 2);
  client.close();
  await Promise.all([client.closed, server.closed]);
});
