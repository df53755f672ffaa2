import { test } from "tap";
import { checkedMirror } from "./shared-options.js";

test("a registry mirror is one that dockerd starts with", (t) => {
  for (const text of ["http://172.30.0.1:5000", "https://mirror.example", "https://mirror.example/"])
    t.equal(checkedMirror(text), text);
  for (const [text, why] of [
    ["mirror.example", /not a valid URI/],
    ["ftp://mirror.example", /unsupported scheme "ftp"/],
    ["mirror:5000", /unsupported scheme "mirror"/],
    ["http://ali:secret@mirror", /username\/password not allowed/],
    ["http://mirror/path", /path, query, or fragment at end of the URI/],
    ["http://mirror/?x=1", /path, query, or fragment/],
  ] as const)
    t.throws(() => checkedMirror(text), why, text);
  t.end();
});
