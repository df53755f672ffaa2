// The kube-dns Service as kubeadm makes it, and an EndpointSlice that points it at this host's cluster-dns. A CoreDNS
// Deployment can take its place: give the Service a selector and delete the slice, which then stays away.

import { type Service, services } from "@picokube/api/core/v1";
import { type EndpointSlice, endpointslices } from "@picokube/api/discovery/v1";
import { isNotFound } from "@picokube/api/errors";
import type { NewObject } from "@picokube/api/meta/v1";
import type { Client } from "@picokube/client/client";
import type { Cluster } from "../cluster/cluster.js";
import { dnsVip } from "../cluster/components.js";

const namespace = "kube-system";
const name = "kube-dns";
const sliceName = "kube-dns-picokube";
const metricsPort = 9153;

/** Creates both, or brings them up to date; a Service that somebody gave a selector is theirs. */
export async function ensureKubeDns(client: Client, cluster: Cluster): Promise<void> {
  const current = await ensureService(client, cluster);
  if (Object.keys(current.spec?.selector ?? {}).length === 0) return ensureSlice(client, cluster);
  await client.delete(endpointslices, { namespace, name: sliceName }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}

async function ensureService(client: Client, cluster: Cluster): Promise<Service> {
  const wanted = service(cluster);
  const current = await client.get(services, { namespace, name }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
    return undefined;
  });
  if (!current) return client.create(services, wanted);
  const hasAllPorts = wanted.spec!.ports!.every(({ name: port, targetPort }) =>
    current.spec?.ports?.some((one) => one.name === port && one.targetPort === targetPort),
  );
  if (current.spec?.selector || hasAllPorts) return current;
  return client.update(services, { ...current, spec: { ...current.spec, ports: wanted.spec!.ports! } });
}

async function ensureSlice(client: Client, cluster: Cluster): Promise<void> {
  const wanted = slice(cluster);
  try {
    const current = await client.get(endpointslices, { namespace, name: sliceName });
    const wantedPorts = wanted.ports!.map(({ port }) => port).join();
    const currentPorts = current.ports?.map(({ port }) => port).join();
    if (current.endpoints?.[0]?.addresses[0] === cluster.nodeIp && currentPorts === wantedPorts) return;
    await client.update(endpointslices, {
      ...current,
      endpoints: wanted.endpoints,
      ports: wanted.ports,
    } as EndpointSlice);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await client.create(endpointslices, wanted);
  }
}

function service(cluster: Cluster): NewObject<Service> {
  return {
    metadata: {
      name,
      namespace,
      labels: { "k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS" },
      annotations: { "prometheus.io/port": `${metricsPort}`, "prometheus.io/scrape": "true" },
    },
    spec: {
      clusterIP: dnsVip(cluster),
      // Target ports are those of a CoreDNS pod; without a selector the slice alone says where to go.
      ports: [
        { name: "dns", port: 53, protocol: "UDP", targetPort: 53 },
        { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 53 },
        { name: "metrics", port: metricsPort, protocol: "TCP", targetPort: metricsPort },
      ],
    },
  };
}

function slice(cluster: Cluster): NewObject<EndpointSlice> {
  return {
    metadata: {
      name: sliceName,
      namespace,
      labels: {
        "k8s-app": "kube-dns",
        "kubernetes.io/cluster-service": "true",
        "kubernetes.io/name": "CoreDNS",
        "kubernetes.io/service-name": name,
        "endpointslice.kubernetes.io/managed-by": "picokube",
      },
    },
    addressType: "IPv4",
    endpoints: [{ addresses: [cluster.nodeIp], conditions: { ready: true, serving: true, terminating: false } }],
    ports: [
      { name: "dns", protocol: "UDP", port: cluster.ports.dns },
      { name: "dns-tcp", protocol: "TCP", port: cluster.ports.dns },
      { name: "metrics", protocol: "TCP", port: cluster.ports.dnsHealth },
    ],
  };
}
