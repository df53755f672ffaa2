// KMS v2 with a real apiserver: what lies in the store, a key that changes, a plugin that goes away and comes back.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import { openLevelDbStore } from "@picokube/store/leveldb/store";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { startKmsPlugin } from "../../testing/kms-plugin.js";

test("H3 secrets are encrypted by a KMS plugin", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "kms-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const plugin = await startKmsPlugin(t, join(directory, "kms.sock"));
  const path = join(directory, "encryption.json");
  const providers = [
    { kms: { apiVersion: "v2", name: "vault", endpoint: plugin.endpoint, timeout: "20s" } },
    { identity: {} },
  ];
  const configuration = { resources: [{ resources: ["secrets"], providers }] };
  const head = { apiVersion: "apiserver.config.k8s.io/v1", kind: "EncryptionConfiguration" };
  writeFileSync(path, JSON.stringify({ ...head, ...configuration }));
  const server = await startApiServer(t, { flags: [`--encryption-provider-config=${path}`] });
  // The plugin lives in this process: kubectl must not hold it up.
  const kubectl = (...args: string[]) =>
    spawnSync("kubectl", ["--kubeconfig", server.kubeconfig, ...args], { encoding: "utf8" });
  const { client } = server;
  const secretPath = "/api/v1/namespaces/default/secrets";
  const word = async (name: string) => {
    const answer = await client.raw({ method: "GET", path: `${secretPath}/${name}` });
    const secret = JSON.parse(await textOf(answer.body)) as { data?: { word: string }; message?: string };
    return secret.data ? Buffer.from(secret.data.word, "base64").toString() : secret.message;
  };
  const write = (method: "POST" | "PUT", name: string) => {
    const body = { apiVersion: "v1", kind: "Secret", metadata: { name }, stringData: { word: "hushhush" } };
    const target = method === "POST" ? secretPath : `${secretPath}/${name}`;
    return client.raw({ method, path: target, body }).then(({ status, body: answer }) => {
      answer.resume();
      return status;
    });
  };
  const stored = async (name: string) => {
    await server.stop();
    const logger = createLogger({ name: "test" });
    const store = await openLevelDbStore({ directory: server.dataDirectory, logger, clock: realClock() });
    const pair = await store.get(`/registry/secrets/default/${name}`);
    await store.close();
    return pair?.value.toString("latin1") ?? "";
  };
  t.equal(await write("POST", "first"), 201);
  t.equal(await word("first"), "hushhush");
  const bytes = await stored("first");
  t.match(bytes, /^k8s:enc:kms:v2:vault:\n/);
  t.notMatch(bytes, /hushhush|aHVzaGh1c2g=/);
  t.match(bytes, "key-1", "which key it was stands beside it");

  plugin.keyId = "key-2";
  await server.restart();
  t.equal(await word("first"), "hushhush", "what the old key encrypted is read");
  t.equal(await write("PUT", "first"), 200);
  t.equal(await write("POST", "second"), 201);
  t.match(await stored("first"), "key-2", "a write without a change takes the new key");

  await server.restart();
  const healthz = await client.raw({ method: "GET", path: "/healthz/kms-providers" });
  t.equal(await textOf(healthz.body), "ok");
  t.equal(await word("second"), "hushhush");
  await plugin.close();
  t.equal(await word("second"), "hushhush", "what is served needs no plugin");
  t.equal(await write("POST", "third"), 201, "nor does a write with the seed of a moment ago");
  t.equal(kubectl("get", "secret", "third").status, 0);
});

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
