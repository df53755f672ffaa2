// Which EndpointSlices a Service needs, and what must change to get there. Pure: upstream's endpointslice reconciler.

import type { Node, Pod, Service } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { type Endpoint, type EndpointSlice, endpointslices } from "@picokube/api/discovery/v1";
import type { NewObject, OwnerReference } from "@picokube/api/meta/v1";
import { isPodReady } from "@picokube/api/pod";
import { apiVersionOf } from "@picokube/api/resource";
import { hostnameOf, isCandidate, portsOf, type ResolvedPort } from "../endpoints/endpoint-ports.js";

export const serviceNameLabel = "kubernetes.io/service-name";
export const managedByLabel = "endpointslice.kubernetes.io/managed-by";
export const manager = "endpointslice-controller.k8s.io";
const headlessLabel = "service.kubernetes.io/headless";

export interface SlicePlan {
  readonly create: readonly NewObject<EndpointSlice>[];
  readonly update: readonly EndpointSlice[];
  readonly delete: readonly EndpointSlice[];
}

type AddressType = "IPv4" | "IPv6";

/** The writes that bring the Service's slices in line with its pods. */
export function planEndpointSlices({
  service,
  pods,
  nodes,
  existing,
  owner,
  maxEndpoints,
}: {
  service: Service;
  pods: readonly Pod[];
  nodes: (name: string) => Node | undefined;
  existing: readonly EndpointSlice[];
  owner: OwnerReference;
  maxEndpoints: number;
}): SlicePlan {
  const plan = {
    create: [] as NewObject<EndpointSlice>[],
    update: [] as EndpointSlice[],
    delete: [] as EndpointSlice[],
  };
  const families = (service.spec?.ipFamilies ?? ["IPv4"]) as AddressType[];
  const labels = labelsOf(service);
  const wanted = desiredGroups({ service, pods, nodes, families });
  const claimed = new Set<EndpointSlice>();
  for (const { addressType, ports, endpoints } of wanted) {
    const slices = existing.filter(
      (slice) => slice.addressType === addressType && samePorts(slice, ports) && !claimed.has(slice),
    );
    for (const slice of slices) claimed.add(slice);
    const filled = fill({ slices, endpoints, maxEndpoints });
    for (const [slice, list] of filled.kept) {
      if (list.length === 0 && filled.kept.size + filled.fresh.length > 1) plan.delete.push(slice);
      else if (!semanticDeepEqual(slice.endpoints, list) || !semanticDeepEqual(slice.metadata.labels, labels))
        plan.update.push({ ...slice, metadata: { ...slice.metadata, labels }, endpoints: list });
    }
    for (const list of filled.fresh)
      plan.create.push({
        apiVersion: apiVersionOf(endpointslices),
        kind: endpointslices.kind,
        metadata: {
          generateName: `${service.metadata.name}-`,
          namespace: service.metadata.namespace!,
          labels,
          ownerReferences: [owner],
        },
        addressType,
        endpoints: list,
        ports: ports.map(asSlicePort),
      } as NewObject<EndpointSlice>);
  }
  for (const slice of existing) if (!claimed.has(slice)) plan.delete.push(slice);
  return plan;
}

// A slice keeps the endpoints that it has, so that a change of one pod is a change of one slice.
function fill({
  slices,
  endpoints,
  maxEndpoints,
}: {
  slices: readonly EndpointSlice[];
  endpoints: readonly Endpoint[];
  maxEndpoints: number;
}): { kept: Map<EndpointSlice, Endpoint[]>; fresh: Endpoint[][] } {
  const left = new Map(endpoints.map((endpoint) => [identity(endpoint), endpoint]));
  const kept = new Map<EndpointSlice, Endpoint[]>();
  for (const slice of slices) {
    const list: Endpoint[] = [];
    for (const endpoint of slice.endpoints ?? []) {
      const current = left.get(identity(endpoint));
      if (!current || list.length >= maxEndpoints) continue;
      left.delete(identity(endpoint));
      list.push(current);
    }
    kept.set(slice, list);
  }
  const rest = [...left.values()];
  for (const list of [...kept.values()].sort((a, b) => b.length - a.length))
    while (list.length < maxEndpoints && rest.length > 0) list.push(rest.shift()!);
  const fresh: Endpoint[][] = [];
  while (rest.length > 0) fresh.push(rest.splice(0, maxEndpoints));
  // Upstream keeps one empty slice, so that "no endpoints" can be told from "not seen yet".
  if (kept.size === 0 && fresh.length === 0) fresh.push([]);
  return { kept, fresh };
}

