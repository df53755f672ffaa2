// ID tokens of a real issuer over TLS before a real apiserver process.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { tokenreviews } from "@picokube/api/authentication/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { Agent, request } from "undici";
import { issuerKey, startOidcIssuer } from "../testing/oidc-issuer.js";

test("H1 ID tokens of an OpenID issuer are users of the cluster", async (t) => {
  const issuer = await startOidcIssuer(t);
  const server = await startApiServer(t, {
    flags: [
      `--oidc-issuer-url=${issuer.url}`,
      "--oidc-client-id=kubectl",
      `--oidc-ca-file=${issuer.caFile}`,
      "--oidc-groups-claim=roles",
      "--oidc-groups-prefix=oidc:",
      "--oidc-required-claim=hd=example.com",
    ],
  });
  const agent = new Agent({ connect: { ca: readFileSync(join(server.pkiDirectory, "ca.crt")) } });
  t.teardown(() => agent.destroy());
  const whoami = async (token: string) => {
    const answer = await request(`${server.url}/apis/authentication.k8s.io/v1/selfsubjectreviews`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" }),
      dispatcher: agent,
    });
    // biome-ignore lint/suspicious/noExplicitAny: the test reads whatever the server answers
    return { code: answer.statusCode, json: (await answer.body.json()) as any };
  };
  const review = async (token: string) =>
    (await server.client.create(tokenreviews, { spec: { token } } as never)).status as { error?: string };

  t.equal(issuer.asked.size, 0, "nobody is asked before a token comes");
  const good = { hd: "example.com", roles: ["dev"] };
  const { code, json } = await whoami(await issuer.token(good));
  t.equal(code, 201);
  t.same(json.status.userInfo, { username: `${issuer.url}#jane`, groups: ["oidc:dev", "system:authenticated"] });

  const seconds = Math.floor(Date.now() / 1000);
  const refused: [why: RegExp, token: string][] = [
    [/token is expired/, await issuer.token({ ...good, exp: seconds - 10 })],
    [/expected audience in \["kubectl"\] got \["other"\]/, await issuer.token({ ...good, aud: "other" })],
    [/required claim hd not present in ID token/, await issuer.token({})],
    [/failed to verify id token signature/, await issuer.token(good, issuerKey("first"))],
    [/invalid bearer token/, await issuer.token({ ...good, iss: "https://other.example.com" })],
  ];
  for (const [why, token] of refused) {
    t.match(await whoami(token), { code: 401, json: { kind: "Status", message: "Unauthorized" } }, String(why));
    t.match(await review(token), { authenticated: false, error: why });
  }
  const elsewhere = { spec: { token: await issuer.token(good), audiences: ["vault"] } } as never;
  t.match(
    (await server.client.create(tokenreviews, elsewhere)).status,
    { authenticated: false },
    "an ID token is for the apiserver alone",
  );
});
