import { X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { ensureCa } from "./ca.js";
import { ensureNodePki } from "./node-certificates.js";

test("a worker gets its kubelet's and kube-proxy's certificates, and never the CA's key", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "picokube-pki-"));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const [caDirectory, directory] = [join(root, "ca"), join(root, "node")];
  const make = (nodeIps: string[]) => ensureNodePki({ directory, caDirectory, nodeName: "node-2", nodeIps });
  await t.rejects(make(["172.30.0.2"]), /lacks ca\.crt or ca\.key/);
  const ca = await ensureCa({ directory: caDirectory, name: "ca", commonName: "kubernetes", nowMs: Date.now() });
  await make(["172.30.0.2"]);
  const read = (name: string) => new X509Certificate(readFileSync(join(directory, `${name}.crt`)));
  const issuer = new X509Certificate(ca.cert);
  for (const [name, subject] of [
    ["kubelet-client", /CN=system:node:node-2/],
    ["kubelet", /CN=system:node:node-2/],
    ["kube-proxy", /CN=system:kube-proxy/],
  ] as const) {
    t.match(read(name).subject, subject);
    t.ok(read(name).verify(issuer.publicKey), `${name} is of the cluster's CA`);
  }
  t.match(read("kubelet-client").subject, /O=system:nodes/);
  t.match(read("kubelet").subjectAltName, /IP Address:172\.30\.0\.2/);
  t.notOk(existsSync(join(directory, "ca.key")));

  const { serialNumber } = read("kubelet");
  await make(["172.30.0.2"]);
  t.equal(read("kubelet").serialNumber, serialNumber, "what fits stays");
  await make(["172.30.0.9"]);
  t.match(read("kubelet").subjectAltName, /IP Address:172\.30\.0\.9/, "an address that changed is named");
});
