// What a continue token says, and which ones are refused.

import { test } from "tap";
import { decodeContinueToken, encodeContinueToken } from "./continue-token.js";

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

test("a token comes back as it was made", async (t) => {
  for (const token of [
    { revision: 7, afterKey: "default/web" },
    { revision: -1, afterKey: "web" },
    { revision: 5, afterKey: "system:node" },
  ]) {
    t.same(decodeContinueToken(encodeContinueToken(token)), token);
  }
  t.same(
    JSON.parse(Buffer.from(encodeContinueToken({ revision: 7, afterKey: "a" }), "base64url").toString()),
    { v: "meta.k8s.io/v1", rv: 7, start: "a\0" },
    "upstream's form",
  );
});

test("what is no token is refused in upstream's words", async (t) => {
  const v = "meta.k8s.io/v1";
  const refused: [string, RegExp][] = [
    ["x", /continue key is not valid: /],
    ["%%%", /continue key is not valid: illegal base64 data/],
    [encode(null), /continue key is not valid$/],
    [encode({ v: "meta.k8s.io/v9", rv: 1, start: "a" }), /: server does not recognize this encoded version$/],
    [encode({ v, rv: 0, start: "a" }), /: incorrect encoded start resourceVersion \(version meta.k8s.io\/v1\)$/],
    [encode({ v, rv: "1", start: "a" }), /: incorrect encoded start resourceVersion/],
    [encode({ v, rv: 1, start: "" }), /: encoded start key empty \(version meta.k8s.io\/v1\)$/],
    [encode({ v, rv: 1 }), /: encoded start key empty/],
    [encode({ v, rv: 1, start: "../secrets/" }), /: \.\.\/secrets\/$/],
    [encode({ v, rv: 1, start: "a/../../b" }), /: a\/\.\.\/\.\.\/b$/],
    [encode({ v, rv: 1, start: "a//b" }), /: a\/\/b$/],
  ];
  for (const [token, message] of refused) {
    t.throws(() => decodeContinueToken(token), { code: 400, reason: "BadRequest", message }, token);
    t.throws(() => decodeContinueToken(token), { message: /^invalid continue token: continue key is not valid/ });
  }
});
