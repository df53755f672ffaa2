// Which EndpointSlices mirror an Endpoints object, and what must change to get there. Pure: upstream's reconciler of the
// endpointslicemirroring controller.

import { isIP, SocketAddress } from "node:net";
import type { EndpointAddress, EndpointSubset, Endpoints } from "@picokube/api/core/v1";
import { endpoints as endpointsResource } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { type Endpoint, type EndpointSlice, endpointslices } from "@picokube/api/discovery/v1";
import type { NewObject } from "@picokube/api/meta/v1";
import { controllerRef } from "@picokube/api/owner";
import { apiVersionOf } from "@picokube/api/resource";
import { managedByLabel, serviceNameLabel } from "../endpointslice/endpointslice-plan.js";

export const mirrorManager = "endpointslicemirroring-controller.k8s.io";
const skipMirrorLabel = "endpointslice.kubernetes.io/skip-mirror";
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader";
// These speak of the Endpoints object and of nothing else.
const ownAnnotations = new Set([
  "endpoints.kubernetes.io/last-change-trigger-time",
  "kubectl.kubernetes.io/last-applied-configuration",
]);

type AddressType = "IPv4" | "IPv6";
type Ports = NonNullable<EndpointSlice["ports"]>;
type NewSlice = NewObject<EndpointSlice> & Required<Pick<NewObject<EndpointSlice>, "metadata">>;

interface Group {
  readonly addressType: AddressType;
  readonly ports: Ports;
  readonly wanted: Map<string, Endpoint>;
}

export interface MirrorPlan {
  readonly create: readonly NewSlice[];
  readonly update: readonly EndpointSlice[];
  readonly delete: readonly EndpointSlice[];
  /** Addresses that are no IP addresses. */
  readonly invalid: number;
  /** Addresses left out, the invalid ones among them. */
  readonly skipped: number;
  readonly changes: { readonly added: number; readonly updated: number; readonly removed: number };
  /** Per address family and set of ports: what is wanted, and in how many slices it will stand. */
  readonly sizes: readonly { readonly endpoints: number; readonly slices: number }[];
}

/** Whether the object says that it wants to be mirrored. Upstream's shouldMirror. */
export function isMirrored({ metadata: { labels, annotations } }: Endpoints): boolean {
  return labels?.[skipMirrorLabel] !== "true" && annotations?.[leaderAnnotation] === undefined;
}

/** The writes that make the slices say what the Endpoints say: one slice per subset and address family. */
export function planMirror({
  endpoints,
  existing,
  maxPerSubset,
}: {
  endpoints: Endpoints;
  existing: readonly EndpointSlice[];
  maxPerSubset: number;
}): MirrorPlan {
  const { groups, invalid, skipped } = wantedGroups(endpoints, maxPerSubset);
  const create: NewSlice[] = [];
  const update: EndpointSlice[] = [];
  const surplus: EndpointSlice[] = [];
  const changes = { added: 0, updated: 0, removed: 0 };
  const sizes: { endpoints: number; slices: number }[] = [];
  const left = new Set(existing);
  for (const { addressType, ports, wanted: all } of groups.values()) {
    // Subsets of the same ports are one slice, and no slice holds more.
    const wanted = new Map([...all].slice(0, maxPerSubset));
    const key = groupKey(addressType, ports);
    const slices = existing.filter((slice) => groupKey(slice.addressType, slice.ports ?? []) === key);
    for (const slice of slices) left.delete(slice);
    sizes.push({ endpoints: wanted.size, slices: Math.min(1, wanted.size) });
    const [kept, ...others] = wanted.size > 0 ? slices : [undefined, ...slices];
    surplus.push(...others.filter((slice) => slice !== undefined));
    if (wanted.size === 0) {
      changes.removed += sum(slices.map((slice) => slice.endpoints?.length ?? 0));
      continue;
    }
    const fresh = newSlice(endpoints, { addressType, ports, list: [...wanted.values()] });
    if (!kept) {
      changes.added += wanted.size;
      create.push(fresh);
      continue;
    }
    const differences = compare(kept, wanted);
    const isSame = sum(Object.values(differences)) === 0;
    for (const each of ["added", "updated", "removed"] as const) changes[each] += differences[each];
    if (!isSame || !sameMetadata(kept, fresh)) update.push(overwritten(kept, fresh));
  }
  surplus.push(...left);
  return { ...recycled({ create, update, surplus }), invalid, skipped, changes, sizes };
}

