// Docker's multiplexed log by table: frames are written stream:stamp:text, stamps by their second.

import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "tap";
import { logStream } from "./log-stream.js";

const stampOf = (second: number) => `2026-11-21T14:00:${String(second).padStart(2, "0")}.000000000Z`;

function frame(stream: number, second: number, content: string): Buffer {
  const payload = Buffer.from(`${stampOf(second)} ${content}`);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

type Frame = [stream: 1 | 2, second: number, content: string];

test("what a log says", async (t) => {
  const long: Frame[] = [
    [1, 1, "yyyy"],
    [1, 1, "yyyy"],
    [1, 1, "y\n"],
  ];
  const table: [string, { timestamps?: boolean; follow?: boolean }, Frame[], string][] = [
    [
      "both streams in order",
      {},
      [
        [1, 1, "a\n"],
        [2, 2, "b\n"],
        [1, 3, "c\n"],
      ],
      "a\nb\nc\n",
    ],
    ["stamped", { timestamps: true }, [[2, 1, "a\n"]], `${stampOf(1)} a\n`],
    ["a long line has one stamp", { timestamps: true }, long, `${stampOf(1)} yyyyyyyyy\n`],
    ["parts that are alike are parts", { follow: true }, long, "yyyyyyyyy\n"],
    [
      "what comes again is dropped, long or short",
      { follow: true },
      [[2, 0, "e\n"], ...long, [1, 2, "b\n"], [2, 0, "e\n"], ...long, [1, 2, "b\n"], [1, 3, "c\n"]],
      "e\nyyyyyyyyy\nb\nc\n",
    ],
    [
      "the same words later are news",
      { follow: true },
      [
        [1, 1, "a\n"],
        [1, 2, "a\n"],
        [2, 2, "a\n"],
      ],
      "a\na\na\n",
    ],
    [
      "without following nothing is held back",
      {},
      [
        [1, 1, "a\n"],
        [1, 1, "a\n"],
      ],
      "a\na\n",
    ],
    [
      "empty lines",
      {},
      [
        [1, 1, "\n"],
        [1, 2, "\n"],
      ],
      "\n\n",
    ],
  ];
  for (const [what, options, frames, expected] of table) {
    const bytes = Buffer.concat(frames.map((one) => frame(...one)));
    for (const chunkBytes of [bytes.length, 7, 1]) {
      const source = new PassThrough();
      const said = text(logStream(source, { timestamps: false, follow: false, ...options }));
      for (let at = 0; at < bytes.length; at += chunkBytes) source.write(bytes.subarray(at, at + chunkBytes));
      source.end();
      t.equal(await said, expected, `${what}, ${chunkBytes} bytes at a time`);
    }
  }
});

test("its ends", async (t) => {
  const options = { timestamps: false, follow: true };
  const cut = new PassThrough();
  const said = text(logStream(cut, options));
  cut.write(frame(1, 1, "a\n"));
  setImmediate(() => cut.destroy());
  t.equal(await said, "a\n", "an engine that goes");
  const left = new PassThrough();
  logStream(left, options).destroy();
  await new Promise<void>((resolve) => (left.destroyed ? resolve() : left.once("close", resolve)));
  t.ok(left.destroyed, "a reader that goes");
  const failed = new PassThrough();
  const broken = text(logStream(failed, options));
  failed.destroy(new Error("reset"));
  await t.rejects(broken, /reset/);
});
