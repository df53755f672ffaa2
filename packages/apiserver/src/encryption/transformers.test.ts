import { test } from "tap";
import { validateEncryptionConfiguration } from "./encryption-configuration.js";
import type { Transformer } from "./transformer.js";
import { createTransformers } from "./transformers.js";

const KEY_16 = Buffer.alloc(16, 1).toString("base64");
const KEY_32 = Buffer.alloc(32, 2).toString("base64");
const OTHER_32 = Buffer.alloc(32, 3).toString("base64");
const SECRETS = { group: "", resource: "secrets" };
const PATH = "/registry/secrets/default/s";

const keys = (...list: [name: string, secret: string][]) => ({
  keys: list.map(([name, secret]) => ({ name, secret })),
});
const transformerFor = (...providers: object[]) =>
  createTransformers({ resources: [{ resources: ["secrets"], providers }] })(SECRETS)!;
const opening = async (transformer: Transformer, stored: Buffer, path = PATH) => transformer.fromStorage(stored, path);

const CBC_OF_HELLO = "113693555bf7c3084e26a76d693430df";
const NACL = {
  key: "1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389",
  nonce: "69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37",
  message:
    "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705",
  box: "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5",
};

// Ciphertexts that other programs made of "hello": openssl enc -aes-256-cbc, and the test vector of
// NaCl's own documentation.
test("values that other programs encrypted are read", async (t) => {
  const iv = "000102030405060708090a0b0c0d0e0f";
  const cbc = Buffer.concat([Buffer.from("k8s:enc:aescbc:v1:key1:"), Buffer.from(`${iv}${CBC_OF_HELLO}`, "hex")]);
  const opened = await transformerFor({ aescbc: keys(["key1", KEY_32]) }).fromStorage(cbc, PATH);
  t.equal(opened.plain.toString(), "hello");
  const box = Buffer.concat([Buffer.from("k8s:enc:secretbox:v1:nacl:"), Buffer.from(NACL.nonce + NACL.box, "hex")]);
  const naclKey = Buffer.from(NACL.key, "hex").toString("base64");
  const unboxed = await transformerFor({ secretbox: keys(["nacl", naclKey]) }).fromStorage(box, PATH);
  t.equal(unboxed.plain.toString("hex"), NACL.message);
});

test("each provider writes its prefix and reads what it wrote", async (t) => {
  const providers: [prefix: string, provider: object][] = [
    ["k8s:enc:aesgcm:v1:a:", { aesgcm: keys(["a", KEY_16]) }],
    ["k8s:enc:aesgcm:v1:a:", { aesgcm: keys(["a", KEY_32]) }],
    ["k8s:enc:aescbc:v1:a:", { aescbc: keys(["a", KEY_16]) }],
    ["k8s:enc:aescbc:v1:a:", { aescbc: keys(["a", KEY_32]) }],
    ["k8s:enc:secretbox:v1:a:", { secretbox: keys(["a", KEY_32]) }],
    ["", { identity: {} }],
  ];
  for (const [prefix, provider] of providers) {
    const transformer = transformerFor(provider);
    for (const text of ["", "x", "k".repeat(15), "k".repeat(16), "ü".repeat(5000)]) {
      const stored = await transformer.toStorage(Buffer.from(text), PATH);
      t.equal(stored.subarray(0, prefix.length).toString(), prefix);
      if (prefix !== "" && text.length > 1) t.notOk(stored.includes(text), "nothing shines through");
      t.same(await transformer.fromStorage(stored, PATH), { plain: Buffer.from(text), stale: false });
      const again = await transformer.toStorage(Buffer.from(text), PATH);
      if (prefix !== "") t.notOk(again.equals(stored), "no nonce is used twice");
    }
  }
});

test("keys are rotated, providers are changed", async (t) => {
  const old = transformerFor({ aescbc: keys(["old", KEY_32]) });
  const stored = await old.toStorage(Buffer.from("x"), PATH);
  const rotated = transformerFor({ aescbc: keys(["new", OTHER_32], ["old", KEY_32]) });
  t.same(await rotated.fromStorage(stored, PATH), { plain: Buffer.from("x"), stale: true });
  // aescbc knows a wrong key by its padding alone, which is right once in 256 times.
  const sealed = await transformerFor({ aesgcm: keys(["old", KEY_32]) }).toStorage(Buffer.from("x"), PATH);
  const twice = transformerFor({ aesgcm: keys(["old", OTHER_32]) }, { aesgcm: keys(["old", KEY_32]) });
  t.same(await twice.fromStorage(sealed, PATH), { plain: Buffer.from("x"), stale: true }, "one name, two keys");
  const away = transformerFor({ identity: {} }, { aescbc: keys(["old", KEY_32]) });
  t.same(await away.fromStorage(stored, PATH), { plain: Buffer.from("x"), stale: true });
  t.same(await away.toStorage(Buffer.from("x"), PATH), Buffer.from("x"));
  const first = transformerFor({ secretbox: keys(["s", KEY_32]) }, { identity: {} });
  t.same(await first.fromStorage(Buffer.from("{}"), PATH), { plain: Buffer.from("{}"), stale: true });
});

