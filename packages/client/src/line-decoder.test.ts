// Lines out of chunks cut anywhere.

import { test } from "tap";
import { LineDecoder } from "./line-decoder.js";

test("gives the same lines however the bytes are cut", async (t) => {
  const bytes = Buffer.from('{"a":"ä"}\n\n{"b":2}\nrest');
  for (let size = 1; size <= bytes.length; size++) {
    const decoder = new LineDecoder();
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += size) lines.push(...decoder.push(bytes.subarray(at, at + size)));
    t.strictSame(lines, ['{"a":"ä"}', '{"b":2}']);
    t.equal(decoder.rest(), "rest");
  }
});
