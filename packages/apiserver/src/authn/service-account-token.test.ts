// Tokens as they are handed out, and every way to forge or outlive one.

import { createHmac, generateKeyPairSync, type KeyObject } from "node:crypto";
import { pods, secrets, serviceaccounts } from "@picokube/api/core/v1";
import type { Resource } from "@picokube/api/resource";
import { SignJWT } from "jose";
import { test } from "tap";
import { plainStorage } from "../testing/plain-storage.js";
import { algorithmOf, keyId } from "./service-account-keys.js";
import { serviceAccountTokenAuthenticator } from "./service-account-token.js";
import { createTokenSigner } from "./token-signer.js";

const ISSUER = "https://kubernetes.default.svc.cluster.local";
const NOW_S = 1_800_000_000;

function keys(type: "rsa" | "ec") {
  const pair: { privateKey: KeyObject; publicKey: KeyObject } =
    type === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const verification = { id: keyId(pair.publicKey), key: pair.publicKey, algorithm: algorithmOf(pair.publicKey) };
  return { ...pair, verification };
}

function scene(type: "rsa" | "ec" = "ec") {
  const pair = keys(type);
  const clock = { nowMs: NOW_S * 1000 };
  const storage = plainStorage(
    [serviceaccounts as Resource, { metadata: { name: "app", namespace: "dev", uid: "sa-1" } }],
    [pods as Resource, { metadata: { name: "web", namespace: "dev", uid: "pod-1" } }],
  );
  const authenticator = serviceAccountTokenAuthenticator({
    keys: [pair.verification],
    issuers: [ISSUER],
    apiAudiences: [ISSUER],
    storage,
    now: () => clock.nowMs,
  });
  const signer = createTokenSigner({ ...pair, issuer: ISSUER });
  const sign = (options: { audiences?: string[]; expiresAt?: number; uid?: string } = {}) =>
    signer.sign({
      claims: {
        namespace: "dev",
        serviceaccount: { name: "app", uid: options.uid ?? "sa-1" },
        pod: { name: "web", uid: "pod-1" },
      },
      audiences: options.audiences ?? [ISSUER],
      issuedAt: NOW_S,
      expiresAt: options.expiresAt ?? NOW_S + 3600,
    });
  return { ...pair, clock, storage, authenticator, sign };
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

for (const type of ["rsa", "ec"] as const) {
  test(`a good ${type} token`, async (t) => {
    const { authenticator, sign } = scene(type);
    const result = await authenticator.authenticateToken(await sign(), [ISSUER]);
    t.match(result, {
      user: {
        name: "system:serviceaccount:dev:app",
        uid: "sa-1",
        groups: ["system:serviceaccounts", "system:serviceaccounts:dev"],
        extra: { "authentication.kubernetes.io/pod-name": ["web"], "authentication.kubernetes.io/pod-uid": ["pod-1"] },
      },
      audiences: [ISSUER],
    });
  });
}

test("forged tokens", async (t) => {
  const { authenticator, sign, publicKey } = scene("rsa");
  const good = await sign();
  const [header = "", payload = "", signature = ""] = good.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
  const pem = publicKey.export({ type: "spki", format: "pem" });
  const hs256 = `${encode({ alg: "HS256" })}.${payload}`;
  const forged: { [attack: string]: string } = {
    "alg none": `${encode({ alg: "none" })}.${payload}.`,
    "alg none with a signature": `${encode({ alg: "none" })}.${payload}.${signature}`,
    "HS256 with the public key": `${hs256}.${createHmac("sha256", pem).update(hs256).digest("base64url")}`,
    "another account": `${header}.${encode({ ...claims, sub: "system:serviceaccount:kube-system:admin" })}.${signature}`,
    "another's key": await scene("rsa").sign(),
    "no signature": `${header}.${payload}.`,
  };
  for (const [attack, token] of Object.entries(forged)) {
    await t.rejects(authenticator.authenticateToken(token, [ISSUER]), { code: 401, message: "Unauthorized" }, attack);
  }
  t.equal(await authenticator.authenticateToken("not-a-jwt", [ISSUER]), undefined, "left to others");
  t.ok(await authenticator.authenticateToken(good, [ISSUER]));
});

test("good signatures that do not count", async (t) => {
  const { authenticator, sign, clock, storage } = scene();
  const other = await sign({ audiences: ["vault"] });
  await t.rejects(authenticator.authenticateToken(other, [ISSUER]), { code: 401 }, "another audience");
  t.ok(await authenticator.authenticateToken(other, ["vault"]), "right for its own audience");
  await t.rejects(
    authenticator.authenticateToken(await sign({ uid: "sa-0" }), [ISSUER]),
    { code: 401 },
    "an earlier account",
  );

  const token = await sign({ expiresAt: NOW_S + 600 });
  t.ok(await authenticator.authenticateToken(token, [ISSUER]));
  clock.nowMs += 600_000;
  await t.rejects(authenticator.authenticateToken(token, [ISSUER]), { code: 401 }, "expired, although remembered");
  clock.nowMs -= 600_000;

  await storage.for(pods).update("dev", "web", (pod) => {
    pod.metadata.deletionTimestamp = new Date((NOW_S - 30) * 1000).toISOString();
  });
  t.ok(await authenticator.authenticateToken(token, [ISSUER]), "its pod is going");
  clock.nowMs += 31_000;
  await t.rejects(authenticator.authenticateToken(token, [ISSUER]), { code: 401 }, "its pod should be gone");
  await storage.for(pods).delete("dev", "web");
  await t.rejects(authenticator.authenticateToken(token, [ISSUER]), { code: 401 }, "its pod is gone");
});

test("tokens of Secrets count as long as a Secret holds them", async (t) => {
  const { authenticator, storage, privateKey, verification } = scene();
  const legacy = (more: object = {}) =>
    new SignJWT({
      "kubernetes.io/serviceaccount/namespace": "dev",
      "kubernetes.io/serviceaccount/secret.name": "app-token",
      "kubernetes.io/serviceaccount/service-account.name": "app",
      "kubernetes.io/serviceaccount/service-account.uid": "sa-1",
      sub: "system:serviceaccount:dev:app",
      iss: "kubernetes/serviceaccount",
      ...more,
    })
      .setProtectedHeader({ alg: verification.algorithm, kid: verification.id })
      .sign(privateKey);
  const token = await legacy();
  const ask = (each: string) => authenticator.authenticateToken(each, [ISSUER]);
  const refused = (message: string) => ({ code: 401, cause: { message } });
  await t.rejects(ask(token), refused("token has been invalidated"), "no Secret holds it");
  const data = { token: Buffer.from(token).toString("base64") };
  await storage.for(secrets).create({ metadata: { name: "app-token", namespace: "dev" }, data } as never);
  t.match(await ask(token), { user: { name: "system:serviceaccount:dev:app" }, audiences: [ISSUER] });
  await t.rejects(ask(await legacy({ iat: 1 })), refused("token does not match server's copy"));
  const nameless = await legacy({ "kubernetes.io/serviceaccount/secret.name": "" });
  await t.rejects(ask(nameless), refused("secretName claim is missing"));
  await storage.for(secrets).delete("dev", "app-token");
  await t.rejects(ask(token), refused("token has been invalidated"), "its Secret is gone");
});