test("what cannot be read says why", async (t) => {
  const gcm = transformerFor({ aesgcm: keys(["a", KEY_32]) });
  const stored = await gcm.toStorage(Buffer.from("x"), PATH);
  const flipped = Buffer.from(stored);
  flipped[flipped.length - 1]! ^= 1;
  const authentication = { message: "cipher: message authentication failed" };
  await t.rejects(opening(gcm, flipped), authentication);
  await t.rejects(opening(gcm, stored, "/registry/secrets/default/other"), authentication, "moved to another name");
  await t.rejects(opening(transformerFor({ aesgcm: keys(["a", OTHER_32]) }), stored), authentication);
  await t.rejects(opening(transformerFor({ aesgcm: keys(["b", KEY_32]) }), stored), {
    message: "no matching key was found for the provided AES transformer",
  });
  await t.rejects(opening(transformerFor({ aescbc: keys(["a", KEY_32]) }), stored), {
    message: "no matching prefix found",
  });
  await t.rejects(opening(transformerFor({ identity: {} }), stored), { message: "no matching prefix found" });
  await t.rejects(opening(gcm, Buffer.from("k8s:enc:aesgcm:v1:a:short")), {
    message: "the stored data was shorter than the required size",
  });
  const box = transformerFor({ secretbox: keys(["a", KEY_32]) });
  const boxed = await box.toStorage(Buffer.from("x"), PATH);
  boxed[boxed.length - 1]! ^= 1;
  await t.rejects(opening(box, boxed), { message: "output array was not large enough for encryption" });
});

test("resources are found by name, by group, by star", async (t) => {
  const entry = (name: string) => ({ resources: [name], providers: [{ aesgcm: keys([name || "core", KEY_32]) }] });
  const transformerOf = createTransformers({
    resources: [entry("secrets"), entry("*."), entry("deployments.apps"), entry("*.apps"), entry("*.*")],
  });
  const nameFor = async (group: string, resource: string) => {
    const stored = await transformerOf({ group, resource })!.toStorage(Buffer.from("x"), "/k");
    return stored.toString("latin1").split(":")[4];
  };
  t.equal(await nameFor("", "secrets"), "secrets");
  t.equal(await nameFor("", "configmaps"), "*.");
  t.equal(await nameFor("apps", "deployments"), "deployments.apps");
  t.equal(await nameFor("apps", "daemonsets"), "*.apps");
  t.equal(await nameFor("example.com", "widgets"), "*.*");
  t.equal(createTransformers({ resources: [entry("secrets")] })({ group: "", resource: "pods" }), undefined);
});

test("a wrong configuration is told in upstream's words and shows no key", (t) => {
  const provider = { aesgcm: keys(["a", KEY_32]) };
  const faultsOf = (resources: unknown) =>
    validateEncryptionConfiguration({ resources } as never).map(({ field, message }) => `${field}: ${message}`);
  const withNames = (...resources: string[]) => faultsOf([{ resources, providers: [provider] }]);
  const withProviders = (...providers: object[]) => faultsOf([{ resources: ["secrets"], providers }]);
  t.same(withNames("secrets", "deployments.apps", "widgets.example.com"), []);
  t.same(faultsOf([]), ["resources: Required value: at least one resources is required"]);
  t.same(withNames(), ["resources[0].resources: Required value: at least one resources[0].resources is required"]);
  t.same(withProviders(), ["resources[0].providers: Required value: at least one resources[0].providers is required"]);
  t.match(
    withNames("Secrets")[0],
    /resources\[0\]: Invalid value: "Secrets": resource name should not contain capital/,
  );
  t.match(withNames("*")[0], /use '\*\.' to encrypt all the resources from core API group/);
  t.match(withNames("events.events.k8s.io")[0], /Use 'events' instead in the config file/);
  t.match(withNames("pods.*")[0], /encrypting the same resource across groups is not supported/);
  t.match(withNames("secrets", "secrets")[0], /the same resource cannot be specified multiple times/);
  t.match(withNames("secrets", "*.")[0], /will be masked/);
  t.match(withNames("secrets", "*.*")[0], /will be masked/);
  t.match(withProviders({})[0], /does not contain any of the expected providers/);
  t.match(withProviders({ identity: {}, ...provider })[0], /more than one provider specified in a single element/);
  t.match(
    withProviders({ aescbc: keys(["", KEY_32]) })[0],
    /keys\[0\]\.name: Required value: name is a mandatory field/,
  );
  t.match(
    withProviders({ aescbc: keys(["a", ""]) })[0],
    /secret: Required value: secret is a mandatory field for a key/,
  );
  t.match(withProviders({ aescbc: keys(["a", "%%"]) })[0], /"REDACTED": secrets must be base64 encoded/);
  t.match(withProviders({ secretbox: keys(["a", KEY_16]) })[0], /"REDACTED": .* got 16, expected one of \[32\]/);
  t.match(withProviders({ aesgcm: keys(["a", "YQ=="]) })[0], /got 1, expected one of \[16 24 32\]/);
  t.match(withProviders({ kms: { name: "k" } })[0], /KMSv1 is deprecated/);
  t.end();
});
