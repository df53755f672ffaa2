// The kube-dns Service as kubeadm makes it, and an EndpointSlice that points it at this host's cluster-dns. A CoreDNS
// Deployment can take its place: give the Service a selector and delete the slice.

import { type Service, services } from "@picokube/api/core/v1";
import { type EndpointSlice, endpointslices } from "@picokube/api/discovery/v1";
import { isAlreadyExists, isNotFound } from "@picokube/api/errors";
import type { NewObject } from "@picokube/api/meta/v1";
import type { Client } from "@picokube/client/client";
import type { Cluster } from "../cluster/cluster.js";
import { dnsVip } from "../cluster/components.js";

const namespace = "kube-system";
const name = "kube-dns";
const sliceName = "kube-dns-picokube";

/** Creates both, or brings the slice up to date with the node's address. */
export async function ensureKubeDns(client: Client, cluster: Cluster): Promise<void> {
  await client.create(services, service(cluster)).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
  const wanted = slice(cluster);
  try {
    const current = await client.get(endpointslices, { namespace, name: sliceName });
    if (current.endpoints?.[0]?.addresses[0] === cluster.nodeIp && current.ports?.[0]?.port === cluster.ports.dns)
      return;
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
    },
    spec: {
      clusterIP: dnsVip(cluster),
      ports: [
        { name: "dns", port: 53, protocol: "UDP", targetPort: cluster.ports.dns },
        { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: cluster.ports.dns },
      ],
    },
  };
}

function slice(cluster: Cluster): NewObject<EndpointSlice> {
  return {
    metadata: {
      name: sliceName,
      namespace,
      labels: { "kubernetes.io/service-name": name, "endpointslice.kubernetes.io/managed-by": "picokube" },
    },
    addressType: "IPv4",
    endpoints: [{ addresses: [cluster.nodeIp], conditions: { ready: true, serving: true, terminating: false } }],
    ports: [
      { name: "dns", protocol: "UDP", port: cluster.ports.dns },
      { name: "dns-tcp", protocol: "TCP", port: cluster.ports.dns },
    ],
  };
}
