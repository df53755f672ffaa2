// Who is let in, and what they may: certificates and tokens, good and bad, under the real kubectl.

import { execFile } from "node:child_process";
import { createSign, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createCa } from "@picokube/pki/ca";
import { issueCertificate } from "@picokube/pki/certificate";
import { eventually } from "@picokube/testing/eventually";
import { type Test, test } from "tap";
import { ask } from "./harness/ask.js";
import { type TestCluster, useCluster } from "./harness/cluster.js";
import { type Kubectl, kubectlFor } from "./harness/kubectl.js";
import { useNamespace } from "./harness/namespace.js";

const run = promisify(execFile);
const day = 24 * 60 * 60 * 1000;

function useDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), "picokube-credentials-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A kubectl that has this user's flags and nothing of the administrator's. */
async function kubectlAs(t: Test, cluster: TestCluster, user: readonly string[]): Promise<Kubectl> {
  const kubeconfig = join(useDirectory(t), "kubeconfig");
  const config = (...args: string[]) => kubectlFor({ kubeconfig }).run(["config", ...args]);
  await config(
    "set-cluster",
    "c",
    `--server=https://${cluster.nodeIp}:${cluster.securePort}`,
    `--certificate-authority=${cluster.dataDir}/pki/ca.crt`,
  );
  await config("set-credentials", "u", ...user);
  await config("set-context", "x", "--cluster=c", "--user=u");
  await config("use-context", "x");
  return kubectlFor({ kubeconfig });
}

const loggedOut = { code: 1, stderr: /You must be logged in to the server \(?(Unauthorized|the server has asked for)/ };

test("H1 client certificates that are expired, not yet valid, of another CA or for servers are refused", async (t) => {
  const cluster = await useCluster(t);
  const directory = useDirectory(t);
  const read = (name: string) => readFileSync(`${cluster.dataDir}/pki/${name}`, "utf8");
  const ca = { cert: read("ca.crt"), key: read("ca.key") };
  const stranger = await createCa({ commonName: "kubernetes", nowMs: Date.now() });
  const frontProxy = { cert: read("front-proxy-ca.crt"), key: read("front-proxy-ca.key") };
  const subject = { commonName: "kubernetes-admin", organizations: ["system:masters"], usages: ["client"] as const };
  const nowMs = Date.now();
  const table = {
    expired: await issueCertificate({ ca, subject, nowMs: nowMs - 366 * day }),
    "not yet valid": await issueCertificate({ ca, subject, nowMs: nowMs + day }),
    "of another CA with the same name": await issueCertificate({ ca: stranger, subject, nowMs }),
    "of the front proxy's CA": await issueCertificate({ ca: frontProxy, subject, nowMs }),
    "for servers alone": await issueCertificate({ ca, subject: { ...subject, usages: ["server"] }, nowMs }),
  };
  const { ports } = cluster;
  for (const [what, pair] of Object.entries(table)) {
    const url = `https://${cluster.nodeIp}:${cluster.securePort}/api/v1/namespaces`;
    const answer = await ask(url, pair);
    t.equal(answer.code, 401, what);
    t.match(JSON.parse(answer.text), {
      kind: "Status",
      status: "Failure",
      message: "Unauthorized",
      reason: "Unauthorized",
      code: 401,
    });
    const [certFile, keyFile] = [join(directory, "bad.crt"), join(directory, "bad.key")];
    writeFileSync(certFile, pair.cert);
    writeFileSync(keyFile, pair.key);
    const kubectl = await kubectlAs(t, cluster, [`--client-certificate=${certFile}`, `--client-key=${keyFile}`]);
    t.match(await kubectl.attempt(["get", "namespaces"]), loggedOut, `${what}, with kubectl`);
    for (const [name, port] of Object.entries({ scheduler: ports.scheduler, kubelet: ports.kubelet }))
      t.equal((await ask(`https://127.0.0.1:${port}/metrics`, pair)).code, 401, `${what}: ${name} refuses it too`);
  }
  const good = await issueCertificate({ ca, subject, nowMs });
  t.equal((await ask(`https://${cluster.nodeIp}:${cluster.securePort}/api/v1/namespaces`, good)).code, 200);
});

test("H1 certificates made by hand with openssl: CN is the user, O the groups", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl: admin, name: namespace } = await useNamespace(t, cluster);
  const directory = useDirectory(t);
  const pki = `${cluster.dataDir}/pki`;
  const openssl = (...args: string[]) => run("openssl", args, { cwd: directory });
  for (const [user, algorithm] of [
    ["ada", ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]],
    ["bob", ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]],
  ] as const) {
    await openssl("genpkey", "-algorithm", ...algorithm, "-out", `${user}.key`);
    const subject = `/O=developers/O=testers/CN=${user}`;
    await openssl("req", "-new", "-key", `${user}.key`, "-subj", subject, "-out", `${user}.csr`);
    // No extensions at all, as the simplest instructions have it.
    const signing = ["-CA", `${pki}/ca.crt`, "-CAkey", `${pki}/ca.key`, "-set_serial", `${Date.now()}`, "-days", "1"];
    await openssl("x509", "-req", "-in", `${user}.csr`, ...signing, "-out", `${user}.crt`);
    const files = ["crt", "key"].map((extension) => join(directory, `${user}.${extension}`));
    const kubectl = await kubectlAs(t, cluster, [
      `--client-certificate=${files[0]}`,
      `--client-key=${files[1]}`,
      "--embed-certs",
    ]);
    const who = JSON.parse(await kubectl.run(["auth", "whoami", "-o", "json"])).status.userInfo;
    t.equal(who.username, user);
    t.strictSame(who.groups, ["developers", "testers", "system:authenticated"]);
    t.match(await kubectl.attempt(["get", "configmaps", "-n", namespace]), {
      code: 1,
      stderr: `Error from server (Forbidden): configmaps is forbidden: User "${user}" cannot list resource "configmaps" in API group "" in the namespace "${namespace}"\n`,
    });
    await admin.run(["create", "rolebinding", "dev", "--clusterrole=edit", "--group=developers"]);
    t.match(await kubectl.run(["create", "configmap", user, "-n", namespace]), `configmap/${user} created`);
    t.equal(await kubectl.run(["auth", "can-i", "delete", "pods", "-n", namespace]), "yes\n");
    t.match(await kubectl.attempt(["auth", "can-i", "delete", "nodes"]), { code: 1, stdout: "no\n" });
    await admin.run(["delete", "rolebinding", "dev"]);
  }
});

