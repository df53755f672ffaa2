import { createServer } from "node:net";
import { test } from "tap";
import { componentSpecs } from "./components.js";
import { configFiles } from "./config-files.js";
import { resolveCluster } from "./resolve-cluster.js";

const flags = {
  dataDir: "/somewhere/else",
  controlPlaneOnly: false,
  nodeIp: "192.0.2.10",
  nodeName: "node-1",
  componentArgs: {},
};

test("a second cluster is kept apart from the first by name, bridge, chains and ports", async (t) => {
  const first = await resolveCluster({ ...flags, dataDir: "/var/lib/picokube" });
  const second = await resolveCluster(flags);
  t.match(first, {
    name: "picokube",
    podBridge: "pico0",
    chainPrefix: "KUBE",
    adminKubeconfig: "/etc/picokube/admin.kubeconfig",
  });
  t.equal(second.name, "picokube-else");
  t.not(second.podBridge, first.podBridge);
  t.match(second.podBridge, /^pico0[a-z]{3}$/);
  t.match(second.chainPrefix, /^K[A-Z]{3}$/);
  t.equal(second.adminKubeconfig, "/somewhere/else/admin.kubeconfig");
});

test("a further cluster's ports lie on the same steps as the first one's", async (t) => {
  for (const dataDir of ["/a", "/b", "/c"]) {
    const { ports } = await resolveCluster({ ...flags, dataDir });
    t.ok(ports.securePort >= 6443 && ports.securePort < 6443 + 2000 && ports.securePort % 100 === 43);
  }
});

test("what another cluster has is left to it, though nothing of it runs", async (t) => {
  const down = await resolveCluster(flags, []);
  const beside = await resolveCluster(flags, [down]);
  const theirs = new Set(Object.values(down.ports));
  t.notOk(Object.values(beside.ports).some((port) => theirs.has(port)));
  t.not(beside.podCidr, down.podCidr);
  t.not(beside.serviceCidr, down.serviceCidr);
  const everywhere = Array.from({ length: 12 }, (_, i) => ({
    ...down,
    podCidr: `10.${244 + i}.0.0/16`,
    serviceCidr: `10.${96 + i}.0.0/16`,
  }));
  const crowded = await resolveCluster(flags, everywhere);
  t.equal(crowded.podCidr, down.podCidr, "where all are somebody's, one that nothing routes");
});

test("a port in use is passed over, but not one that was asked for", async (t) => {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "0.0.0.0", done));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  await t.rejects(resolveCluster({ ...flags, securePort: port }), { message: /is in use/ });
});

test("extra flags go to the component's command line, after ours", async (t) => {
  const cluster = await resolveCluster({ ...flags, componentArgs: { kubelet: ["max-pods=50", "--v=4"] } });
  const kubelet = componentSpecs(cluster).find(({ name }) => name === "kubelet")!;
  t.strictSame(kubelet.argv.slice(-2), ["--max-pods=50", "--v=4"]);
  t.match(configFiles(cluster)["kubelet.yaml"], /imageGCHighThresholdPercent: 100\n/, "the user's images are theirs");
  t.match(configFiles(cluster)["kubelet.yaml"], /imagefs\.available: 0%/);
  t.match(configFiles(cluster)["kubelet.yaml"], /clusterDNS:\n {2}- 10\.\d+\.0\.10/);
});

test("a control plane alone starts no node's components", async (t) => {
  const cluster = await resolveCluster({ ...flags, controlPlaneOnly: true });
  t.strictSame(
    componentSpecs(cluster).map(({ name }) => name),
    ["kube-apiserver", "kube-controller-manager", "kube-scheduler"],
  );
});
