// A joined machine's files: the cluster's words, this machine's paths and ports.

import { configmaps } from "@picokube/api/core/v1";
import { test } from "tap";
import { parse } from "yaml";
import { type Cluster, defaultPorts } from "../cluster/cluster.js";
import { componentSpecs } from "../cluster/components.js";
import { joinObjects } from "./join-objects.js";
import { bootstrapKubeconfig, readNetworking, workerConfigFiles } from "./worker-files.js";

const first: Cluster = {
  name: "picokube",
  dataDir: "/first",
  logDir: "/first/log",
  adminKubeconfig: "/first/admin",
  nodeName: "first",
  nodeIp: "192.0.2.1",
  serviceCidr: "10.97.0.0/16",
  podCidr: "10.245.0.0/16",
  clusterDomain: "example.test",
  controlPlaneOnly: false,
  ports: { ...defaultPorts, kubelet: 10350 },
  podBridge: "pico0",
  chainPrefix: "KUBE",
  componentArgs: {},
};

/** What the first machine writes, a joining one reads. */
function published(key: string): string {
  for (const { resource, object } of joinObjects(first, "CA")) {
    const text = (object as { data?: Record<string, string> }).data?.[key];
    if (resource === configmaps && text) return text;
  }
  throw new Error(`no ConfigMap has ${key}`);
}

test("the cluster's configuration with this machine's own places in it", (t) => {
  const configs = {
    cluster: published("ClusterConfiguration"),
    kubelet: published("kubelet"),
    proxy: published("config.conf"),
  };
  t.same(readNetworking(configs.cluster), {
    podCidr: "10.245.0.0/16",
    serviceCidr: "10.97.0.0/16",
    clusterDomain: "example.test",
  });
  const worker: Cluster = {
    ...first,
    dataDir: "/w",
    ports: defaultPorts,
    joined: { server: "https://192.0.2.1:6443" },
  };
  const files = workerConfigFiles(worker, configs);
  t.match(parse(files["kubelet.yaml"]!), {
    kind: "KubeletConfiguration",
    clusterDNS: ["10.97.0.10"],
    clusterDomain: "example.test",
    rotateCertificates: true,
    serverTLSBootstrap: true,
    port: 10250,
    staticPodPath: "/w/manifests",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: "/w/pki/ca.crt" },
    },
  });
  t.match(parse(files["kube-proxy.yaml"]!), {
    clusterCIDR: "10.245.0.0/16",
    clientConnection: { kubeconfig: "/w/kubeconfig/kubelet.kubeconfig" },
  });
  t.throws(() => readNetworking("kind: ClusterConfiguration"), /names no podSubnet/);
  t.throws(() => readNetworking("kind: Other"), /ClusterConfiguration is damaged/);
  t.match(parse(bootstrapKubeconfig({ server: "https://a", ca: "CA" }, "abcdef.x")).users, [
    { user: { token: "abcdef.x" } },
  ]);
  t.end();
});

test("a joined machine runs a kubelet that bootstraps, and a kube-proxy that waits for it", (t) => {
  const specs = componentSpecs({ ...first, dataDir: "/w", joined: { server: "https://192.0.2.1:6443" } });
  t.same(
    specs.map(({ name, needs }) => [name, needs]),
    [
      ["kubelet", undefined],
      ["kube-proxy", "/w/kubeconfig/kubelet.kubeconfig"],
    ],
  );
  t.ok(specs[0]!.argv.includes("--bootstrap-kubeconfig=/w/kubeconfig/bootstrap-kubelet.kubeconfig"));
  t.ok(specs[0]!.argv.includes("--cert-dir=/w/pki"));
  t.end();
});