test("H1 H2 a service account's token: good, forged, expired, unknown, and outlived by its account", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl: admin, name: namespace } = await useNamespace(t, cluster);
  const issue = async (...flags: string[]) => (await admin.run(["create", "token", ...flags])).trim();
  const token = await issue("default");
  const url = `https://${cluster.nodeIp}:${cluster.securePort}/api/v1/namespaces/${namespace}/pods`;

  const kubectl = await kubectlAs(t, cluster, [`--token=${token}`]);
  const username = `system:serviceaccount:${namespace}:default`;
  t.match(await kubectl.run(["auth", "whoami"]), new RegExp(`^Username +${username}$`, "m"));
  t.match(
    await kubectl.run(["auth", "whoami"]),
    new RegExp(`^Groups +\\[system:serviceaccounts system:serviceaccounts:${namespace} system:authenticated\\]$`, "m"),
  );
  const forbidden = `pods is forbidden: User "${username}" cannot list resource "pods" in API group "" in the namespace "${namespace}"`;
  t.strictSame(await kubectl.attempt(["get", "pods", "-n", namespace]), {
    code: 1,
    stdout: "",
    stderr: `Error from server (Forbidden): ${forbidden}\n`,
  });
  t.strictSame(JSON.parse((await ask(url, { token })).text), {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: forbidden,
    reason: "Forbidden",
    details: { kind: "pods" },
    code: 403,
  });
  t.match(await admin.attempt(["auth", "can-i", "list", "pods", `--as=${username}`]), { code: 1, stdout: "no\n" });

  await admin.run(["create", "role", "reader", "--verb=get,list,watch", "--resource=pods"]);
  await admin.run(["create", "rolebinding", "reader", "--role=reader", `--serviceaccount=${namespace}:default`]);
  t.match(await kubectl.attempt(["get", "pods", "-n", namespace]), {
    code: 0,
    stderr: `No resources found in ${namespace} namespace.\n`,
  });
  t.equal(await admin.run(["auth", "can-i", "list", "pods", `--as=${username}`]), "yes\n");
  t.match(await admin.attempt(["auth", "can-i", "create", "pods", `--as=${username}`]), { code: 1, stdout: "no\n" });
  t.match(await kubectl.run(["auth", "can-i", "--list", "-n", namespace]), /^pods +\[\] +\[\] +\[get list watch\]$/m);
  await admin.run(["delete", "rolebinding", "reader"]);
  t.equal((await ask(url, { token })).code, 403, "taken away at once, too");

  const [header, claims, signature] = token.split(".") as [string, string, string];
  const change = (part: string, changes: object) =>
    Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(part, "base64url").toString()), ...changes })).toString(
      "base64url",
    );
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const sign = (head: string, body: string, key: Parameters<ReturnType<typeof createSign>["sign"]>[0]) =>
    `${head}.${body}.${createSign("RSA-SHA256").update(`${head}.${body}`).sign(key, "base64url")}`;
  const ours = readFileSync(`${cluster.dataDir}/pki/sa.key`);
  const past = Math.floor(Date.now() / 1000) - 7200;
  const bad: Record<string, string> = {
    "no token at all in form": "nonsense",
    "another signature": `${header}.${claims}.${signature.slice(0, -8)}AAAAAAAA`,
    "other claims under our signature": `${header}.${change(claims, { sub: "system:serviceaccount:kube-system:default" })}.${signature}`,
    "signed by another key": sign(header, claims, privateKey),
    "not signed": `${change(header, { alg: "none" })}.${claims}.`,
    expired: sign(header, change(claims, { iat: past, nbf: past, exp: past + 3600 }), ours),
    "not yet valid": sign(header, change(claims, { nbf: past + 14_400, exp: past + 18_000 }), ours),
    "of another issuer": sign(header, change(claims, { iss: "https://elsewhere" }), ours),
    "for another audience": await issue("default", "--audience=vault"),
  };
  t.equal((await ask(url, { token: sign(header, claims, ours) })).code, 403, "our key's own signature is known");
  for (const [what, each] of Object.entries(bad)) {
    const answer = await ask(url, { token: each });
    t.equal(answer.code, 401, what);
    t.match(JSON.parse(answer.text), { kind: "Status", message: "Unauthorized", reason: "Unauthorized", code: 401 });
  }
  t.match(await (await kubectlAs(t, cluster, ["--token=nonsense"])).attempt(["get", "pods"]), loggedOut);

  await admin.run(["create", "serviceaccount", "brief"]);
  const brief = await issue("brief");
  t.equal((await ask(url, { token: brief })).code, 403);
  await admin.run(["delete", "serviceaccount", "brief"]);
  t.equal((await ask(url, { token: brief })).code, 401, "the account is gone");
  await admin.run(["create", "serviceaccount", "brief"]);
  t.equal((await ask(url, { token: brief })).code, 401, "another of the same name is another");
});

