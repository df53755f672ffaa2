// ServiceAccount tokens with a real apiserver and kubectl: others verify them by the documents, and they end with what they
// are bound to.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nodes, pods, secrets, serviceaccounts } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from "jose";
import { test } from "tap";
import { Agent, request } from "undici";

test("H1 ServiceAccount tokens can be verified by others, and end with what they are bound to", async (t) => {
  const server = await startApiServer(t);
  const agent = new Agent({ connect: { ca: readFileSync(join(server.pkiDirectory, "ca.crt")) } });
  t.teardown(() => agent.destroy());
  const get = async (path: string, token?: string) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await request(`${server.url}${path}`, { headers, dispatcher: agent });
    return { code: answer.statusCode, type: answer.headers["content-type"], text: await answer.body.text() };
  };
  const { client } = server;
  const metadata = (name: string) => ({ metadata: { name, namespace: "default" } }) as never;
  await client.create(serviceaccounts, metadata("app"));
  await client.create(secrets, metadata("seal"));
  await client.create(nodes, { metadata: { name: "n1" } } as never);
  await client.create(pods, {
    metadata: { name: "web", namespace: "default" },
    spec: { serviceAccountName: "app", nodeName: "n1", containers: [{ name: "c", image: "i" }] },
  } as never);
  const tokenOf = (...flags: string[]) => {
    const argv = ["--kubeconfig", server.kubeconfig, "create", "token", "app", ...flags];
    const { stdout, stderr, status } = spawnSync("kubectl", argv, { encoding: "utf8" });
    t.equal(status, 0, stderr);
    return stdout.trim();
  };
  const plain = tokenOf();
  const isGood = async (token: string) => (await get("/api/v1/namespaces/default/pods", token)).code === 403;

  await t.test("the discovery documents", async (t) => {
    t.equal((await get("/openid/v1/jwks")).code, 403, "not for everybody");
    const discovery = await get("/.well-known/openid-configuration", plain);
    t.equal(discovery.type, "application/json");
    const document = JSON.parse(discovery.text) as { issuer: string; jwks_uri: string };
    t.match(document, {
      issuer: "https://kubernetes.default.svc.cluster.local",
      jwks_uri: /^https:\/\/192\.0\.2\.1:\d+\/openid\/v1\/jwks$/,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
    });
    const keys = await get(new URL(document.jwks_uri).pathname, plain);
    t.equal(keys.type, "application/jwk-set+json");
    const keySet = createLocalJWKSet(JSON.parse(keys.text) as JSONWebKeySet);
    const audience = tokenOf("--audience=vault");
    const { payload } = await jwtVerify(audience, keySet, { issuer: document.issuer, audience: "vault" });
    t.equal(payload.sub, "system:serviceaccount:default:app");
    t.notOk(await isGood(audience), "what is for the vault is not for us");
  });

  await t.test("tokens bound to a Secret, a Pod and a Node", async (t) => {
    for (const [kind, name, resource, where] of [
      ["Secret", "seal", secrets, { namespace: "default" }],
      ["Pod", "web", pods, { namespace: "default" }],
      ["Node", "n1", nodes, {}],
    ] as const) {
      const token = tokenOf(`--bound-object-kind=${kind}`, `--bound-object-name=${name}`);
      const { uid } = (await client.get(resource as typeof nodes, { name, ...where } as never)).metadata;
      const claims = decodeJwt(token)["kubernetes.io"] as { [kind: string]: unknown };
      t.same(claims[kind.toLowerCase()], { name, uid }, `it names its ${kind}`);
      if (kind === "Pod") t.match(claims.node, { name: "n1" }, "and the pod's node");
      t.ok(await isGood(token));
      await client.delete(resource as typeof nodes, { name, ...where } as never, { gracePeriodSeconds: 0 });
      t.equal((await get("/api/v1/namespaces/default/pods", token)).code, 401, `it ends with its ${kind}`);
    }
    t.ok(await isGood(plain), "one that is bound to nothing lives on");
  });
});
