import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { certificateStates } from "./certificate-states.js";
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