test("H1 H2 each part of the kubelet's API wants a right of its own", async (t) => {
  const cluster = await useCluster(t);
  const root = kubectlFor(cluster);
  const { kubectl, name: namespace } = await useNamespace(t, cluster);
  const paths = ["/pods", "/configz", "/logs/", "/stats/summary", "/metrics", "/metrics/resource", "/run/a/b/c"];
  const openTo: Record<string, readonly string[]> = {
    proxy: ["/pods", "/configz", "/run/a/b/c"],
    log: ["/logs/"],
    stats: ["/stats/summary"],
    metrics: ["/metrics", "/metrics/resource"],
    pods: ["/pods"],
    configz: ["/configz"],
  };
  for (const [subresource, open] of Object.entries(openTo)) {
    const name = `${namespace}-${subresource}`;
    t.teardown(() => root.attempt(["delete", "clusterrole,clusterrolebinding", name]));
    await kubectl.run(["create", "serviceaccount", subresource]);
    await root.run(["create", "clusterrole", name, "--verb=get", `--resource=nodes/${subresource}`]);
    const subject = `--serviceaccount=${namespace}:${subresource}`;
    await root.run(["create", "clusterrolebinding", name, `--clusterrole=${name}`, subject]);
    const token = (await kubectl.run(["create", "token", subresource])).trim();
    for (const path of paths) {
      const { code, text } = await ask(`https://${cluster.nodeIp}:${cluster.ports.kubelet}${path}`, { token });
      const what = `nodes/${subresource} and GET ${path}`;
      if (open.includes(path)) t.notOk([401, 403].includes(code), `${what}: ${code}`);
      else t.match({ code, text }, { code: 403, text: /^Forbidden \(user=system:serviceaccount:/ }, what);
    }
  }
});

test("H2 impersonation wants a right of its own", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl: admin, name: namespace } = await useNamespace(t, cluster);
  const token = (await admin.run(["create", "token", "default"])).trim();
  const kubectl = await kubectlAs(t, cluster, [`--token=${token}`]);
  t.match(await kubectl.attempt(["get", "pods", "--as=kubernetes-admin", "--as-group=system:masters"]), {
    code: 1,
    stderr: `Error from server (Forbidden): users "kubernetes-admin" is forbidden: User "system:serviceaccount:${namespace}:default" cannot impersonate resource "users" in API group "" at the cluster scope\n`,
  });
  t.match(await admin.run(["auth", "whoami", "--as=vera", "--as-group=devs"]), /vera[\s\S]*devs system:authenticated/);
});

