// A kubelet that begins with a bootstrap token and nothing else, against a real apiserver and controller-manager: it asks,
// waits, gets its certificate, registers, rotates it, and serves with one that a person approved. Needs root and Docker.

import { type ChildProcess, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { certificatesigningrequests } from "@picokube/api/certificates/v1";
import { nodes, secrets } from "@picokube/api/core/v1";
import { clusterrolebindings } from "@picokube/api/rbac/v1";
import { createClient } from "@picokube/client/rest-client";
import { freePort, startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { type Test, test } from "tap";
import { run, startKubelet } from "../kubelet.testing.js";

const patienceMs = 60_000;
const token = { id: "abcdef", secret: "0123456789abcdef" };
const controllerManager = fileURLToPath(
  new URL("../../../controller-manager/bin/kube-controller-manager.js", import.meta.url),
);

/** Approves and signs; its certificates live a minute, which with their backdating makes them due at once. */
async function startControllerManager(t: Test, { kubeconfig, pkiDirectory }: TestApiServer): Promise<void> {
  const flags = [
    `--kubeconfig=${kubeconfig}`,
    `--secure-port=${await freePort()}`,
    `--cluster-signing-cert-file=${join(pkiDirectory, "ca.crt")}`,
    `--cluster-signing-key-file=${join(pkiDirectory, "ca.key")}`,
    "--cluster-signing-duration=1m",
    "--controllers=certificatesigningrequest-approving-controller,certificatesigningrequest-signing-controller",
    "--leader-elect=false",
  ];
  const child: ChildProcess = spawn(process.execPath, [controllerManager, ...flags], { stdio: "ignore" });
  t.teardown(async () => {
    const exited = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.kill("SIGKILL")) await exited;
  });
}

async function bind(server: TestApiServer, { role, group }: { role: string; group: string }): Promise<void> {
  const apiGroup = "rbac.authorization.k8s.io";
  await server.client.create(clusterrolebindings, {
    metadata: { name: `test:${role.split(":").at(-1)}` },
    roleRef: { apiGroup, kind: "ClusterRole", name: role },
    subjects: [{ apiGroup, kind: "Group", name: group }],
  });
}

/** The certificate that a listener shows; undefined while it has none. */
function served(port: number): Promise<X509Certificate | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate());
      socket.destroy();
    });
    socket.on("error", () => resolve(undefined));
  });
}