function identity({ targetRef, addresses }: Endpoint): string {
  return `${targetRef?.uid ?? ""}/${addresses.join(",")}`;
}

function desiredGroups({
  service,
  pods,
  nodes,
  families,
}: {
  service: Service;
  pods: readonly Pod[];
  nodes: (name: string) => Node | undefined;
  families: readonly AddressType[];
}): { addressType: AddressType; ports: ResolvedPort[]; endpoints: Endpoint[] }[] {
  const groups = new Map<string, { addressType: AddressType; ports: ResolvedPort[]; endpoints: Endpoint[] }>();
  for (const pod of pods) {
    if (!isCandidate(pod, { includeTerminating: true })) continue;
    const ports = portsOf(service, pod);
    const ips = pod.status?.podIPs?.map(({ ip }) => ip) ?? [pod.status!.podIP!];
    for (const addressType of families) {
      const addresses = ips.filter((ip) => ip.includes(":") === (addressType === "IPv6"));
      if (addresses.length === 0) continue;
      const id = `${addressType}${JSON.stringify(ports)}`;
      const group = groups.get(id) ?? { addressType, ports, endpoints: [] };
      groups.set(id, group);
      group.endpoints.push(endpointOf({ service, pod, addresses, node: nodes(pod.spec?.nodeName ?? "") }));
    }
  }
  for (const addressType of families)
    if (![...groups.values()].some((group) => group.addressType === addressType))
      groups.set(addressType, { addressType, ports: [], endpoints: [] });
  return [...groups.values()];
}

function endpointOf({
  service,
  pod,
  addresses,
  node,
}: {
  service: Service;
  pod: Pod;
  addresses: string[];
  node: Node | undefined;
}): Endpoint {
  const { name, namespace, uid, deletionTimestamp } = pod.metadata;
  const serving = isPodReady(pod);
  const terminating = deletionTimestamp !== undefined;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const zone = node?.metadata.labels?.["topology.kubernetes.io/zone"];
  const hostname = hostnameOf(pod, service);
  return {
    addresses,
    conditions: { ready, serving, terminating },
    ...(hostname ? { hostname } : {}),
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    ...(zone ? { zone } : {}),
    targetRef: { kind: "Pod", ...(namespace ? { namespace } : {}), name, uid },
  };
}

function asSlicePort({ name, port, protocol, appProtocol }: ResolvedPort): NonNullable<EndpointSlice["ports"]>[number] {
  return { name, port, protocol, ...(appProtocol ? { appProtocol } : {}) };
}

function samePorts({ ports }: EndpointSlice, wanted: readonly ResolvedPort[]): boolean {
  const id = (list: readonly { name?: string; port?: number; protocol?: string; appProtocol?: string }[]) =>
    JSON.stringify(
      list.map(({ name = "", port, protocol = "TCP", appProtocol = "" }) => [name, port, protocol, appProtocol]).sort(),
    );
  return id(ports ?? []) === id(wanted);
}

function labelsOf(service: Service): Record<string, string> {
  const { name, labels = {} } = service.metadata;
  const { [headlessLabel]: _, ...own } = labels;
  return {
    ...own,
    ...(service.spec?.clusterIP === "None" ? { [headlessLabel]: "" } : {}),
    [managedByLabel]: manager,
    [serviceNameLabel]: name,
  };
}
