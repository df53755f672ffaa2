// Files and the link to the one in use.

import { lstatSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { createCa } from "@picokube/pki/ca";
import { issueCertificate } from "@picokube/pki/certificate";
import { writeKeyPair } from "@picokube/pki/pem";
import { test } from "tap";
import { createCertificateStore } from "./certificate-store.js";

test("each certificate has a dated file, the link names the last", async (t) => {
  const directory = join(t.testdir(), "pki");
  const nowMs = new Date(2026, 10, 21, 14, 5, 9).getTime();
  const ca = await createCa({ commonName: "kubernetes", nowMs });
  const issue = (commonName: string) => issueCertificate({ ca, subject: { commonName, usages: ["client"] }, nowMs });
  const store = createCertificateStore({ directory, prefix: "kubelet-client" });
  t.equal(store.current(), undefined);
  const first = await issue("first");
  store.update({ ...first, nowMs });
  const second = await issue("second");
  store.update({ ...second, nowMs: nowMs + 61_000 });
  t.same(readdirSync(directory).sort(), [
    "kubelet-client-2026-11-21-14-05-09.pem",
    "kubelet-client-2026-11-21-14-06-10.pem",
    "kubelet-client-current.pem",
  ]);
  t.ok(lstatSync(store.currentPath).isSymbolicLink());
  t.equal(readlinkSync(store.currentPath), "kubelet-client-2026-11-21-14-06-10.pem");
  t.equal(statSync(store.currentPath).mode & 0o777, 0o600);
  t.equal(store.current()?.leaf.subject, "CN=second");
  t.throws(() => store.update({ cert: first.cert, key: second.key, nowMs }), /private key does not match public key/);
  t.equal(store.current()?.leaf.subject, "CN=second", "what does not fit changes nothing");

  writeKeyPair(directory, "given", first);
  const files = { certFile: join(directory, "given.crt"), keyFile: join(directory, "given.key") };
  const other = createCertificateStore({ directory, prefix: "kubelet-server", ...files });
  t.equal(other.current()?.leaf.subject, "CN=first", "the configured files, until there is one of its own");
});