test("H1 a person asks for a certificate with openssl, an administrator approves, and it lets the person in", async (t) => {
  const cluster = await useCluster(t);
  const kubectl = kubectlFor(cluster);
  const directory = useDirectory(t);
  const openssl = (...args: string[]) => run("openssl", args, { cwd: directory });
  await openssl(
    "req",
    "-new",
    "-nodes",
    "-newkey",
    "rsa:2048",
    "-keyout",
    "v.key",
    "-out",
    "v.csr",
    "-subj",
    "/O=dev/CN=vera",
  );
  const request = readFileSync(join(directory, "v.csr")).toString("base64");
  const csr = (name: string, usages: string) =>
    `apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nmetadata: { name: ${name} }\nspec: { request: ${request}, signerName: kubernetes.io/kube-apiserver-client, usages: [${usages}], expirationSeconds: 86400 }\n`;
  t.teardown(() => kubectl.attempt(["delete", "csr", "vera", "denied", "server"]));
  await kubectl.run(["apply", "-f", "-"], { input: csr("vera", "client auth") });
  t.match(
    (await kubectl.run(["get", "csr", "vera", "--no-headers"])).trim(),
    /^vera +\S+ +kubernetes\.io\/kube-apiserver-client +kubernetes-admin +24h +Pending$/,
  );
  t.match((await kubectl.run(["certificate", "approve", "vera"])).trim(), /vera approved/);
  const certificate = await eventually("the certificate is issued", async () => {
    const stdout = await kubectl.run(["get", "csr", "vera", "-o", "jsonpath={.status.certificate}"]);
    return stdout !== "" && stdout;
  });
  t.match((await kubectl.run(["get", "csr", "vera", "--no-headers"])).trim(), /Approved,Issued$/);
  writeFileSync(join(directory, "v.crt"), Buffer.from(certificate, "base64"));
  const flags = [`--client-certificate=${directory}/v.crt`, `--client-key=${directory}/v.key`];
  const vera = await kubectlAs(t, cluster, flags);
  const whoami = await vera.json(["auth", "whoami"]);
  t.match(whoami.status.userInfo, { username: "vera", groups: ["dev", "system:authenticated"] });
  t.match((await vera.attempt(["get", "pods"])).stderr, /User "vera" cannot list resource "pods"/);

  await kubectl.run(["apply", "-f", "-"], { input: csr("denied", "client auth") });
  await kubectl.run(["certificate", "deny", "denied"]);
  t.match((await kubectl.run(["get", "csr", "denied", "--no-headers"])).trim(), /Denied$/);
  await kubectl.run(["apply", "-f", "-"], { input: csr("server", "server auth") });
  await kubectl.run(["certificate", "approve", "server"]);
  await eventually("what its signer does not sign fails", async () => {
    const stdout = await kubectl.run(["get", "csr", "server", "--no-headers"]);
    return /Approved,Failed$/.test(stdout.trim());
  });
});
