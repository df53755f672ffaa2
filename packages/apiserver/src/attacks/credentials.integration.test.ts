// Attacks on who somebody is, against a real process: each gets upstream's status and stands in the audit log.

import { createHmac, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { pods, serviceaccounts } from "@picokube/api/core/v1";
import type { Resource } from "@picokube/api/resource";
import { createCa } from "@picokube/pki/ca";
import { issueCertificate } from "@picokube/pki/certificate";
import { decodeJwt, SignJWT } from "jose";
import { test } from "tap";
import { startAuditedServer } from "../testing/audited-server.js";
import { rawConnection } from "../testing/raw-connection.js";

const DAY_MS = 24 * 60 * 60 * 1000;
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const unauthorized = {
  code: 401,
  json: { kind: "Status", reason: "Unauthorized", message: "Unauthorized", code: 401 },
};

test("H1 who is nobody here gets in nowhere, and is recorded", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "front-proxy-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const frontProxy = await createCa({ commonName: "front-proxy-ca", nowMs: Date.now() });
  const frontProxyFile = join(directory, "front-proxy-ca.crt");
  writeFileSync(frontProxyFile, frontProxy.cert);
  const flags = [`--requestheader-client-ca-file=${frontProxyFile}`, "--requestheader-allowed-names=proxy"];
  const { server, file, attack } = await startAuditedServer(t, flags);
  const refused = async (why: string, attempt: Parameters<typeof attack>[0]) => {
    const outcome = await attack(attempt);
    t.match(outcome, unauthorized, why);
    t.match(outcome.audited, { user: {}, responseStatus: { code: 401 } }, `${why}, recorded`);
    t.notOk(outcome.audited.user.username, `${why}: nobody's name stands in the record`);
  };

  await t.test("certificates", async (t) => {
    const ca = { cert: file("ca.crt"), key: file("ca.key") };
    const stranger = await createCa({ commonName: "kubernetes", nowMs: Date.now() });
    const subject = { commonName: "kubernetes-admin", organizations: ["system:masters"], usages: ["client"] as const };
    const nowMs = Date.now();
    const table = {
      expired: await issueCertificate({ ca, subject, nowMs: nowMs - 366 * DAY_MS }),
      "not yet valid": await issueCertificate({ ca, subject, nowMs: nowMs + DAY_MS }),
      "of another CA with the same name": await issueCertificate({ ca: stranger, subject, nowMs }),
      "of the front proxy's CA": await issueCertificate({ ca: frontProxy, subject, nowMs }),
      "for servers alone": await issueCertificate({ ca, subject: { ...subject, usages: ["server"] }, nowMs }),
    };
    for (const [why, certificate] of Object.entries(table)) await refused(why, { certificate });
    t.equal((await attack({ certificate: await issueCertificate({ ca, subject, nowMs }) })).code, 200);
  });

  await t.test("X-Remote headers, which only the front proxy may send", async (t) => {
    const nowMs = Date.now();
    const proxyNamed = (commonName: string, ca = frontProxy) =>
      issueCertificate({ ca, subject: { commonName, organizations: [], usages: ["client"] }, nowMs });
    const headers = {
      "X-Remote-User": "root",
      "X-Remote-Group": ["system:masters", "more"],
      "X-Remote-Extra-Scopes%2Fa": "b",
    };
    const ofProxy = await attack({ certificate: await proxyNamed("proxy"), headers });
    t.match(ofProxy, { code: 200, audited: { user: { username: "root", extra: { "scopes/a": ["b"] } } } });
    t.same(ofProxy.audited.user.groups, ["system:masters", "more", "system:authenticated"]);
    await refused("a certificate of the proxy's CA with another name", {
      certificate: await proxyNamed("somebody"),
      headers,
    });
    const stranger = await createCa({ commonName: "front-proxy-ca", nowMs });
    await refused("a proxy of another CA", { certificate: await proxyNamed("proxy", stranger), headers });
    t.match(await attack({ headers }), { code: 403, audited: { user: { username: "system:anonymous" } } });
    for (const smuggled of [headers, { "x-remote-user": ["root", "admin"], X_Remote_Group: "system:masters" }]) {
      const outcome = await attack({ certificate: "kube-proxy", headers: smuggled });
      t.match(outcome, { code: 403, audited: { user: { username: "system:kube-proxy" } } });
      t.notOk(outcome.audited.user.groups?.includes("system:masters"));
    }
    const ca = { cert: file("ca.crt"), key: file("ca.key") };
    const namesake = await attack({ certificate: await proxyNamed("proxy", ca), headers });
    t.match(namesake, { code: 403, audited: { user: { username: "proxy" } } }, "the name alone does not make a proxy");
  });

  await t.test("no credential", async (t) => {
    t.match(await attack({}), {
      code: 403,
      json: {
        reason: "Forbidden",
        message:
          'secrets is forbidden: User "system:anonymous" cannot list resource "secrets" in API group "" in the namespace "default"',
      },
      audited: {
        user: { username: "system:anonymous", groups: ["system:unauthenticated"] },
        responseStatus: { code: 403 },
        annotations: { "authorization.k8s.io/decision": "forbid" },
      },
    });
    for (const authorization of ["Basic YWRtaW46YWRtaW4=", "Bearer", "Bearer ", "Negotiate x"]) {
      const outcome = await attack({ headers: { authorization } });
      t.match(outcome, { code: 403, audited: { user: { username: "system:anonymous" } } }, authorization);
    }
  });

  await t.test("tokens", async (t) => {
    const metadata = { name: "app", namespace: "default" };
    await server.client.create(serviceaccounts, { metadata } as never);
    const pod = await server.client.create(pods, {
      metadata: { name: "web", namespace: "default" },
      spec: { serviceAccountName: "app", containers: [{ name: "c", image: "i" }] },
    } as never);
    const tokenFor = async (spec: object) => {
      const request: object = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", metadata: {}, spec };
      const answer = await server.client.createSubresource(serviceaccounts as Resource, metadata, "token", request);
      return (answer as { status: { token: string } }).status.token;
    };
    const boundObjectRef = { apiVersion: "v1", kind: "Pod", name: "web", uid: pod.metadata.uid };
    const good = await tokenFor({ boundObjectRef });
    const [head = "", payload = "", signature = ""] = good.split(".");
    const header = JSON.parse(Buffer.from(head, "base64url").toString()) as object;
    t.match(await attack({ token: good }), {
      code: 403,
      audited: { user: { username: "system:serviceaccount:default:app" } },
    });

    const publicKey = file("sa.pub");
    const hs256 = (key: string) => {
      const signed = `${encode({ ...header, alg: "HS256" })}.${payload}`;
      return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
    };
    const claims = decodeJwt(good);
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const forged = new SignJWT(claims).setProtectedHeader(header as { alg: string });
    const master = encode({ ...claims, sub: "system:serviceaccount:kube-system:admin" });
    const seconds = Math.floor(Date.now() / 1000);
    const table = {
      "for another audience": await tokenFor({ audiences: ["vault"] }),
      "alg none": `${encode({ ...header, alg: "none" })}.${payload}.`,
      "alg NONE with the signature": `${encode({ ...header, alg: "NONE" })}.${payload}.${signature}`,
      "HS256 with the public key": hs256(publicKey),
      "HS256 with the public key, trimmed": hs256(publicKey.trim()),
      "signed by a key of the attacker's": await forged.sign(privateKey),
      "with the attacker's key in its header": await new SignJWT(claims)
        .setProtectedHeader({ ...(header as { alg: string }), jwk: { kty: "RSA" }, jku: "https://evil.example.com" })
        .sign(privateKey),
      "with other claims under the signature": `${head}.${master}.${signature}`,
      "without its signature": `${head}.${payload}.`,
      "without its header": `.${payload}.${signature}`,
      "of another issuer": await new SignJWT({ ...claims, iss: "https://evil.example.com", exp: seconds + 60 })
        .setProtectedHeader(header as { alg: string })
        .sign(privateKey),
      "that is no token": "a.b.c",
      "of sixty kilobytes": "x".repeat(60_000),
    };
    for (const [why, token] of Object.entries(table)) await refused(`a token ${why}`, { token });
    await server.client.delete(pods, { namespace: "default", name: "web" }, { gracePeriodSeconds: 0 });
    await refused("a token of a deleted pod", { token: good });
    const unbound = await tokenFor({});
    t.equal((await attack({ token: unbound })).code, 403);
    await server.client.delete(serviceaccounts, metadata);
    await refused("a token of a deleted account", { token: unbound });
    await server.client.create(serviceaccounts, { metadata } as never);
    await refused("a token of an account that was made anew", { token: unbound });
  });

  await t.test("TLS below 1.2", async (t) => {
    for (const version of ["TLSv1", "TLSv1.1"] as const) {
      const failure = await new Promise<string>((resolve) => {
        const socket = connect({
          host: "127.0.0.1",
          port: Number(new URL(server.url).port),
          rejectUnauthorized: false,
          minVersion: version,
          maxVersion: version,
          // Otherwise our own side would already refuse to speak it.
          ciphers: "DEFAULT@SECLEVEL=0",
        });
        socket.once("secureConnect", () => resolve("connected"));
        socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      });
      t.equal(failure, "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", version);
    }
  });

  await t.test("floods", async (t) => {
    const long = await attack({ headers: { "user-agent": `evil/${"x".repeat(50_000)}` } });
    t.equal(long.code, 403);
    t.match(long.audited.userAgent, /^evil\/x+\.\.\.TRUNCATED$/);
    t.ok(long.audited.userAgent!.length < 1100, "the record is not filled by it");
    const flood = await rawConnection(server, "kube-scheduler");
    flood.write(
      `GET /api/v1/secrets HTTP/1.1\r\nHost: a\r\n${"X-Flood: 0123456789012345678901234567890\r\n".repeat(4000)}\r\n`,
    );
    t.match(await flood.closed(), /^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
    const slow = await Promise.all(Array.from({ length: 50 }, () => rawConnection(server, "kube-scheduler")));
    for (const connection of slow) connection.write("GET /api/v1/secrets HTTP/1.1\r\nHost: a\r\nX-Slow: ");
    t.equal((await attack({ certificate: "admin" })).code, 200, "who is slow holds nobody up");
    t.same(
      slow.map((connection) => connection.received()),
      slow.map(() => ""),
      "and gets nothing",
    );
    for (const connection of slow) connection.destroy();
  });
  t.notMatch(server.log(), /a request failed/);
});
