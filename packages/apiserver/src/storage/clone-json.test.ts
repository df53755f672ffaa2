import { test } from "tap";
import { cloneJson } from "./clone-json.js";
import { sameJson } from "./same-json.js";

test("a copy is equal, shares nothing, and is no wider than the wire", (t) => {
  const text = '{"a":[1,{"b":null},[]],"__proto__":{"polluted":true},"constructor":"x","d":{"e":"","f":false}}';
  const value = JSON.parse(text);
  const copy = cloneJson(value);
  t.ok(sameJson(copy, value));
  t.equal(JSON.stringify(copy), text);
  t.notOk(({} as { polluted?: boolean }).polluted);
  t.equal(Object.getPrototypeOf(copy), Object.prototype);
  copy.a[1].b = "changed";
  copy.d.e = "changed";
  t.equal(JSON.stringify(value), text);
  t.same(Object.keys(cloneJson({ gone: undefined, kept: 1 })), ["kept"]);
  for (const plain of [1, "x", null, true, undefined]) t.equal(cloneJson(plain), plain);
  t.end();
});
