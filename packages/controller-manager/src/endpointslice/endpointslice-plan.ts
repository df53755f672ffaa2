// Which EndpointSlices a Service needs, and what must change to get there. Pure: upstream's endpointslice reconciler.

import type { Node, Pod, Service } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { type Endpoint, type EndpointSlice, endpointslices } from "@picokube/api/discovery/v1";
import type { NewObject, OwnerReference } from "@picokube/api/meta/v1";
import { isPodReady } from "@picokube/api/pod";
import { apiVersionOf } from "@picokube/api/resource";
import { hostnameOf, isCandidate, portsOf, type ResolvedPort } from "../endpoints/endpoint-ports.js";
import type { SliceChanges } from "./slice-changes.js";

export const serviceNameLabel = "kubernetes.io/service-name";
export const managedByLabel = "endpointslice.kubernetes.io/managed-by";
export const manager = "endpointslice-controller.k8s.io";
const headlessLabel = "service.kubernetes.io/headless";

/** One address type's slices; the other half of what a Service may have. */
export interface SlicePlan extends SliceChanges {
  readonly addressType: AddressType;
  readonly delete: readonly EndpointSlice[];
}

export interface ServicePlan {
  readonly byAddressType: readonly SlicePlan[];
  /** Slices of an address type that the Service has no more. */
  readonly delete: readonly EndpointSlice[];
  /** Pods left out because their node is unknown. */
  readonly skipped: readonly Pod[];
}

export type AddressType = EndpointSlice["addressType"];

export interface PlanInput {
  readonly service: Service;
  readonly pods: readonly Pod[];
  nodes(name: string): Node | undefined;
  readonly existing: readonly EndpointSlice[];
  readonly owner: OwnerReference;
  readonly maxEndpoints: number;
}

/** The writes that bring the Service's slices in line with its pods; hints are not its affair. */
export function planEndpointSlices({ pods: selected, existing: all, ...input }: PlanInput): ServicePlan {
  const { service, nodes } = input;
  const families = (service.spec?.ipFamilies ?? ["IPv4"]) as AddressType[];
  const candidates = selected.filter((pod) => isCandidate(pod, { includeTerminating: true }));
  // Who wants addresses of pods that are not ready wants these as well.
  const isKnown = ({ spec }: Pod) =>
    service.spec?.publishNotReadyAddresses === true || nodes(spec?.nodeName ?? "") !== undefined;
  const pods = candidates.filter(isKnown);
  const existing = all.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return {
    byAddressType: families.map((addressType) => {
      const ofType = existing.filter((slice) => slice.addressType === addressType);
      return planAddressType({ ...input, addressType, pods, existing: ofType });
    }),
    delete: existing.filter(({ addressType }) => !families.includes(addressType)),
    skipped: candidates.filter((pod) => !isKnown(pod)),
  };
}

function planAddressType({
  addressType,
  existing,
  ...input
}: PlanInput & { readonly addressType: AddressType }): SlicePlan {
  const { service, owner, maxEndpoints } = input;
  const labels = labelsOf(service);
  const create: NewObject<EndpointSlice>[] = [];
  const update: EndpointSlice[] = [];
  const unwanted = new Set(existing);
  const fresh = (endpoints: Endpoint[], ports: readonly ResolvedPort[]) =>
    ({
      apiVersion: apiVersionOf(endpointslices),
      kind: endpointslices.kind,
      metadata: {
        generateName: `${service.metadata.name}-`,
        namespace: service.metadata.namespace!,
        labels,
        ownerReferences: [owner],
      },
      addressType,
      endpoints,
      ports: ports.map(asSlicePort),
    }) as NewObject<EndpointSlice>;
  for (const { ports, endpoints } of desiredGroups({ ...input, addressType })) {
    const slices = existing.filter((slice) => isOwned(slice, owner) && samePorts(slice, ports) && unwanted.has(slice));
    const filled = fill({ slices, endpoints, maxEndpoints });
    for (const [slice, list] of filled.kept) {
      if (list.length === 0 && (slice.endpoints ?? []).length > 0) continue;
      unwanted.delete(slice);
      if (!sameButHints(slice.endpoints ?? [], list) || !semanticDeepEqual(slice.metadata.labels, labels))
        update.push({ ...slice, metadata: { ...slice.metadata, labels }, endpoints: list });
    }
    create.push(...filled.fresh.map((list) => fresh(list, ports)));
  }
  // A slice without endpoints tells "none" from "not seen yet".
  if (unwanted.size === existing.length && create.length === 0) {
    const isPlaceholder = (slice: EndpointSlice) =>
      isOwned(slice, owner) && samePorts(slice, []) && semanticDeepEqual(slice.metadata.labels, labels);
    const placeholder = existing.find((slice) => isPlaceholder(slice) && (slice.endpoints ?? []).length === 0);
    if (placeholder) unwanted.delete(placeholder);
    else create.push(fresh([], []));
  }
  // What would be deleted becomes what would be made: its readers never see the endpoints twice, or not at all.
  for (const slice of unwanted) {
    if (create.length === 0) break;
    if (!isOwned(slice, owner)) continue;
    unwanted.delete(slice);
    const { metadata: _, ...contents } = create.pop()!;
    update.push({ ...slice, ...contents, metadata: { ...slice.metadata, labels } } as EndpointSlice);
  }
  const changed = new Set(update.map(({ metadata }) => metadata.name));
  const isUnchanged = (slice: EndpointSlice) => !unwanted.has(slice) && !changed.has(slice.metadata.name);
  return { addressType, create, update, unchanged: existing.filter(isUnchanged), delete: [...unwanted] };
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
  return { kept, fresh };
}

function identity({ targetRef, addresses }: Endpoint): string {
  return `${targetRef?.uid ?? ""}/${addresses.join(",")}`;
}

// Of an old Service of the same name: the garbage collector's.
function isOwned({ metadata }: EndpointSlice, { uid }: OwnerReference): boolean {
  return metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false;
}

function sameButHints(before: readonly Endpoint[], after: readonly Endpoint[]): boolean {
  return semanticDeepEqual(
    before.map(({ hints: _, ...endpoint }) => endpoint),
    after,
  );
}

function desiredGroups({
  service,
  pods,
  nodes,
  addressType,
}: Pick<PlanInput, "service" | "pods" | "nodes"> & { addressType: AddressType }) {
  const groups = new Map<string, { ports: ResolvedPort[]; endpoints: Endpoint[] }>();
  for (const pod of pods) {
    const ips = pod.status?.podIPs?.map(({ ip }) => ip) ?? [pod.status!.podIP!];
    const addresses = ips.filter((ip) => ip.includes(":") === (addressType === "IPv6"));
    if (addresses.length === 0) continue;
    const ports = portsOf(service, pod);
    const id = JSON.stringify(ports);
    const group = groups.get(id) ?? { ports, endpoints: [] };
    groups.set(id, group);
    group.endpoints.push(endpointOf({ service, pod, addresses, node: nodes(pod.spec?.nodeName ?? "") }));
  }
  return groups.values();
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
