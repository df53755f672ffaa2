import { test } from "tap";
import { canonicalJson, computeHash, fnv32, fnv32a, safeEncodeString } from "./hash.js";
import { generateName } from "./names/generate-name.js";

test("FNV-1a matches its published vectors", (t) => {
  t.equal(fnv32a(""), 0x811c9dc5);
  t.equal(fnv32a("a"), 0xe40c292c);
  t.equal(fnv32a("foobar"), 0xbf9cf968);
  t.end();
});

test("FNV-1 matches its published vectors", (t) => {
  t.equal(fnv32(""), 0x811c9dc5);
  t.equal(fnv32("a"), 0x050c5d7e);
  t.equal(fnv32("foobar"), 0x31f0b262);
  t.end();
});

test("hashes ignore key order and heed the collision count", (t) => {
  const template = {
    metadata: { labels: { a: "1", b: "2" } },
    spec: { containers: [{ name: "x", image: undefined }] },
  };
  const shuffled = { spec: { containers: [{ name: "x" }] }, metadata: { labels: { b: "2", a: "1" } } };
  t.equal(canonicalJson(template), canonicalJson(shuffled));
  t.equal(computeHash(template), computeHash(shuffled));
  t.not(computeHash(template), computeHash(template, 1));
  t.match(computeHash(template), /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
  t.equal(safeEncodeString("0"), "4");
  t.end();
});

test("generated names fit and differ", (t) => {
  t.match(generateName("web-"), /^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  t.equal(generateName("a".repeat(80)).length, 63);
  t.not(generateName("a"), generateName("a"));
  t.end();
});
