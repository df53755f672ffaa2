// OpenSSL as the judge of our certificates. Needs the openssl command.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { issueCertificate } from "./certificate.js";
import { signCertificateRequest } from "./certificate-request.js";
import { clusterLeafs, ensureClusterPki } from "./cluster-certificates.js";

test("openssl verifies every certificate for its purpose", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "picokube-openssl-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const names = { nodeName: "node-1", nodeIps: ["192.0.2.7"], serviceIp: "10.96.0.1", clusterDomain: "cluster.local" };
  await ensureClusterPki({ directory, ...names });
  const openssl = (...args: string[]) => execFileSync("openssl", args, { encoding: "utf8", cwd: directory });
  for (const { name, ca, subject } of clusterLeafs(names)) {
    for (const usage of subject.usages) {
      const verdict = openssl(
        "verify",
        "-x509_strict",
        "-purpose",
        `ssl${usage}`,
        "-CAfile",
        `${ca}.crt`,
        `${name}.crt`,
      );
      t.equal(verdict.trim(), `${name}.crt: OK`, usage);
    }
  }
  t.match(openssl("rsa", "-in", "sa.key", "-check", "-noout"), /RSA key ok/);
});

test("A11 CAs and requests that openssl made, whatever their keys", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "picokube-openssl-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const openssl = (...args: string[]) =>
    execFileSync("openssl", args, { encoding: "utf8", cwd: directory, stdio: ["ignore", "pipe", "pipe"] });
  const read = (name: string) => readFileSync(join(directory, name), "utf8");
  const keys: [name: string, options: string[]][] = [
    ["rsa", ["-newkey", "rsa:2048"]],
    ["p256", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]],
    ["p384", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"]],
    ["ed25519", ["-newkey", "ed25519"]],
  ];
  const caSubject = ["-subj", "/CN=ca", "-addext", "keyUsage=critical,keyCertSign,cRLSign"];
  const subject = ["-subj", "/O=developers/CN=vera", "-addext", "subjectAltName=DNS:vera.example.com,IP:192.0.2.9"];
  for (const [name, options] of keys) {
    openssl("req", "-x509", "-nodes", ...options, "-keyout", `${name}-ca.key`, "-out", `${name}-ca.crt`, ...caSubject);
    openssl("req", "-new", "-nodes", ...options, "-keyout", `${name}.key`, "-out", `${name}.csr`, ...subject);
  }
  const usages = ["key encipherment", "digital signature", "client auth", "server auth"];
  for (const [caName] of keys) {
    const ca = { cert: read(`${caName}-ca.crt`), key: read(`${caName}-ca.key`) };
    const issued = await issueCertificate({ ca, subject: { commonName: "s", usages: ["client"] }, nowMs: Date.now() });
    writeFileSync(join(directory, "issued.crt"), issued.cert);
    t.match(openssl("verify", "-CAfile", `${caName}-ca.crt`, "issued.crt"), /OK/, `a leaf of a ${caName} CA`);
    for (const [name] of keys) {
      const request = read(`${name}.csr`);
      const cert = await signCertificateRequest({ request, ca, usages, lifetimeMs: 3_600_000, nowMs: Date.now() });
      writeFileSync(join(directory, "signed.crt"), cert);
      const verdict = openssl(
        "verify",
        "-x509_strict",
        "-purpose",
        "sslclient",
        "-CAfile",
        `${caName}-ca.crt`,
        "signed.crt",
      );
      t.match(verdict, /signed\.crt: OK/, `a ${name} key signed by a ${caName} CA`);
      const text = openssl("x509", "-in", "signed.crt", "-noout", "-text");
      t.match(text, /Subject: O = developers, CN = vera/);
      t.match(text, /DNS:vera\.example\.com, IP Address:192\.0\.2\.9/);
      t.match(text, /Digital Signature, Key Encipherment/);
    }
  }
});
