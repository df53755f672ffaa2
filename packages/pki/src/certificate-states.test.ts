import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { ensureCa } from "./ca.js";
import { issueCertificate } from "./certificate.js";
import { certificateStates, joinedCertificateStates } from "./certificate-states.js";
import { ensureClusterPki } from "./cluster-certificates.js";

const DAY_MS = 24 * 60 * 60 * 1000;

test("what is wrong with a certificate is said in words", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "picokube-states-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const nowMs = Date.parse("2026-11-21T12:00:00Z");
  const names = { nodeName: "one", nodeIps: ["192.0.2.7"], serviceIp: "10.96.0.1", clusterDomain: "cluster.local" };
  await ensureClusterPki({ directory, nowMs, ...names });
  const faults = (more: object = {}, atMs = nowMs) =>
    certificateStates({ directory, nowMs: atMs, ...names, ...more }).flatMap(({ fault }) => fault ?? []);
  const states = certificateStates({ directory, nowMs, ...names });
  t.same(
    states.map(({ name }) => name),
    [
      ...["ca", "front-proxy-ca", "apiserver", "apiserver-kubelet-client", "front-proxy-client"],
      ...[
        "kube-controller-manager",
        "kube-scheduler",
        "admin",
        "kube-proxy",
        "cluster-dns",
        "kubelet-client",
        "kubelet",
      ],
    ],
  );
  t.same(faults(), []);
  t.equal(states.find(({ name }) => name === "apiserver")?.ca, "ca");
  t.equal(Math.round((states.find(({ name }) => name === "admin")!.expiresMs! - nowMs) / DAY_MS), 365);
  t.same(faults({ serviceIp: "10.100.0.1" }), ["the apiserver certificate does not name 10.100.0.1"]);
  t.match(faults({}, nowMs + 350 * DAY_MS)[0], /^the apiserver certificate expires at Nov 21/);
  t.match(faults({}, nowMs + 400 * DAY_MS)[0], /^the apiserver certificate expired at 2027-11-21T12:00:00/);
  t.match(faults({}, nowMs + 4000 * DAY_MS)[0], /^the CA ca expired at 2036-/);
  rmSync(join(directory, "kube-proxy.crt"));
  writeFileSync(join(directory, "admin.crt"), "damaged");
  writeFileSync(join(directory, "cluster-dns.key"), readFileSync(join(directory, "kubelet.key")));
  t.same(faults(), [
    "the admin certificate is damaged",
    "the kube-proxy certificate is missing",
    "the cluster-dns certificate's key belongs to another certificate",
  ]);
});

test("a joined machine's certificates are its kubelet's two, each in one file with its key", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "picokube-states-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const nowMs = Date.parse("2026-11-21T12:00:00Z");
  const ca = await ensureCa({ directory, name: "ca", commonName: "kubernetes", nowMs });
  // The machine never has the CA's key.
  rmSync(join(directory, "ca.key"));
  const put = async (file: string, usage: "client" | "server", names: string[] = []) => {
    const subject = { commonName: "system:node:two", organizations: ["system:nodes"], usages: [usage], names };
    const { cert, key } = await issueCertificate({ ca, subject, nowMs });
    writeFileSync(join(directory, `${file}.pem`), cert + key);
  };
  const states = (more: object = {}, atMs = nowMs) =>
    joinedCertificateStates({ directory, nodeName: "two", nodeIps: ["192.0.2.8"], nowMs: atMs, ...more });
  const faults = (...args: Parameters<typeof states>) => states(...args).flatMap(({ fault }) => fault ?? []);
  await put("kubelet-client-current", "client");
  t.same(faults(), ["the kubelet-server-current certificate is missing"], "nobody has approved it yet");
  await put("kubelet-server-current", "server", ["two", "192.0.2.8"]);
  t.same(
    states().map(({ name, ca, fault }) => [name, ca, fault]),
    [
      ["ca", undefined, undefined],
      ["kubelet-client-current", "ca", undefined],
      ["kubelet-server-current", "ca", undefined],
    ],
  );
  t.same(faults({ nodeIps: ["192.0.2.9"] }), ["the kubelet-server-current certificate does not name 192.0.2.9"]);
  t.same(faults({ nodeName: "three" })[0], "the kubelet-client-current certificate has another subject");
  t.same(faults({}, nowMs + 350 * DAY_MS), [], "renewing them in time is the kubelet's");
  t.match(
    faults({}, nowMs + 366 * DAY_MS)[0],
    /^the kubelet-client-current certificate expired at 2027-11-21T12:00:00/,
  );
  rmSync(join(directory, "ca.crt"));
  t.match(faults(), [
    /^the CA ca is missing or damaged: put ca\.crt back/,
    /client-current certificate's CA ca is missing/,
    /certificate's CA ca/,
  ]);
});
