// The Service "kubernetes" of namespace default, its Endpoints and its EndpointSlice: how pods find the apiserver
// (upstream: pkg/controlplane/controller/kubernetesservice). The address is this server's alone.

import { endpoints, services } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { endpointslices } from "@picokube/api/discovery/v1";
import { ipFamilyOf, ipToNumber, numberToIPv4, parseCIDR } from "@picokube/api/validation/ip";
import { ConfigError } from "@picokube/component-base/config-error";
import type { StorageRegistry } from "../storage/resource-storage.js";
import { ensure } from "./ensure.js";

const NAMESPACE = "default";
const NAME = "kubernetes";
const PORT = { name: "https", protocol: "TCP" as const };

export interface KubernetesServiceOptions {
  readonly advertiseAddress: string;
  readonly securePort: number;
  /** The first one holds the Service's address. */
  readonly serviceCidrs: readonly string[];
}

/** The first usable address of a range: 10.96.0.1 for 10.96.0.0/16. */
export function firstServiceAddress(cidr: string): string {
  if (!parseCIDR(cidr)) throw new ConfigError(`service-cluster-ip-range: ${cidr} is not a CIDR`);
  const base = cidr.slice(0, cidr.indexOf("/"));
  const network = ipToNumber(base);
  if (network === undefined) throw new ConfigError(`service-cluster-ip-range: ${cidr} is not a CIDR`);
  if (ipFamilyOf(base) === "IPv4") return numberToIPv4(network + 1n);
  return base.endsWith("::") ? `${base}1` : base.replace(/0?$/, "1");
}

/** Makes Service, Endpoints and EndpointSlice say where this apiserver is. */
export async function bootstrapKubernetesService(
  storage: StorageRegistry,
  options: KubernetesServiceOptions,
): Promise<void> {
  const { advertiseAddress, securePort, serviceCidrs } = options;
  const ports = [{ ...PORT, port: securePort }];
  const service = await ensure(storage, services, {
    metadata: { name: NAME, namespace: NAMESPACE, labels: { component: "apiserver", provider: "kubernetes" } },
    spec: {
      type: "ClusterIP",
      clusterIP: firstServiceAddress(serviceCidrs[0] ?? "10.96.0.0/16"),
      sessionAffinity: "None",
      ports: [{ ...PORT, port: 443, targetPort: securePort }],
    },
  });
  if (service.spec?.ports?.[0]?.targetPort !== securePort) {
    await storage.for(services).update(NAMESPACE, NAME, (object) => {
      object.spec = { ...object.spec, ports: [{ ...PORT, port: 443, targetPort: securePort }] };
    });
  }

  const subsets = [{ addresses: [{ ip: advertiseAddress }], ports }];
  const known = await ensure(storage, endpoints, {
    metadata: { name: NAME, namespace: NAMESPACE, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    subsets,
  });
  if (!semanticDeepEqual(known.subsets, subsets)) {
    await storage.for(endpoints).update(NAMESPACE, NAME, (object) => {
      object.subsets = subsets;
    });
  }

  const addressType = ipFamilyOf(advertiseAddress) ?? "IPv4";
  const sliceEndpoints = [{ addresses: [advertiseAddress], conditions: { ready: true } }];
  const wanted = {
    metadata: { name: NAME, namespace: NAMESPACE, labels: { "kubernetes.io/service-name": NAME } },
    addressType,
    endpoints: sliceEndpoints,
    ports,
  };
  const slice = await ensure(storage, endpointslices, wanted);
  if (slice.addressType !== addressType) {
    await storage.for(endpointslices).delete(NAMESPACE, NAME);
    await ensure(storage, endpointslices, wanted);
  } else if (!semanticDeepEqual({ e: slice.endpoints, p: slice.ports }, { e: sliceEndpoints, p: ports })) {
    await storage.for(endpointslices).update(NAMESPACE, NAME, (object) => {
      object.endpoints = sliceEndpoints;
      object.ports = ports;
    });
  }
}