function wantedGroups(
  { subsets = [] }: Endpoints,
  maxPerSubset: number,
): { groups: Map<string, Group>; invalid: number; skipped: number } {
  const groups = new Map<string, Group>();
  let invalid = 0;
  let skipped = 0;
  for (const subset of subsets) {
    const ports = portsOf(subset);
    for (const addressType of ["IPv4", "IPv6"] as const) {
      const key = groupKey(addressType, ports);
      if (!groups.has(key)) groups.set(key, { addressType, ports, wanted: new Map() });
    }
    const { addresses = [], notReadyAddresses = [] } = subset;
    const all = [
      ...addresses.map((address) => ({ address, ready: true })),
      ...notReadyAddresses.map((address) => ({ address, ready: false })),
    ];
    let mirrored = 0;
    for (const { address, ready } of all) {
      if (mirrored >= maxPerSubset) break;
      const ip = canonical(address.ip);
      if (!ip) {
        invalid += 1;
        continue;
      }
      mirrored += 1;
      const endpoint = endpointOf({ address, ip, ready });
      groups.get(groupKey(ip.includes(":") ? "IPv6" : "IPv4", ports))!.wanted.set(identity(endpoint), endpoint);
    }
    skipped += all.length - mirrored;
  }
  return { groups, invalid, skipped };
}

// Undefined for what is no address. Leading zeros are read as decimal, as Go's older parser did.
function canonical(text: string): string | undefined {
  const plain = /^[\d.]+$/.test(text)
    ? text.split(".").map(Number).join(".")
    : text.replace(/^::ffff:(?=[\d.]+$)/i, "");
  const family = isIP(plain);
  if (family === 0) return undefined;
  return new SocketAddress({ address: plain, family: family === 4 ? "ipv4" : "ipv6" }).address;
}

function endpointOf({ address, ip, ready }: { address: EndpointAddress; ip: string; ready: boolean }): Endpoint {
  const { hostname, nodeName, targetRef } = address;
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(nodeName !== undefined ? { nodeName } : {}),
    ...(targetRef ? { targetRef } : {}),
  };
}

function identity({ addresses, hostname = "", targetRef }: Endpoint): string {
  return JSON.stringify([addresses, hostname, targetRef?.namespace, targetRef?.name, targetRef?.uid]);
}

function portsOf({ ports = [] }: EndpointSubset): Ports {
  return ports.map(({ name = "", port, protocol = "TCP", appProtocol }) => ({
    name,
    port,
    protocol,
    ...(appProtocol !== undefined ? { appProtocol } : {}),
  }));
}

function groupKey(addressType: string, ports: Ports): string {
  const rows = ports.map(({ name = "", port, protocol = "TCP", appProtocol = "" }) =>
    JSON.stringify([name, port, protocol, appProtocol]),
  );
  return `${addressType}${rows.sort().join()}`;
}

function newSlice(
  source: Endpoints,
  { addressType, ports, list }: { addressType: AddressType; ports: Ports; list: Endpoint[] },
): NewSlice {
  const { metadata } = source;
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([name]) => !ownAnnotations.has(name));
  return {
    apiVersion: apiVersionOf(endpointslices),
    kind: endpointslices.kind,
    metadata: {
      generateName: `${metadata.name}-`,
      namespace: metadata.namespace!,
      labels: { ...metadata.labels, [serviceNameLabel]: metadata.name, [managedByLabel]: mirrorManager },
      annotations: Object.fromEntries(annotations),
      ownerReferences: [controllerRef(source, endpointsResource)],
    },
    addressType,
    ports,
    endpoints: list,
  };
}

function compare(slice: EndpointSlice, wanted: ReadonlyMap<string, Endpoint>): MirrorPlan["changes"] {
  const found = (slice.endpoints ?? []).map((endpoint) => ({ endpoint, match: wanted.get(identity(endpoint)) }));
  const matches = found.filter(({ match }) => match !== undefined);
  return {
    added: wanted.size - matches.length,
    updated: matches.filter(({ endpoint, match }) => !semanticDeepEqual(endpoint, match)).length,
    removed: found.length - matches.length,
  };
}

function sameMetadata({ metadata }: EndpointSlice, { metadata: fresh }: NewSlice): boolean {
  return (
    semanticDeepEqual(metadata.labels, fresh.labels) && semanticDeepEqual(metadata.annotations ?? {}, fresh.annotations)
  );
}

function overwritten({ metadata }: EndpointSlice, fresh: NewSlice): EndpointSlice {
  const { generateName: _, ...own } = fresh.metadata;
  return { ...fresh, metadata: { ...metadata, ...own } } as EndpointSlice;
}

// A slice that would go becomes the one that would come: whoever follows the Service sees one change, not a gap.
function recycled({
  create,
  update,
  surplus,
}: {
  create: readonly NewSlice[];
  update: readonly EndpointSlice[];
  surplus: readonly EndpointSlice[];
}): Pick<MirrorPlan, "create" | "update" | "delete"> {
  const free = [...surplus];
  const reused: EndpointSlice[] = [];
  const made = create.filter((fresh) => {
    const index = free.findIndex(({ addressType }) => addressType === fresh.addressType);
    if (index < 0) return true;
    reused.push(overwritten(free.splice(index, 1)[0]!, fresh));
    return false;
  });
  return { create: made, update: [...update, ...reused], delete: free };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
