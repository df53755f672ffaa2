import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { type TestCluster, useCluster } from "./harness/cluster.js";
import { kubectlFor } from "./harness/kubectl.js";
import { useNamespace } from "./harness/namespace.js";

const run = promisify(execFile);

async function dig(server: string, ...words: string[]): Promise<string[]> {
  const { stdout } = await run("dig", [`@${server}`, "+short", "+tries=2", "+time=5", ...words]);
  return stdout.trim().split("\n").filter(Boolean).sort();
}

const database = `
apiVersion: v1
kind: Service
metadata: { name: db }
spec: { clusterIP: None, selector: { app: db }, ports: [{ name: sql, port: 5432 }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  replicas: 2
  podManagementPolicy: Parallel
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - { name: main, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, "3600"], ports: [{ containerPort: 5432 }] }
`;

test("F3 pods of a StatefulSet by name, by port and back from their address, through the VIP", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl, name: namespace } = await useNamespace(t, cluster);
  const vip = (await kubectlFor(cluster).json(["-n", "kube-system", "get", "service", "kube-dns"])).spec.clusterIP;
  await kubectl.apply(database);
  await kubectl.run(["rollout", "status", "statefulset/db", "--timeout=90s"]);
  const ips: string[] = await Promise.all(
    ["db-0", "db-1"].map(async (name) => (await kubectl.json(["get", "pod", name])).status.podIP),
  );
  const db = `db.${namespace}.svc.cluster.local`;
  await eventually("both have names", async () => (await dig(vip, db)).join() === [...ips].sort().join());
  t.strictSame(await dig(vip, `db-0.${db}`), [ips[0]]);
  t.strictSame(await dig(vip, `db-1.${db}`, "+tcp"), [ips[1]], "over TCP");
  t.strictSame(await dig(vip, `_sql._tcp.${db}`, "SRV"), [`0 50 5432 db-0.${db}.`, `0 50 5432 db-1.${db}.`]);
  t.strictSame(await dig(vip, "-x", ips[0]!), [`db-0.${db}.`]);
  t.match(await kubectl.run(["exec", "db-0", "--", "nslookup", `db-1.${db}`]), ips[1]!, "and from a pod");
});

/** A kubeconfig of the DNS server's own that a pod can use: the node's address in the place of the loopback's. */
function kubeconfigForPods(cluster: TestCluster, directory: string): string {
  const from = join(cluster.dataDir, "kubeconfig", "cluster-dns.kubeconfig");
  const to = join(directory, "cluster-dns.kubeconfig");
  const text = readFileSync(from, "utf8").replace(/https:\/\/[^:\s]+:/, `https://${cluster.nodeIp}:`);
  writeFileSync(to, text);
  return to;
}

test("F3 another DNS server takes over: kube-dns is given a selector, its slice is deleted", async (t) => {
  const cluster = await useCluster(t);
  const kubectl = kubectlFor(cluster, "kube-system");
  const service = await kubectl.json(["get", "service", "kube-dns"]);
  t.match(service.metadata.labels, { "k8s-app": "kube-dns", "kubernetes.io/name": "CoreDNS" });
  const vip: string = service.spec.clusterIP;
  const directory = mkdtempSync(join(tmpdir(), "picokube-e2e-dns-"));
  const slice = await kubectl.json(["get", "endpointslice", "kube-dns-picokube"]);
  // The host's slice first, so that somebody answers all the time; the controller leaves its own behind.
  const giveBack = async () => {
    const { name, namespace, labels } = slice.metadata;
    const { addressType, endpoints, ports } = slice;
    const again = { apiVersion: slice.apiVersion, kind: slice.kind, metadata: { name, namespace, labels } };
    await kubectl.attempt(["create", "-f", "-"], {
      input: JSON.stringify({ ...again, addressType, endpoints, ports }),
    });
    await kubectl.attempt(["delete", "pod", "dns-in-a-pod", "--grace-period=0", "--force"]);
    await kubectl.attempt(["patch", "service", "kube-dns", "--type=merge", "-p", '{"spec":{"selector":null}}']);
    const ofService = "kubernetes.io/service-name=kube-dns";
    // More than once: the controller may not have heard yet that there is nothing more to select.
    await eventually("kube-dns has the host's slice alone", async () => {
      const theirs = `${ofService},endpointslice.kubernetes.io/managed-by!=picokube`;
      await kubectl.attempt(["delete", "endpointslices", "-l", theirs]);
      const { items } = await kubectl.json(["get", "endpointslices", "-l", ofService]);
      return items.length === 1 && items[0].metadata.name === name;
    });
  };
  t.teardown(async () => {
    await giveBack();
    rmSync(directory, { recursive: true, force: true });
  });

  // The stand-in for CoreDNS is a real DNS server in a pod, on a pod's address and CoreDNS's ports. No image has Node.js:
  // the pod has the machine's.
  writeFileSync(join(directory, "resolv.conf"), "");
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  const executable = join(root, "packages/cluster-dns/bin/cluster-dns.js");
  const kubeconfig = kubeconfigForPods(cluster, directory);
  const needed = ["/usr", "/lib", "/lib64", dirname(realpathSync(process.execPath)), root, directory, cluster.dataDir];
  const paths = [...new Set(needed.map((path) => path.replace(/\/$/, "")))].filter((path) => existsSync(path));
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "dns-in-a-pod", labels: { "k8s-app": "kube-dns" } },
    spec: {
      terminationGracePeriodSeconds: 1,
      volumes: paths.map((path, i) => ({ name: `host-${i}`, hostPath: { path } })),
      containers: [
        {
          name: "dns",
          image: "busybox",
          imagePullPolicy: "IfNotPresent",
          command: [realpathSync(process.execPath), executable],
          args: [
            `--kubeconfig=${kubeconfig}`,
            `--resolv-conf=${join(directory, "resolv.conf")}`,
            "--port=53",
            "--ttl=17",
            "--health-bind-address=0.0.0.0",
            "--health-port=9153",
          ],
          volumeMounts: paths.map((mountPath, i) => ({ name: `host-${i}`, mountPath, readOnly: true })),
          readinessProbe: { httpGet: { path: "/ready", port: 9153 }, periodSeconds: 1, timeoutSeconds: 5 },
        },
      ],
    },
  };
  await kubectl.apply(JSON.stringify(pod));
  await kubectl.run(["wait", "pod/dns-in-a-pod", "--for=condition=Ready", "--timeout=100s"]).catch(async (error) => {
    throw new Error((await kubectl.attempt(["describe", "pod", "dns-in-a-pod"])).stdout, { cause: error });
  });
  const ttl = async () => {
    const { stdout } = await run("dig", [
      `@${vip}`,
      "+noall",
      "+answer",
      "+tries=2",
      "+time=5",
      "kubernetes.default.svc.cluster.local",
    ]);
    return Number(stdout.trim().split(/\s+/)[1]);
  };
  t.equal(await ttl(), 30, "the host's server, so far");

  await kubectl.run(["patch", "service", "kube-dns", "-p", '{"spec":{"selector":{"k8s-app":"kube-dns"}}}']);
  await kubectl.run(["delete", "endpointslice", "kube-dns-picokube"]);
  await eventually("the pod's server answers on the VIP", async () => (await ttl()) === 17);
  const metrics = (await run("curl", ["-sS", "--max-time", "10", `http://${vip}:9153/metrics`])).stdout;
  t.match(metrics, /^coredns_dns_requests_total\{server="dns:\/\/0\.0\.0\.0:53"/m, "and its metrics");

  await giveBack();
  await eventually("the host's server answers again", async () => (await ttl()) === 30);
});