test("a kubelet bootstraps its certificates", async (t) => {
  const server = await startApiServer(t, {
    flags: ["--enable-bootstrap-token-auth=true", "--kubelet-preferred-address-types=InternalIP"],
  });
  const { client, pkiDirectory } = server;
  await startControllerManager(t, server);
  await client.create(secrets, {
    metadata: { name: `bootstrap-token-${token.id}`, namespace: "kube-system" },
    type: "bootstrap.kubernetes.io/token",
    stringData: {
      "token-id": token.id,
      "token-secret": token.secret,
      "usage-bootstrap-authentication": "true",
    },
  } as never);
  await bind(server, { role: "system:node-bootstrapper", group: "system:bootstrappers" });

  const directory = t.testdir();
  const certDir = join(directory, "pki");
  const kubeconfig = join(directory, "kubelet.conf");
  const bootstrap = join(directory, "bootstrap-kubelet.conf");
  const ca = readFileSync(join(pkiDirectory, "ca.crt"));
  writeFileSync(
    bootstrap,
    JSON.stringify({
      clusters: [{ name: "c", cluster: { server: server.url, "certificate-authority-data": ca.toString("base64") } }],
      users: [{ name: "u", user: { token: `${token.id}.${token.secret}` } }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    }),
  );
  const port = await freePort();
  const kubelet = await startKubelet(t, server, {
    bridge: "picotest58",
    subnet: 58,
    flags: [
      `--bootstrap-kubeconfig=${bootstrap}`,
      `--kubeconfig=${kubeconfig}`,
      `--cert-dir=${certDir}`,
      `--port=${port}`,
      "--rotate-certificates",
      "--rotate-server-certificates",
      "--tls-cert-file=",
      "--tls-private-key-file=",
    ],
  });
  const requests = async (signer: string) =>
    (await client.list(certificatesigningrequests)).items.filter(({ spec }) => spec.signerName.endsWith(signer));
  const clientRequests = () => requests("/kube-apiserver-client-kubelet");

  await t.test("its request waits for the right to it, and outlives the process", async (t) => {
    const [asked] = await eventually(
      "a request",
      async () => {
        const all = await clientRequests();
        return all.length > 0 && all;
      },
      patienceMs,
    );
    t.match(asked, {
      metadata: { name: /^node-csr-[A-Za-z0-9_-]{43}$/ },
      spec: {
        username: "system:bootstrap:abcdef",
        usages: ["digital signature", "client auth"],
      },
    });
    t.ok(existsSync(join(certDir, "kubelet-client.key.tmp")), "its key is kept");
    t.equal(await kubelet.stop(), 0, "it ends in order while it waits");
    const before = kubelet.log().length;
    kubelet.start();
    await eventually(
      "it waits again",
      async () => kubelet.log().slice(before).includes("Waiting for client certificate to be issued"),
      patienceMs,
    );
    t.equal((await clientRequests()).length, 1, "the same key asks for the same");
    t.notOk(existsSync(kubeconfig));
  });

  await t.test("with the right it is approved, and the node registers", async (t) => {
    const role = "system:certificates.k8s.io:certificatesigningrequests:nodeclient";
    await bind(server, { role, group: "system:bootstrappers" });
    await eventually(
      "the node registers",
      async () => (await client.list(nodes)).items.some(({ metadata }) => metadata.name === "node-1"),
      patienceMs,
    );
    const config = JSON.parse(readFileSync(kubeconfig, "utf8"));
    const current = join(certDir, "kubelet-client-current.pem");
    t.match(config.users[0].user, { "client-certificate": current, "client-key": current });
    t.match(readlinkSync(current), /^kubelet-client-\d{4}(-\d\d){5}\.pem$/);
    const { subject } = new X509Certificate(readFileSync(current));
    t.equal(subject, "O=system:nodes\nCN=system:node:node-1");
    t.notOk(existsSync(join(certDir, "kubelet-client.key.tmp")));
  });

  const current = () => new X509Certificate(readFileSync(join(certDir, "kubelet-client-current.pem")));

  await t.test("the client certificate is rotated with the node's own right", async (t) => {
    const first = current().serialNumber;
    const fileOfCurrent = () => realpathSync(join(certDir, "kubelet-client-current.pem"));
    const firstFile = fileOfCurrent();
    await bind(server, {
      role: "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
      group: "system:nodes",
    });
    await eventually("another certificate", async () => current().serialNumber !== first, patienceMs);
    const own = (await clientRequests()).filter(({ spec }) => spec.username === "system:node:node-1");
    t.ok(own.length > 0, "asked for by the node itself");
    // Named by the second, as upstream's: two within one second have one name.
    const laterFile = fileOfCurrent();
    t.match(laterFile, /\/kubelet-client-\d{4}(-\d\d){5}\.pem$/);
    t.ok(laterFile === firstFile || existsSync(firstFile), "the earlier one stays on disk");
  });

  await t.test("the serving certificate waits for a person, and is served without a restart", async (t) => {
    const [asked] = await eventually(
      "a request",
      async () => {
        const all = await requests("/kubelet-serving");
        return all.length > 0 && all;
      },
      patienceMs,
    );
    t.match(asked, { spec: { username: "system:node:node-1", usages: ["digital signature", "server auth"] } });
    t.equal(await served(port), undefined, "no handshake without a certificate");
    const { pid } = kubelet;
    await run("kubectl", [`--kubeconfig=${server.kubeconfig}`, "certificate", "approve", asked!.metadata.name]);
    const shown = await eventually("it is served", () => served(port), patienceMs);
    t.equal(shown.checkIP("127.0.0.1"), "127.0.0.1", "it names the node's address");
    t.equal(shown.checkHost("node-1"), "node-1");
    t.ok(shown.verify(new X509Certificate(ca).publicKey));
    t.equal(kubelet.pid, pid);
    t.ok(existsSync(join(certDir, "kubelet-server-current.pem")));
  });

  await t.test("its figures", async (t) => {
    const admin = createClient({
      kubeconfig: {
        server: `https://127.0.0.1:${port}`,
        namespace: "default",
        insecureSkipTlsVerify: true,
        cert: { file: join(pkiDirectory, "apiserver-kubelet-client.crt") },
        key: { file: join(pkiDirectory, "apiserver-kubelet-client.key") },
      },
      userAgent: "test",
    });
    const { body } = await admin.raw({ method: "GET", path: "/metrics" });
    let text = "";
    for await (const chunk of body) text += chunk;
    await admin.close();
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)`, "m").exec(text)?.[1]);
    const clientTtl = value("kubelet_certificate_manager_client_ttl_seconds");
    t.ok(clientTtl > 0 && clientTtl <= 60, `client: ${clientTtl}`);
    const serverTtl = value("kubelet_certificate_manager_server_ttl_seconds");
    t.ok(serverTtl > 0 && serverTtl <= 60, `server: ${serverTtl}`);
    t.type(value("kubelet_certificate_manager_client_expiration_renew_errors"), "number");
    t.match(text, "kubelet_certificate_manager_server_rotation_seconds_bucket");
  });
});
