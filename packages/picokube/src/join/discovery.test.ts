// Token discovery against a real apiserver and the controller that signs cluster-info, and against all that a wrong address
// can turn out to be. Each fault has words of its own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer, type Server } from "node:net";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { configmaps, nodes, secrets } from "@picokube/api/core/v1";
import { rolebindings } from "@picokube/api/rbac/v1";
import { realClock } from "@picokube/component-base/clock";
import type { BootstrapToken } from "@picokube/pki/bootstrap-token";
import { createCa } from "@picokube/pki/ca";
import { caCertHash } from "@picokube/pki/ca-hash";
import { issueCertificate } from "@picokube/pki/certificate";
import { readKeyPair } from "@picokube/pki/pem";
import { freePort, startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { type Test, test } from "tap";
import { type Cluster, defaultPorts } from "../cluster/cluster.js";
import { ensureJoinable, joinLine } from "../steps/joining.js";
import { poll } from "../steps/poll.js";
import { askCluster } from "./ask-cluster.js";
import { type DiscoveryOptions, discover } from "./discovery.js";
import { parseEndpoint, unreachableWords } from "./endpoint.js";
import { tokenSecret } from "./token-secret.js";

const clock = realClock();
const secret = "0123456789abcdef";
const nobody = { token: { id: "abcdef", secret }, caCertHashes: [], clock } as const;

/** The cluster that a test's apiserver stands for. */
function clusterOf({ url, pkiDirectory, kubeconfig }: TestApiServer): Cluster {
  const dataDir = dirname(pkiDirectory);
  return {
    name: "test",
    dataDir,
    logDir: dataDir,
    adminKubeconfig: kubeconfig,
    nodeName: "node-1",
    nodeIp: "127.0.0.1",
    serviceCidr: "10.96.0.0/16",
    podCidr: "10.244.0.0/16",
    clusterDomain: "cluster.local",
    controlPlaneOnly: false,
    ports: { ...defaultPorts, securePort: Number(new URL(url).port) },
    podBridge: "pico0",
    chainPrefix: "KUBE",
    componentArgs: {},
  };
}

async function startSigner(t: Test, { kubeconfig }: TestApiServer): Promise<void> {
  const executable = fileURLToPath(
    new URL("../../../controller-manager/bin/kube-controller-manager.js", import.meta.url),
  );
  const flags = [
    `--kubeconfig=${kubeconfig}`,
    `--secure-port=${await freePort()}`,
    "--controllers=bootstrap-signer-controller",
    "--leader-elect=false",
  ];
  const child = spawn(process.execPath, [executable, ...flags], { stdio: "ignore" });
  t.teardown(async () => {
    const exited = once(child, "exit");
    if (child.exitCode === null && child.kill("SIGKILL")) await exited;
  });
}

async function listen(t: Test, server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

test("with a token and a fingerprint the cluster's CA is found", async (t) => {
  const server = await startApiServer(t, { flags: ["--enable-bootstrap-token-auth=true"] });
  const { client } = server;
  const cluster = clusterOf(server);
  await startSigner(t, server);
  await ensureJoinable(client, cluster);
  const ca = readKeyPair(server.pkiDirectory, "ca")!.cert;
  const line = await joinLine(client, cluster);
  t.equal(await joinLine(client, cluster), line, "the token of the first line holds for the second");
  const match = /^picokube join (\S+) --token (\w{6})\.(\w{16}) --discovery-token-ca-cert-hash (sha256:\w{64})$/.exec(
    line,
  );
  const [, address, id, half, hash] = match ?? [];
  t.equal(hash, caCertHash(ca));
  const endpoint = parseEndpoint(address!);
  const right = { endpoint, token: { id: id!, secret: half! }, caCertHashes: [hash!], clock, signatureWaitMs: 60_000 };
  t.same(await discover(right), { server: server.url, ca }, "a token just made is waited for until it is signed");
  t.same(await discover({ ...right, caCertHashes: [] }), { server: server.url, ca }, "without a fingerprint too");

  const wrong = (part: Partial<DiscoveryOptions>) => discover({ ...right, signatureWaitMs: 0, ...part });
  await t.test("wrong words", async (t) => {
    await t.rejects(
      wrong({ token: { id: "zzzzzz", secret } }),
      /token id "zzzzzz" is invalid for this cluster or it has expired: .*picokube token create --print-join-command/,
    );
    await t.rejects(wrong({ token: { id: id!, secret } }), /failed to verify JWS signature .* second half is wrong/);
    await t.rejects(
      wrong({ caCertHashes: [`sha256:${"0".repeat(64)}`] }),
      /cluster CA found in cluster-info ConfigMap is invalid: none of the public keys "sha256:\w{64}" are pinned/,
    );
    await t.rejects(wrong({ clock: steppingClock(Date.now() + 12 * 60_000) }), /clock is 12 minutes ahead of/);
    await t.rejects(wrong({ clock: steppingClock(Date.now() - 90 * 60_000) }), /clock is 90 minutes behind/);
  });

  await t.test("a server in between that has the words but not the certificate", async (t) => {
    const nowMs = Date.now();
    const ca = await createCa({ commonName: "kubernetes", nowMs });
    const subject = { commonName: "kube-apiserver", usages: ["server"] as const, names: ["127.0.0.1"] };
    const pair = await issueCertificate({ ca, subject, nowMs });
    const words = JSON.stringify(await client.get(configmaps, { namespace: "kube-public", name: "cluster-info" }));
    const between = await listen(
      t,
      createHttpsServer(pair, (_, response) => void response.end(words)),
    );
    await t.rejects(
      wrong({ endpoint: { host: "127.0.0.1", port: between } }),
      /shows a certificate that the cluster's CA did not sign: another server answers there/,
    );
  });

  await t.test("a token that has ended is not signed for", async (t) => {
    const record = { description: "", usages: ["signing", "authentication"], groups: [] };
    const expired = { ...record, token: { id: "gone00", secret }, expiresMs: Date.now() - 1000 };
    await client.create(secrets, tokenSecret(expired));
    const forever = { ...record, token: { id: "stays0", secret }, expiresMs: undefined };
    await client.create(secrets, tokenSecret(forever));
    await discover({ ...right, token: forever.token });
    await t.rejects(wrong({ token: expired.token }), /token id "gone00" is invalid for this cluster or it has expired/);
  });

  await t.test("the token's holder reads the configurations, unless its name is taken", async (t) => {
    const found = { server: server.url, ca };
    const as = (token: BootstrapToken, nodeName = "new") => askCluster(found, { token, nodeName });
    const { cluster: configuration, kubelet, proxy } = await as(right.token);
    t.match(configuration, /podSubnet: 10\.244\.0\.0\/16/);
    t.match(kubelet, /kind: KubeletConfiguration/);
    t.match(proxy, /kind: KubeProxyConfiguration/);
    const make = async (id: string, part: object) => {
      const token = { id, secret };
      const record = { token, description: "", expiresMs: undefined, usages: ["authentication"], groups: [], ...part };
      await client.create(secrets, tokenSecret(record));
      return token;
    };
    const signs = await make("signs0", { usages: ["signing"] });
    await t.rejects(as(signs), /does not take the token "signs0" for authentication: .*picokube token create/);
    const alone = await make("alone0", {});
    await t.rejects(
      as(alone),
      /the token "alone0" does not let a machine join .*not of the group system:bootstrappers:/,
    );
    await client.create(nodes, { metadata: { name: "taken" } } as never);
    await as(right.token, "taken");
    const conditions = [{ type: "Ready", status: "True" }];
    await client.patch(nodes, { name: "taken" }, { status: { conditions } }, { type: "merge", subresource: "status" });
    await t.rejects(as(right.token, "taken"), /Node with name "taken" and status "Ready" already exists .*--node-name/);
  });

  await t.test("what `up` wrote is mended by the next", async (t) => {
    const name = { namespace: "kube-public", name: "cluster-info" };
    const before = await client.get(configmaps, name);
    await ensureJoinable(client, cluster);
    t.equal((await client.get(configmaps, name)).metadata.resourceVersion, before.metadata.resourceVersion, "in vain");
    await ensureJoinable(client, { ...cluster, nodeIp: "localhost" });
    // The signer needs a moment for what is new.
    await poll("the new address is signed", 60_000, async () => {
      const { server } = await discover({ ...right, caCertHashes: [] });
      return new URL(server).hostname === "localhost" ? undefined : server;
    });
    await client.delete(rolebindings, { namespace: "kube-public", name: "kubeadm:bootstrap-signer-clusterinfo" });
    await t.rejects(wrong({}), /does not show cluster-info to machines that are about to join .*picokube up/);
    await client.delete(configmaps, name);
    await ensureJoinable(client, cluster);
    t.same(await discover(right), { server: server.url, ca });
  });
});

test("what is not an API server is told apart", async (t) => {
  const at = (port: number, host = "127.0.0.1") =>
    discover({ ...nobody, endpoint: { host, port }, timeoutMs: 2_000, signatureWaitMs: 0 });
  await t.rejects(at(await freePort()), /nothing listens at 127\.0\.0\.1:\d+: .*picokube status/);
  await t.rejects(at(6443, "no-such-host.invalid"), /the name no-such-host\.invalid is not known here/);

  const halfOpen = await listen(
    t,
    createServer((socket) => void socket.on("error", () => {}).unref()),
  );
  await t.rejects(at(halfOpen), /accepts connections but says nothing within 2 s/);
  const closing = await listen(
    t,
    createServer((socket) => socket.end("SSH-2.0-OpenSSH\r\n")),
  );
  await t.rejects(at(closing), /does not speak TLS, so it is not a Kubernetes API server/);
  const plain = createHttpServer((_, response) => void response.end("hello"));
  await t.rejects(at(await listen(t, plain)), /does not speak TLS, so it is not a Kubernetes API server/);

  const nowMs = Date.now();
  const ca = await createCa({ commonName: "other", nowMs });
  const pair = await issueCertificate({ ca, subject: { commonName: "web", usages: ["server"] }, nowMs });
  const web = createHttpsServer(pair, (_, response) => void response.end("<html>"));
  await t.rejects(at(await listen(t, web)), /answers, but not as a Kubernetes API server does \(HTTP 200\)/);
});

test("a host that cannot be reached, and certificates that do not fit", (t) => {
  const endpoint = { host: "192.0.2.1", port: 6443 };
  const words = (phase: "connecting" | "handshake" | "answer", { name = "Error", code = "" }) =>
    unreachableWords(endpoint, { phase, error: Object.assign(new Error("E"), { name, code }), timeoutMs: 5_000 });
  t.match(words("connecting", { name: "TimeoutError" }), /cannot be reached \(no answer within 5 s\): .*firewalls/);
  t.match(words("connecting", { code: "EHOSTUNREACH" }), /cannot be reached \(E\): check the address, the route/);
  t.match(
    words("handshake", { code: "CERT_NOT_YET_VALID" }),
    /is not valid yet by this machine's clock: set the clock/,
  );
  t.match(words("handshake", { code: "CERT_HAS_EXPIRED" }), /has expired by this machine's clock: .* certs renew/);
  t.match(words("answer", { code: "ERR_TLS_CERT_ALTNAME_INVALID" }), /does not name 192\.0\.2\.1: .*--node-ip/);
  t.match(words("handshake", { code: "SELF_SIGNED_CERT_IN_CHAIN" }), /that the cluster's CA did not sign/);
  t.match(words("answer", { code: "ECONNRESET" }), /broke the connection off/);
  t.end();
});

test("addresses as people give them", (t) => {
  t.same(parseEndpoint("https://192.0.2.1:6443"), { host: "192.0.2.1", port: 6443 });
  t.same(parseEndpoint("192.0.2.1:7443"), { host: "192.0.2.1", port: 7443 });
  t.same(parseEndpoint("https://192.0.2.1"), { host: "192.0.2.1", port: 6443 });
  t.same(parseEndpoint("https://192.0.2.1:443/"), { host: "192.0.2.1", port: 443 });
  t.same(parseEndpoint("[2001:db8::1]:6443"), { host: "2001:db8::1", port: 6443 });
  for (const text of ["http://192.0.2.1:6443", "", "https://", "a b", "https://192.0.2.1/api"])
    t.throws(() => parseEndpoint(text), /the API server's address is https:\/\/IP:PORT/, text);
  t.end();
});
