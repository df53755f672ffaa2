// OpenSSL as the judge of our certificates. Needs the openssl command.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
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
