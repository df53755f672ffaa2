import { services } from "@picokube/api/core/v1";
import { endpointslices } from "@picokube/api/discovery/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { type Cluster, defaultPorts } from "../cluster/cluster.js";
import { ensureKubeDns } from "./kube-dns.js";

const cluster = { serviceCidr: "10.96.0.0/16", nodeIp: "192.0.2.10", ports: defaultPorts } as Cluster;
const service = { namespace: "kube-system", name: "kube-dns" };
const slice = { namespace: "kube-system", name: "kube-dns-picokube" };

test("F3 kube-dns is as kubeadm makes it, follows the node's address, and is another's once it has a selector", async (t) => {
  const { client } = await startApiServer(t);
  const slicePorts = async () =>
    (await client.get(endpointslices, slice)).ports?.map((port) => `${port.name}:${port.port}`);

  await ensureKubeDns(client, cluster);
  const made = await client.get(services, service);
  t.match(made.metadata, {
    labels: { "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS" },
    annotations: { "prometheus.io/port": "9153", "prometheus.io/scrape": "true" },
  });
  t.match(made.spec, { clusterIP: "10.96.0.10", type: "ClusterIP" });
  t.strictSame(made.spec?.ports, [
    { name: "dns", port: 53, protocol: "UDP", targetPort: 53 },
    { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 53 },
    { name: "metrics", port: 9153, protocol: "TCP", targetPort: 9153 },
  ]);
  t.strictSame(await slicePorts(), ["dns:10053", "dns-tcp:10053", "metrics:10054"]);

  // A cluster of before had other ports; the node has another address after a move.
  await client.update(services, { ...made, spec: { ...made.spec, ports: made.spec!.ports!.slice(0, 2) } });
  await ensureKubeDns(client, { ...cluster, nodeIp: "192.0.2.11", ports: { ...defaultPorts, dns: 10153 } });
  t.equal((await client.get(services, service)).spec?.ports?.length, 3);
  t.strictSame(await slicePorts(), ["dns:10153", "dns-tcp:10153", "metrics:10054"]);
  t.match((await client.get(endpointslices, slice)).endpoints, [{ addresses: ["192.0.2.11"] }]);

  // CoreDNS takes over: the slice goes, and stays away at the next up.
  const current = await client.get(services, service);
  const taken = { ...current, spec: { ...current.spec, selector: { "k8s-app": "kube-dns" } } };
  const { metadata } = await client.update(services, taken);
  for (let ups = 0; ups < 2; ups++) {
    await ensureKubeDns(client, cluster);
    await t.rejects(client.get(endpointslices, slice), { code: 404 });
  }
  t.equal((await client.get(services, service)).metadata.resourceVersion, metadata.resourceVersion, "untouched");
});
