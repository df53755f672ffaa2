// A kms provider with a real gRPC plugin on a socket: seeds, keys that change, a plugin that is away; the stored bytes as
// upstream reads them; and what is wrong with configurations.

import { createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "@picokube/component-base/logger";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { type Test, test } from "tap";
import { startKmsPlugin } from "../../testing/kms-plugin.js";
import { readMessage } from "../../testing/wire-message.js";
import { aesGcm } from "../aes-gcm.js";
import { validateEncryptionConfiguration } from "../encryption-configuration.js";
import { extendedNonceGcm } from "./extended-nonce-gcm.js";
import { decodeMessage, encodeMessage, encryptedObject } from "./kms-messages.js";
import { type KmsProvider, kmsProvider } from "./kms-provider.js";
import { kmsService } from "./kms-service.js";

const PATH = "/registry/secrets/default/s";
const HELLO = Buffer.from("hello");

async function scene(t: Test) {
  const directory = mkdtempSync(join(tmpdir(), "kms-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const plugin = await startKmsPlugin(t, join(directory, "kms.sock"));
  const clock = steppingClock();
  const made = (timeoutMs = 20_000) => {
    const service = kmsService({ endpoint: plugin.endpoint, timeoutMs });
    t.teardown(() => service.close());
    let changes = 0;
    const logger = createLogger({ name: "test" });
    const provider = kmsProvider({ name: "kms", service, clock, logger, onChange: () => void changes++ });
    return { provider, service, changes: () => changes };
  };
  return { plugin, clock, made };
}

test("values are encrypted by a seed that the plugin encrypts once", async (t) => {
  const { plugin, made } = await scene(t);
  const { provider } = made();
  t.throws(() => provider.check(), /was not asked yet/);
  await t.rejects(Promise.resolve(provider.transformer.toStorage(HELLO, PATH)), /has no key yet/);
  await provider.probe();
  provider.check();
  const stored: Buffer[] = [];
  for (let count = 0; count < 50; count++) stored.push(await provider.transformer.toStorage(HELLO, PATH));
  t.equal(new Set(stored.map((bytes) => bytes.toString("hex"))).size, 50, "never the same twice");
  for (const bytes of stored)
    t.same(await provider.transformer.fromStorage(bytes, PATH), { plain: HELLO, stale: false });
  t.same(plugin.calls, { Status: 1, Encrypt: 1, Decrypt: 0 });

  const other = made().provider;
  await other.probe();
  for (const bytes of stored) t.same(await other.transformer.fromStorage(bytes, PATH), { plain: HELLO, stale: false });
  t.equal(plugin.calls.Decrypt, 1, "another apiserver asks the plugin for the seed, and remembers it");
  const moved = Promise.resolve(provider.transformer.fromStorage(stored[0]!, "/registry/secrets/default/t"));
  await t.rejects(moved, { message: "cipher: message authentication failed" }, "a value cannot be moved");
});

test("the stored bytes are upstream's EncryptedObject", async (t) => {
  const { plugin, made } = await scene(t);
  const { provider, service } = made();
  await provider.probe();
  const fields = new Map(
    readMessage(await provider.transformer.toStorage(HELLO, PATH)).map((each) => [each.number, each]),
  );
  t.same([...fields.keys()], [1, 2, 3, 4, 5]);
  t.equal(fields.get(2)!.bytes.toString(), plugin.keyId);
  t.equal(fields.get(5)!.varint, 1n, "HKDF_SHA256_XNONCE_AES_GCM_SEED");
  const annotations = decodeMessage(encryptedObject, await provider.transformer.toStorage(HELLO, PATH)).annotations;
  t.same(Object.keys(annotations), ["kms.example.com/nonce"]);
  const seed = await service.decrypt({ ciphertext: fields.get(3)!.bytes, keyId: plugin.keyId, annotations });
  t.equal(seed.length, 32);
  // By hand: info of 32 bytes, nonce of 12, ciphertext, tag of 16, the key HKDF-Expand(SHA-256, seed, info).
  const data = fields.get(1)!.bytes;
  const key = createHmac("sha256", seed)
    .update(Buffer.concat([data.subarray(0, 32), Buffer.from([1])]))
    .digest();
  const decipher = createDecipheriv("aes-256-gcm", key, data.subarray(32, 44)).setAAD(Buffer.from(PATH));
  decipher.setAuthTag(data.subarray(-16));
  const plain = Buffer.concat([decipher.update(data.subarray(44, -16)), decipher.final()]);
  t.equal(plain.toString(), "hello");
});

test("the older kind of upstream's objects, a data key, is read and stale", async (t) => {
  const { plugin, made } = await scene(t);
  const { provider, service } = made();
  await provider.probe();
  const dek = randomBytes(32);
  const { ciphertext, annotations } = await service.encrypt(dek);
  const encryptedData = await aesGcm(dek).toStorage(HELLO, PATH);
  const object = { encryptedData, keyId: plugin.keyId, encryptedDekSource: ciphertext, annotations };
  const stored = encodeMessage(encryptedObject, { ...object, encryptedDekSourceType: 0 });
  t.same(await provider.transformer.fromStorage(stored, PATH), { plain: HELLO, stale: true });
  const unknown = encodeMessage(encryptedObject, { ...object, encryptedDekSourceType: 7 });
  await t.rejects(
    Promise.resolve(provider.transformer.fromStorage(unknown, PATH)),
    /unknown encryptedDEKSourceType: 7/,
  );
});

test("a new key of the plugin makes what is stored stale", async (t) => {
  const { plugin, clock, made } = await scene(t);
  const { provider, changes } = made();
  await provider.probe();
  t.equal(changes(), 1);
  const stored = await provider.transformer.toStorage(HELLO, PATH);
  await clock.advance(60_000);
  await provider.probe();
  t.equal(changes(), 1, "the same key changes nothing");
  plugin.keyId = "key-2";
  await provider.probe();
  t.equal(changes(), 2);
  t.same(await provider.transformer.fromStorage(stored, PATH), { plain: HELLO, stale: true });
  const anew = await provider.transformer.toStorage(HELLO, PATH);
  t.same(await provider.transformer.fromStorage(anew, PATH), { plain: HELLO, stale: false });
  t.equal(plugin.calls.Encrypt, 2);
});

test("a plugin that is ill is told of in words", async (t) => {
  const { plugin, made } = await scene(t);
  const { provider } = made();
  for (const [field, value, words] of [
    ["healthz", "no HSM", /got unexpected healthz status: no HSM/],
    ["version", "v3", /unsupported KMS API version v3/],
    ["keyId", "", /keyID is empty/],
  ] as const) {
    const good = plugin[field];
    plugin[field] = value;
    await provider.probe();
    t.throws(() => provider.check(), words);
    plugin[field] = good;
  }
  await provider.probe();
  provider.check();
});

/** Calls may time out on a busy machine. */
async function untilWell(provider: KmsProvider): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await provider.probe();
    try {
      return provider.check();
    } catch (error) {
      if (attempt === 60) throw error;
    }
  }
}

test("while the plugin is away what is known is served, and writes go on for three minutes", async (t) => {
  const { plugin, clock, made } = await scene(t);
  const { provider } = made(1_000);
  await untilWell(provider);
  const stored = await provider.transformer.toStorage(HELLO, PATH);
  await plugin.close();
  await provider.probe();
  t.throws(() => provider.check());
  t.same(await provider.transformer.fromStorage(stored, PATH), { plain: HELLO, stale: false });
  await provider.transformer.toStorage(HELLO, PATH);
  const stranger = made(1_000).provider;
  await t.rejects(Promise.resolve(stranger.transformer.fromStorage(stored, PATH)), {
    message: /^failed to decrypt DEK, error: /,
  });
  await clock.advance(181_000);
  await t.rejects(Promise.resolve(provider.transformer.toStorage(HELLO, PATH)), {
    message: /^encryptedDEKSource with keyID hash "sha256:[0-9a-f]{64}" expired at 2026-01-01T00:03:00/,
  });
  t.same(await provider.transformer.fromStorage(stored, PATH), { plain: HELLO, stale: false }, "reads go on");
  await plugin.open();
  await untilWell(provider);
  await provider.transformer.toStorage(HELLO, PATH);
});

test("a seed's values cannot be read by another, nor when they are short", async (t) => {
  const [one, two] = [extendedNonceGcm(randomBytes(32)), extendedNonceGcm(randomBytes(32))];
  const stored = await one.toStorage(HELLO, PATH);
  t.throws(() => two.fromStorage(stored, PATH), /message authentication failed/);
  for (const length of [0, 31, 40, 59]) {
    t.throws(() => one.fromStorage(stored.subarray(0, length), PATH), /shorter than the required size/);
  }
  t.end();
});

test("configurations that are refused", (t) => {
  const kms = { apiVersion: "v2", name: "k", endpoint: "unix:///run/kms.sock" };
  const words = (...list: object[]) =>
    validateEncryptionConfiguration({
      resources: [{ resources: ["secrets"], providers: list.map((each) => ({ kms: each })) as never }],
    }).map(({ field, message }) => `${field}: ${message}`);
  const at = "resources[0].providers[0].kms";
  t.same(words(kms), []);
  t.same(words({ ...kms, apiVersion: undefined }), [
    `${at}.apiVersion: Invalid value: "v1": KMSv1 is deprecated and will only receive security updates going forward. Use KMSv2 instead.  Set --feature-gates=KMSv1=true to use the deprecated KMSv1 feature.`,
  ]);
  t.same(words({ ...kms, apiVersion: "v3" }), [
    `${at}.apiVersion: Invalid value: "v3": unsupported apiVersion v3 for KMS provider, only v1 and v2 are supported`,
  ]);
  t.same(words({ ...kms, name: "a:b" }), [
    `${at}.name: Invalid value: "a:b": invalid KMS provider name a:b, must not contain ':'`,
  ]);
  t.same(words(kms, kms), [
    `resources[0].providers[1].kms.name: Invalid value: "k": duplicate KMS provider name k, names must be unique`,
  ]);
  t.same(words({ ...kms, timeout: "0s" }), [`${at}.timeout: Invalid value: "0s": timeout should be a positive value`]);
  t.same(words({ ...kms, cachesize: 5 }), [`${at}.cachesize: Invalid value: 5: cachesize is not supported in v2`]);
  t.same(words({ ...kms, endpoint: "https://kms" }), [
    `${at}.endpoint: Invalid value: "https://kms": unsupported scheme "https" for KMS provider, only unix is supported`,
  ]);
  t.match(words({ apiVersion: "v2" }), [/\.name: Required value/, /\.endpoint: Required value/]);
  t.end();
});
