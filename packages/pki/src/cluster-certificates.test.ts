// The PKI as a whole: layout, idempotence, what is reissued and what never is.

import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Test, test } from "tap";
import { clusterLeafs, ensureClusterPki } from "./cluster-certificates.js";

const names = { nodeName: "node-1", nodeIps: ["192.0.2.7"], serviceIp: "10.96.0.1", clusterDomain: "cluster.local" };

function temporary(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), "picokube-pki-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test("a PKI is made once, mended where needed, and its CA never replaced", async (t) => {
  const directory = temporary(t);
  const certificate = (name: string) => new X509Certificate(readFileSync(join(directory, `${name}.crt`)));
  const first = await ensureClusterPki({ directory, ...names });
  t.same(
    first.map(({ name }) => name),
    clusterLeafs(names).map(({ name }) => name),
  );
  t.same(await ensureClusterPki({ directory, ...names }), [], "a second run issues nothing");

  for (const name of ["ca.key", "sa.key", "apiserver.key", "admin.key", "front-proxy-ca.key"]) {
    t.equal(statSync(join(directory, name)).mode & 0o777, 0o600, name);
  }
  const ca = certificate("ca");
  t.ok(ca.ca);
  t.equal(certificate("admin").subject, "O=system:masters\nCN=kubernetes-admin");
  t.equal(certificate("kubelet-client").subject, "O=system:nodes\nCN=system:node:node-1");
  const apiserver = certificate("apiserver");
  for (const host of ["kubernetes.default.svc.cluster.local", "kubernetes", "localhost", "node-1"]) {
    t.equal(apiserver.checkHost(host), host);
  }
  for (const ip of ["10.96.0.1", "127.0.0.1", "192.0.2.7"]) t.equal(apiserver.checkIP(ip), ip);

  rmSync(join(directory, "kube-proxy.key"));
  writeFileSync(join(directory, "kubelet.crt"), "rubbish");
  t.same(await ensureClusterPki({ directory, ...names, extraNames: ["api.example"] }), [
    { name: "apiserver", reason: "it does not name api.example" },
    { name: "kube-proxy", reason: "it is missing" },
    { name: "kubelet", reason: "it is damaged" },
  ]);
  const later = await ensureClusterPki({ directory, ...names, nowMs: Date.now() + 350 * 86_400_000 });
  t.equal(later.length, first.length, "all are renewed a month before they expire");
  t.equal(certificate("ca").fingerprint256, ca.fingerprint256);

  rmSync(join(directory, "ca.key"));
  await t.rejects(ensureClusterPki({ directory, ...names }), /ca\.crt is there but ca\.key is not/);
});
