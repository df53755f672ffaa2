// Finding another issuer's keys, against a real TLS server: late, again, not too often.

import { readFileSync } from "node:fs";
import { createLogger } from "@picokube/component-base/logger";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { type Test, test } from "tap";
import { issuerKey, type OidcIssuer, startOidcIssuer } from "../testing/oidc-issuer.js";
import { oidcProvider } from "./oidc-provider.js";

function providerOf(t: Test, issuer: OidcIssuer, algorithms = ["RS256"]) {
  const clock = steppingClock();
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const provider = oidcProvider({
    issuer: { url: issuer.url, audiences: ["kubectl"], certificateAuthority: readFileSync(issuer.caFile, "utf8") },
    algorithms,
    clock,
    logger: createLogger({ name: "test", level: "silent" } as never),
    signal: stop.signal,
  });
  const subjectOf = async (token: string) => JSON.parse((await provider.verify(token)).toString()).sub;
  return { clock, subjectOf };
}

const KEYS = "/realm/keys";
const DISCOVERY = "/realm/.well-known/openid-configuration";

test("an issuer that is broken at first is asked again after a while, not for each token", async (t) => {
  const issuer = await startOidcIssuer(t);
  const { clock, subjectOf } = providerOf(t, issuer);
  issuer.isBroken = true;
  const token = await issuer.token();
  const notYet = { message: "oidc: authenticator not initialized" };
  await t.rejects(Promise.all([subjectOf(token), subjectOf(token)]), notYet);
  issuer.isBroken = false;
  await t.rejects(subjectOf(token), notYet);
  t.equal(issuer.asked.get(DISCOVERY), 1);
  await clock.advance(10_000);
  t.equal(await subjectOf(token), "jane");
  t.equal(await subjectOf(token), "jane");
  t.equal(issuer.asked.get(DISCOVERY), 2);
  t.equal(issuer.asked.get(KEYS), 1, "the keys are remembered");
});

test("a document that names another issuer is not believed", async (t) => {
  const issuer = await startOidcIssuer(t);
  const { subjectOf } = providerOf(t, issuer);
  issuer.name = "https://elsewhere.example.com";
  await t.rejects(subjectOf(await issuer.token()), {
    message: "oidc: authenticator not initialized",
    cause: {
      message: `oidc: issuer did not match the issuer returned by provider, expected "${issuer.url}" got "https://elsewhere.example.com"`,
    },
  });
});

test("an unknown key has the keys fetched again, once in a while", async (t) => {
  const issuer = await startOidcIssuer(t);
  const { clock, subjectOf } = providerOf(t, issuer);
  t.equal(await subjectOf(await issuer.token()), "jane");
  const next = issuerKey("second");
  const early = await issuer.token({ sub: "joe" }, next);
  const unknown = { message: /failed to verify id token signature/ };
  await clock.advance(5_000);
  for (let i = 0; i < 20; i++) await t.rejects(subjectOf(early), unknown);
  t.equal(issuer.asked.get(KEYS), 2, "twenty forged tokens cost one request");
  issuer.keys.unshift(next);
  await clock.advance(5_000);
  t.equal(await subjectOf(early), "joe");
  t.equal(await subjectOf(await issuer.token({}, issuer.keys[1])), "jane", "the old key is still there");
  t.equal(issuer.asked.get(KEYS), 3);
});

test("what is not signed by the issuer's key with a known algorithm is refused", async (t) => {
  const issuer = await startOidcIssuer(t);
  const { subjectOf } = providerOf(t, issuer, ["RS256", "RS512"]);
  const good = await issuer.token();
  const [, payload, signature] = good.split(".");
  const header = (fields: object) => Buffer.from(JSON.stringify(fields)).toString("base64url");
  const refused = { message: /^oidc: verify token: failed to verify/ };
  t.equal(await subjectOf(good), "jane");
  t.equal(await subjectOf(await issuer.token({}, undefined, { alg: "RS512" })), "jane");
  await t.rejects(subjectOf(await issuer.token({}, undefined, { alg: "RS384" })), refused, "not among the algorithms");
  await t.rejects(subjectOf(`${header({ alg: "none" })}.${payload}.`), refused);
  await t.rejects(subjectOf(`${header({ alg: "HS256", kid: "first" })}.${payload}.${signature}`), refused);
  await t.rejects(subjectOf(await issuer.token({}, { ...issuerKey("first") })), refused, "the name is not the key");
});

test("a token that does not name its key is tried with each", async (t) => {
  const issuer = await startOidcIssuer(t);
  const { subjectOf } = providerOf(t, issuer);
  issuer.keys.push(issuerKey("second"));
  t.equal(await subjectOf(await issuer.token({ sub: "ann" }, issuer.keys[1], { kid: undefined as never })), "ann");
});
