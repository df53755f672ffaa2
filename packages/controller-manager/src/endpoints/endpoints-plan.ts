// The subsets of a Service's Endpoints. Pure: upstream's endpoints controller and RepackSubsets.

import type { EndpointAddress, EndpointSubset, Pod, Service } from "@picokube/api/core/v1";
import { isPodReady } from "@picokube/api/pod";
import { hostnameOf, isCandidate, portsOf } from "./endpoint-ports.js";

const maxAddresses = 1000;

interface Group {
  ports: NonNullable<EndpointSubset["ports"]>;
  addresses: EndpointAddress[];
  notReadyAddresses: EndpointAddress[];
}

/** One subset for each set of ports; truncated says that addresses above 1,000 were left out. */
export function planEndpoints(
  service: Service,
  pods: readonly Pod[],
): { subsets: EndpointSubset[]; truncated: boolean } {
  const publishNotReady = service.spec?.publishNotReadyAddresses === true;
  const groups = new Map<string, Group>();
  const headlessWithoutPorts = service.spec?.clusterIP === "None" && (service.spec.ports ?? []).length === 0;
  for (const pod of pods) {
    if (!isCandidate(pod, { includeTerminating: publishNotReady })) continue;
    const ports = portsOf(service, pod);
    if (ports.length === 0 && !headlessWithoutPorts) continue;
    const id = JSON.stringify(ports);
    const group = groups.get(id) ?? { ports: ports.map(asEndpointPort), addresses: [], notReadyAddresses: [] };
    groups.set(id, group);
    const ready = publishNotReady || isPodReady(pod);
    (ready ? group.addresses : group.notReadyAddresses).push(addressOf(pod, service));
  }
  const byIp = (a: EndpointAddress, b: EndpointAddress) => (a.ip < b.ip ? -1 : 1);
  const all: readonly Group[] = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { ports, addresses, notReadyAddresses }]) => ({
      ports,
      addresses: addresses.sort(byIp),
      notReadyAddresses: notReadyAddresses.sort(byIp),
    }));
  const cut = withinCapacity(all);
  const subsets = cut.map(({ ports, addresses, notReadyAddresses }) => ({
    ...(addresses.length > 0 ? { addresses } : {}),
    ...(notReadyAddresses.length > 0 ? { notReadyAddresses } : {}),
    ...(ports.length > 0 ? { ports } : {}),
  }));
  return { subsets, truncated: cut !== all };
}

// Ready addresses first, from each subset its share, rounded up (upstream: truncateEndpoints).
function withinCapacity(groups: readonly Group[]): readonly Group[] {
  const ready = groups.reduce((sum, { addresses }) => sum + addresses.length, 0);
  const notReady = groups.reduce((sum, { notReadyAddresses }) => sum + notReadyAddresses.length, 0);
  if (ready + notReady <= maxAddresses) return groups;
  const cutsReady = ready > maxAddresses;
  const room = cutsReady ? maxAddresses : maxAddresses - ready;
  let left = room;
  const share = (addresses: readonly EndpointAddress[], total: number) => {
    const taken = addresses.slice(0, Math.min(left, Math.ceil((addresses.length / total) * room)));
    left -= taken.length;
    return taken;
  };
  return groups.map(({ ports, addresses, notReadyAddresses }) =>
    cutsReady
      ? { ports, addresses: share(addresses, ready), notReadyAddresses: [] }
      : { ports, addresses, notReadyAddresses: share(notReadyAddresses, notReady) },
  );
}

function asEndpointPort({
  name,
  ...port
}: ReturnType<typeof portsOf>[number]): NonNullable<EndpointSubset["ports"]>[number] {
  return { ...(name ? { name } : {}), ...port };
}

function addressOf(pod: Pod, service: Service): EndpointAddress {
  const { name, namespace, uid } = pod.metadata;
  const hostname = hostnameOf(pod, service);
  return {
    ip: pod.status!.podIP!,
    ...(hostname ? { hostname } : {}),
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: "Pod", ...(namespace ? { namespace } : {}), name, uid },
  };
}
