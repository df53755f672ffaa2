// The cluster's certificates as picokube shows, judges and renews them while everything runs.

import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:tls";
import { issueCertificate } from "@picokube/pki/certificate";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { createCluster, runPicokube } from "./harness/cluster.js";
import { kubectlFor } from "./harness/kubectl.js";

const DAY_MS = 24 * 60 * 60 * 1000;

/** The serial number of the certificate that is served there. */
function servedSerial(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

test("A11 H1 certificates are listed, checked and renewed while the cluster runs", async (t) => {
  const { cluster, dispose } = await createCluster(["--control-plane-only"]);
  t.teardown(dispose);
  const { dataDir, securePort, ports } = cluster;
  const kubectl = kubectlFor(cluster);
  const certs = (...args: string[]) => runPicokube(["certs", ...args], { dataDir });
  const listed = (await certs("list")).trim().split("\n");
  t.match(listed[0], /^CERTIFICATE +EXPIRES +RESIDUAL TIME +CERTIFICATE AUTHORITY +STATE$/);
  t.match(
    listed.find((line) => line.startsWith("apiserver ")),
    /^apiserver +\d{4}-\S+Z +36[45]d +ca +ok$/,
  );
  t.match(
    listed.find((line) => line.startsWith("ca ")),
    /^ca +\d{4}-\S+Z +36\d\dd +- +ok$/,
  );
  t.match(await certs("check"), /All certificates of the cluster .* are well/);

  const read = (name: string) => readFileSync(`${dataDir}/pki/${name}`, "utf8");
  const put = async (name: string, commonName: string, ageDays: number) => {
    const ca = { cert: read("ca.crt"), key: read("ca.key") };
    const subject = { commonName, usages: ["server", "client"] as const, names: ["127.0.0.1", cluster.nodeIp] };
    const { cert, key } = await issueCertificate({ ca, subject, nowMs: Date.now() - ageDays * DAY_MS });
    writeFileSync(`${dataDir}/pki/${name}.crt`, cert);
    writeFileSync(`${dataDir}/pki/${name}.key`, key);
  };
  await put("apiserver", "kube-apiserver", 1);
  await put("kube-scheduler", "system:kube-scheduler", 350);
  await t.rejects(certs("check"), /the apiserver certificate does not name kubernetes, .*10\.\d+\.0\.1/);
  await t.rejects(certs("check"), /the kube-scheduler certificate expires at .*\n\nTry: picokube certs renew/);
  await t.rejects(certs("renew", "nonsense"), /there is no certificate "nonsense" to renew; there are: apiserver, /);

  const pids = () => {
    const { components } = JSON.parse(readFileSync(`${dataDir}/run/processes.json`, "utf8"));
    return Object.entries<{ process: { pid: number } }>(components).map(
      ([name, { process }]) => `${name} ${process.pid}`,
    );
  };
  const before = pids();
  const listeners = [securePort, ports.controllerManager!, ports.scheduler!];
  const serials = await Promise.all(listeners.map(servedSerial));
  t.match(await certs("renew"), /renewed apiserver\n(.*\n)*renewed kube-scheduler\n/);
  t.match(await certs("check"), /are well/);
  await eventually("every listener serves its new certificate", async () => {
    const now = await Promise.all(listeners.map(servedSerial));
    return now.every((serial, index) => serial !== serials[index]);
  });
  t.same(pids(), before, "no process was started anew");
  const renewed = async () =>
    (await kubectl.json(["get", "lease", "-n", "kube-system", "kube-scheduler"])).spec.renewTime;
  const at = await renewed();
  await eventually("the scheduler goes on", async () => (await renewed()) !== at);
});
