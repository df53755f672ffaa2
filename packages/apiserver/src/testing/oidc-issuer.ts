// An OpenID issuer on a TLS port by chance: discovery document, key set, and tokens signed by keys that a test may change.

import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCa } from "@picokube/pki/ca";
import { issueCertificate } from "@picokube/pki/certificate";
import type { TestWithTeardown } from "@picokube/testing/apiserver";
import { type JWTPayload, SignJWT } from "jose";

export interface IssuerKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export interface OidcIssuer {
  readonly url: string;
  readonly caFile: string;
  /** What the key set holds; a test may change it. */
  readonly keys: IssuerKey[];
  /** How often each path was asked for. */
  readonly asked: Map<string, number>;
  /** What the discovery document calls the issuer. */
  name: string;
  /** Answers 500 while it is true. */
  isBroken: boolean;
  /** A token of this issuer for audience "kubectl", an hour long; undefined takes a claim out. */
  token(claims?: JWTPayload, key?: IssuerKey, header?: { alg?: string; kid?: string }): Promise<string>;
}

/** A key pair of 2048 bits. */
export function issuerKey(kid: string): IssuerKey {
  return { kid, ...generateKeyPairSync("rsa", { modulusLength: 2048 }) };
}

/** Serves until the test ends. */
export async function startOidcIssuer(t: TestWithTeardown): Promise<OidcIssuer> {
  const directory = mkdtempSync(join(tmpdir(), "oidc-issuer-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const nowMs = Date.now();
  const ca = await createCa({ commonName: "issuer-ca", nowMs });
  const subject = { commonName: "issuer", usages: ["server"] as const, names: ["127.0.0.1"] };
  const { cert, key } = await issueCertificate({ ca, subject, nowMs });
  const caFile = join(directory, "ca.crt");
  writeFileSync(caFile, ca.cert);
  const keys = [issuerKey("first")];
  const asked = new Map<string, number>();
  const server = createServer({ cert, key }, (request, response) => {
    const path = request.url ?? "";
    asked.set(path, (asked.get(path) ?? 0) + 1);
    response.statusCode = issuer.isBroken ? 500 : 200;
    const documents: { [path: string]: object } = {
      "/realm/.well-known/openid-configuration": { issuer: issuer.name, jwks_uri: `${issuer.url}/keys` },
      "/realm/keys": {
        keys: keys.map(({ kid, publicKey }) => ({ kid, use: "sig", ...publicKey.export({ format: "jwk" }) })),
      },
    };
    response.end(JSON.stringify(documents[path] ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/realm`;
  const issuer: OidcIssuer = {
    url,
    caFile,
    keys,
    asked,
    name: url,
    isBroken: false,
    token: (claims = {}, { privateKey, kid } = keys[0]!, header = {}) => {
      const seconds = Math.floor(Date.now() / 1000);
      const payload = { iss: url, aud: "kubectl", sub: "jane", iat: seconds, exp: seconds + 3600, ...claims };
      return new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid, ...header }).sign(privateKey);
    },
  };
  return issuer;
}
