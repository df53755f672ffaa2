// --authentication-config and --authorization-config before a real apiserver: two issuers, anonymous requests to one path,
// and a webhook without which nothing is allowed.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { Agent, request } from "undici";
import { startOidcIssuer } from "../testing/oidc-issuer.js";
import { startReviewServer } from "../testing/review-server.js";

const GROUP = "apiserver.config.k8s.io";

test("H1 H2 authentication and authorisation by configuration files", async (t) => {
  const [first, second] = await Promise.all([startOidcIssuer(t), startOidcIssuer(t)]);
  const hook = await startReviewServer(t, ({ spec }) => ({ allowed: spec.user === "second:jane", reason: "hook" }));
  const directory = mkdtempSync(join(tmpdir(), "structured-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const [authentication, authorization] = [join(directory, "authentication"), join(directory, "authorization")];
  const jwt = [first, second].map(({ url, caFile }, index) => ({
    issuer: {
      url,
      audiences: ["kubectl", "web"],
      audienceMatchPolicy: "MatchAny",
      certificateAuthority: readFileSync(caFile, "utf8"),
    },
    claimMappings: {
      username: { claim: "sub", prefix: index === 0 ? "first:" : "second:" },
      groups: { claim: "roles", prefix: "" },
      uid: { claim: "id" },
    },
  }));
  const anonymous = { enabled: true, conditions: [{ path: "/livez" }] };
  const head = (kind: string, version: string) => ({ apiVersion: `${GROUP}/${version}`, kind });
  writeFileSync(authentication, JSON.stringify({ ...head("AuthenticationConfiguration", "v1beta1"), jwt, anonymous }));
  const webhook = {
    timeout: "10s",
    authorizedTTL: "1ms",
    unauthorizedTTL: "1ms",
    subjectAccessReviewVersion: "v1",
    failurePolicy: "Deny",
    connectionInfo: { type: "KubeConfigFile", kubeConfigFile: hook.kubeconfig },
  };
  const authorizers = [
    { type: "Webhook", name: "hook", webhook },
    { type: "RBAC", name: "rbac" },
  ];
  writeFileSync(authorization, JSON.stringify({ ...head("AuthorizationConfiguration", "v1"), authorizers }));
  const flags = [`--authentication-config=${authentication}`, `--authorization-config=${authorization}`];
  const server = await startApiServer(t, { flags });
  const agent = new Agent({ connect: { ca: readFileSync(join(server.pkiDirectory, "ca.crt")) } });
  t.teardown(() => agent.destroy());
  const get = async (path: string, token?: string) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await request(`${server.url}${path}`, { headers, dispatcher: agent });
    return { code: answer.statusCode, text: await answer.body.text() };
  };
  t.equal((await get("/livez")).code, 200);
  t.equal((await get("/readyz")).code, 401, "anonymous goes nowhere else");
  t.equal((await get("/livez/ping")).code, 401);
  const tokens = await Promise.all(
    [first, second].map((issuer) => issuer.token({ aud: "web", roles: ["a"], id: "7" })),
  );
  t.match(await get("/api/v1/secrets", tokens[0]), { code: 403, text: /User \\"first:jane\\" cannot list/ });
  t.match(hook.asked.at(-1), { spec: { user: "first:jane", uid: "7", groups: ["a", "system:authenticated"] } });
  t.equal((await get("/api/v1/secrets", tokens[1])).code, 200);
  t.equal((await get("/version", tokens[0])).code, 200, "the hook has no opinion, RBAC has");
  await hook.close();
  t.equal((await get("/version", tokens[0])).code, 500, "without the hook nothing is allowed");
  t.equal((await server.client.raw({ method: "GET", path: "/version" })).status, 200, "but to system:masters");
});
