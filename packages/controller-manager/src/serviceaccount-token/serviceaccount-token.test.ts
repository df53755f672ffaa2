// Tokens in Secrets against a real apiserver: filled, believed, mended, and gone with their account.

import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { tokenreviews } from "@picokube/api/authentication/v1";
import { type Secret, secrets, serviceaccounts } from "@picokube/api/core/v1";
import { isNotFound } from "@picokube/api/errors";
import { serviceAccountJwtSigner } from "@picokube/pki/service-account-jwt";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { serviceAccountTokenController } from "./serviceaccount-token-controller.js";
import { ACCOUNT_NAME, ACCOUNT_UID, filledSecret } from "./serviceaccount-token-plan.js";

const decode = (text: unknown) => Buffer.from((text as string | undefined) ?? "", "base64").toString();

test("H1 a Secret for a ServiceAccount's token is filled, and goes with the account", async (t) => {
  const { client, pkiDirectory } = await startApiServer(t);
  const file = (name: string) => join(pkiDirectory, name);
  const options = { serviceAccountPrivateKeyFile: file("sa.key"), rootCaFile: file("ca.crt") };
  const create = [serviceAccountTokenController];
  runControllers(t, { client, options, create });
  const metadata = { name: "robot", namespace: "default" };
  const account = await client.create(serviceaccounts, { metadata } as never);
  const tokenSecret = (name: string, annotations: object) =>
    client.create(secrets, {
      metadata: { name, namespace: "default", annotations },
      type: "kubernetes.io/service-account-token",
    } as never);
  await tokenSecret("robot-token", { [ACCOUNT_NAME]: "robot" });
  await tokenSecret("nobody-token", { [ACCOUNT_NAME]: "nobody" });
  await tokenSecret("other-token", { [ACCOUNT_NAME]: "robot", [ACCOUNT_UID]: "of-another-robot" });
  const read = (name: string) => client.get(secrets, { namespace: "default", name });
  const filled = () =>
    eventually("the Secret is filled", async () => {
      const secret = await read("robot-token");
      return secret.data?.token && secret.data["ca.crt"] ? secret : undefined;
    });
  const isGone = (name: string) => eventually(`${name} is gone`, async () => read(name).then(() => false, isNotFound));

  await filled();
  const secret = await read("robot-token");
  t.equal(decode(secret.data?.namespace), "default");
  t.equal(decode(secret.data?.["ca.crt"]), readFileSync(file("ca.crt"), "utf8"));
  t.equal(secret.metadata.annotations?.[ACCOUNT_UID], account.metadata.uid);
  const token = decode(secret.data?.token);
  const review = async () =>
    (await client.create(tokenreviews, { spec: { token } } as never)).status as { authenticated?: boolean };
  t.match(await review(), { authenticated: true, user: { username: "system:serviceaccount:default:robot" } });
  await isGone("nobody-token");
  await isGone("other-token");

  const { token: _, "ca.crt": __, ...rest } = secret.data as { [key: string]: string };
  await client.update(secrets, {
    ...secret,
    data: { ...rest, "ca.crt": Buffer.from("old").toString("base64") },
  } as Secret);
  await filled();
  await eventually("the CA is mended", async () => decode((await read("robot-token")).data?.["ca.crt"]) !== "old");
  t.match(await review(), { authenticated: true }, "signed anew it is the same token");

  await client.delete(serviceaccounts, metadata);
  await isGone("robot-token");
  t.notOk((await review()).authenticated);
});

test("what a Secret lacks", (t) => {
  const account = { metadata: { name: "robot", namespace: "dev", uid: "1" } } as never;
  const base = { name: "s", namespace: "dev", annotations: { [ACCOUNT_NAME]: "robot", mine: "kept" } };
  const full = { token: "dA==", namespace: "ZGV2", "ca.crt": "Y2E=" };
  const fill = (data: object, rootCa = "ca") =>
    filledSecret({ metadata: base, data } as never, { account, rootCa, sign: () => "signed" });
  t.equal(fill(full), undefined);
  t.equal(fill({ token: "dA==", namespace: "ZGV2" }, ""), undefined, "without a CA of the flags none is asked for");
  t.match(fill({}), {
    metadata: { annotations: { mine: "kept", [ACCOUNT_NAME]: "robot", [ACCOUNT_UID]: "1" } },
    data: { token: "c2lnbmVk", namespace: "ZGV2", "ca.crt": "Y2E=" },
  });
  t.match(fill({ ...full, "ca.crt": "b2xk" }), { data: full }, "a token that is there stays");
  t.end();
});

test("tokens are signed by keys of each kind", (t) => {
  for (const [namedCurve, alg] of [
    ["P-256", "ES256"],
    ["P-384", "ES384"],
    ["P-521", "ES512"],
  ] as const) {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve });
    const [head = ""] = serviceAccountJwtSigner(privateKey.export({ type: "pkcs8", format: "pem" }) as string)(
      {},
    ).split(".");
    t.match(JSON.parse(Buffer.from(head, "base64url").toString()), { alg, kid: /^[\w-]{43}$/ });
  }
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  t.throws(() => serviceAccountJwtSigner(pem), /unsupported service account key type "ed25519"/);
  t.end();
});
