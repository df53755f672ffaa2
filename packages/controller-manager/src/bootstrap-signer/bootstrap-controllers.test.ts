// Bootstrap tokens against a real apiserver: cluster-info carries each one's signature, expired ones go.

import { createHmac } from "node:crypto";
import { configmaps, type Secret, secrets } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { isNotFound } from "@picokube/api/errors";
import type { Client } from "@picokube/client/client";
import { detachedSignature } from "@picokube/pki/detached-signature";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { tokenCleanerController } from "../token-cleaner/token-cleaner-controller.js";
import { bootstrapSignerController } from "./bootstrap-signer-controller.js";

const token = (id: string, fields: { [field: string]: string } = {}): Secret =>
  ({
    metadata: { name: `bootstrap-token-${id}`, namespace: "kube-system" },
    type: "bootstrap.kubernetes.io/token",
    stringData: { "token-id": id, "token-secret": "0123456789abcdef", "usage-bootstrap-signing": "true", ...fields },
  }) as unknown as Secret;

const info = async (client: Client) =>
  (await client.get(configmaps, { name: "cluster-info", namespace: "kube-public" })).data ?? {};

test("a signature is a JWS without its payload", (t) => {
  const signature = detachedSignature("content", { id: "abcdef", secret: "0123456789abcdef" });
  const [header = "", payload, mark] = signature.split(".");
  t.same(JSON.parse(Buffer.from(header, "base64url").toString()), { alg: "HS256", kid: "abcdef" });
  t.equal(payload, "");
  const signed = `${header}.${Buffer.from("content").toString("base64url")}`;
  t.equal(mark, createHmac("sha256", "0123456789abcdef").update(signed).digest("base64url"));
  t.end();
});

test("cluster-info is signed by every token that may, as they come and go", async (t) => {
  const { client } = await startApiServer(t);
  runControllers(t, { client, create: [bootstrapSignerController] });
  await client.create(secrets, token("aaaaaa"));
  await client.create(secrets, token("bbbbbb", { "usage-bootstrap-signing": "false" }));
  await client.create(secrets, token("cccccc", { expiration: "2020-01-01T00:00:00Z" }));
  await client.create(configmaps, {
    metadata: { name: "cluster-info", namespace: "kube-public" },
    data: { kubeconfig: "first", "jws-kubeconfig-zzzzzz": "old" },
  });
  const signature = (content: string, id: string) => detachedSignature(content, { id, secret: "0123456789abcdef" });
  const becomes = (wanted: object) =>
    eventually(`cluster-info is ${JSON.stringify(wanted)}`, async () => {
      return semanticDeepEqual(await info(client), wanted);
    });
  await becomes({ "jws-kubeconfig-aaaaaa": signature("first", "aaaaaa"), kubeconfig: "first" });
  const current = await client.get(configmaps, { name: "cluster-info", namespace: "kube-public" });
  await client.update(configmaps, { ...current, data: { ...current.data, kubeconfig: "second" } });
  await client.create(secrets, token("dddddd"));
  await becomes({
    "jws-kubeconfig-aaaaaa": signature("second", "aaaaaa"),
    "jws-kubeconfig-dddddd": signature("second", "dddddd"),
    kubeconfig: "second",
  });
  await client.delete(secrets, { name: "bootstrap-token-aaaaaa", namespace: "kube-system" });
  await becomes({ "jws-kubeconfig-dddddd": signature("second", "dddddd"), kubeconfig: "second" });
});

test("expired tokens are deleted, others stay", async (t) => {
  const { client } = await startApiServer(t);
  const clock = steppingClock(Date.parse("2026-11-21T12:00:00Z"));
  await client.create(secrets, token("aaaaaa", { expiration: "2026-11-21T13:00:00Z" }));
  await client.create(secrets, token("bbbbbb"));
  await client.create(secrets, token("cccccc", { expiration: "2026-11-21T11:00:00Z" }));
  runControllers(t, { client, create: [tokenCleanerController], clock });
  const isGone = (id: string) => async () => {
    try {
      await client.get(secrets, { name: `bootstrap-token-${id}`, namespace: "kube-system" });
      return false;
    } catch (error) {
      if (isNotFound(error)) return true;
      throw error;
    }
  };
  await eventually("the expired one is gone", isGone("cccccc"));
  t.notOk(await isGone("aaaaaa")());
  await clock.advance(60 * 60 * 1000);
  await eventually("the other's hour has come", isGone("aaaaaa"));
  t.notOk(await isGone("bbbbbb")(), "one without an end stays");
});
