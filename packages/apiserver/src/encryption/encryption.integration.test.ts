// Encryption at rest with a real apiserver: what kubectl writes, what lies in the store, keys that change and get lost.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import { openLevelDbStore } from "@picokube/store/leveldb/store";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { type Test, test } from "tap";

const key = (byte: number) => Buffer.alloc(32, byte).toString("base64");
const aescbc = (name: string, byte: number) => ({ aescbc: { keys: [{ name, secret: key(byte) }] } });
const aesgcm = (name: string, byte: number) => ({ aesgcm: { keys: [{ name, secret: key(byte) }] } });
const secretbox = (name: string, byte: number) => ({ secretbox: { keys: [{ name, secret: key(byte) }] } });
const identity = { identity: {} };

function configurationFile(t: Test) {
  const directory = mkdtempSync(join(tmpdir(), "encryption-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "encryption.json");
  return {
    path,
    write: (...providers: object[]) => {
      const document = {
        apiVersion: "apiserver.config.k8s.io/v1",
        kind: "EncryptionConfiguration",
        resources: [{ resources: ["secrets", "widgets.example.com"], providers }],
      };
      writeFileSync(path, JSON.stringify(document));
    },
  };
}

function kubectlOf(server: TestApiServer) {
  return (args: string[], input?: string) => {
    const { stdout, stderr, status } = spawnSync("kubectl", ["--kubeconfig", server.kubeconfig, ...args], {
      encoding: "utf8",
      ...(input === undefined ? {} : { input }),
    });
    return { code: status, text: `${stdout}${stderr}`.trim(), stdout };
  };
}

/** The stored bytes of a secret of the default namespace; the apiserver must be stopped. */
async function storedBytes({ dataDirectory }: TestApiServer, name: string): Promise<string> {
  const logger = createLogger({ name: "test" });
  const store = await openLevelDbStore({ directory: dataDirectory, logger, clock: realClock() });
  const pair = await store.get(`/registry/secrets/default/${name}`);
  await store.close();
  return pair?.value.toString("latin1") ?? "";
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 50));
}

test("A11 secrets are encrypted at rest, keys rotate, replace encrypts anew", async (t) => {
  const configuration = configurationFile(t);
  configuration.write(identity);
  const server = await startApiServer(t, {
    flags: [`--encryption-provider-config=${configuration.path}`, "--encryption-provider-config-automatic-reload=true"],
  });
  const kubectl = kubectlOf(server);
  const create = (name: string) => kubectl(["create", "secret", "generic", name, "--from-literal=word=hushhush"]).code;
  const wordOf = (name: string) => {
    const { stdout } = kubectl(["get", "secret", name, "-o", "jsonpath={.data.word}"]);
    return Buffer.from(stdout, "base64").toString();
  };
  const replaceAll = () => {
    const { stdout } = kubectl(["get", "secrets", "-o", "json"]);
    return kubectl(["replace", "-f", "-"], stdout).code;
  };
  const stored = async (name: string) => {
    await server.stop();
    const bytes = await storedBytes(server, name);
    await server.restart();
    return bytes;
  };
  t.equal(create("first"), 0);
  t.match(await stored("first"), /^\{.*"word":"aHVzaGh1c2g="/);

  configuration.write(aescbc("key1", 1), identity);
  await server.stop();
  await server.restart();
  t.equal(wordOf("first"), "hushhush", "what was written before is read");
  t.equal(create("second"), 0);
  const second = await stored("second");
  t.match(second, /^k8s:enc:aescbc:v1:key1:/);
  t.notMatch(second, /aHVzaGh1c2g=|hushhush/);
  t.match(await stored("first"), /^\{/, "it stays as it is until it is written");
  t.equal(replaceAll(), 0);
  t.match(await stored("first"), /^k8s:enc:aescbc:v1:key1:/, "replace without a change encrypts it");

  const before = kubectl(["get", "secret", "first", "-o", "jsonpath={.metadata.resourceVersion}"]).stdout;
  replaceAll();
  const after = kubectl(["get", "secret", "first", "-o", "jsonpath={.metadata.resourceVersion}"]).stdout;
  t.equal(after, before, "what is encrypted with today's key is not written again");

  const reloads = () => server.log().split("Reloaded the encryption configuration").length - 1;
  const reloadsBefore = reloads();
  configuration.write(secretbox("box", 2), aescbc("key1", 1), identity);
  await until(() => reloads() > reloadsBefore);
  t.equal(wordOf("second"), "hushhush", "after a reload without a restart");
  t.equal(create("third"), 0);
  t.equal(replaceAll(), 0);
  t.equal(kubectl(["delete", "secret", "second"]).code, 0);
  t.match(await stored("third"), /^k8s:enc:secretbox:v1:box:/);
  t.match(await stored("first"), /^k8s:enc:secretbox:v1:box:/);
  t.equal(wordOf("first"), "hushhush");
});

test("a lost key hides its objects alone; when it comes back they are there", async (t) => {
  const configuration = configurationFile(t);
  configuration.write(aesgcm("old", 1));
  const server = await startApiServer(t, {
    flags: [`--encryption-provider-config=${configuration.path}`, "--encryption-provider-config-automatic-reload=true"],
  });
  const kubectl = kubectlOf(server);
  t.equal(kubectl(["create", "secret", "generic", "lost", "--from-literal=a=b"]).code, 0);
  t.equal(kubectl(["create", "configmap", "there", "--from-literal=a=b"]).code, 0);
  configuration.write(aesgcm("new", 2));
  await server.stop();
  await server.restart();
  const words =
    /Internal error occurred: unable to transform key "\/registry\/secrets\/default\/lost": no matching key was found for the provided AES transformer/;
  t.match(kubectl(["get", "secret", "lost"]), { code: 1, text: words });
  t.match(kubectl(["get", "secrets"]), { code: 1, text: words });
  t.match(kubectl(["delete", "secret", "lost"]), { code: 1, text: words });
  t.match(kubectl(["create", "secret", "generic", "lost"]), { code: 1, text: /already exists/ });
  t.match(kubectl(["get", "configmap", "there"]).code, 0, "nothing else breaks");
  t.equal(kubectl(["create", "namespace", "other"]).code, 0);
  t.equal(kubectl(["create", "secret", "generic", "fine", "-n", "other"]).code, 0);
  t.equal(kubectl(["get", "secrets", "-n", "other"]).code, 0);
  t.equal(kubectl(["get", "--raw", "/readyz"]).text, "ok");
  configuration.write(aesgcm("new", 2), aesgcm("old", 1));
  await until(() => kubectl(["get", "secret", "lost"]).code === 0);
  t.equal(kubectl(["get", "secrets"]).code, 0);
  writeFileSync(configuration.path, "kind: EncryptionConfiguration\n");
  await until(() => /the previous one stays in use/.test(server.log()));
  t.equal(kubectl(["get", "secret", "lost"]).code, 0, "a wrong file changes nothing");
  await server.stop();
  await t.rejects(server.restart(), /no kind "EncryptionConfiguration" is registered for version ""/);
  configuration.write({ aesgcm: { keys: [{ name: "a", secret: "c2hvcnQ=" }] } });
  await t.rejects(
    server.restart(),
    /resources\[0\]\.providers\[0\]\.aesgcm\.keys\[0\]\.secret: Invalid value: "REDACTED": secret is not of the expected length, got 5, expected one of \[16 24 32\]/,
  );
});
