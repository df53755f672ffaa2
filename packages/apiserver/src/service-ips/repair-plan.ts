// What is wrong between Services' cluster IPs and the IPAddress objects, and what rights it. Pure: upstream's
// RepairIPAddress, whose words these are.

import type { Service } from "@picokube/api/core/v1";
import type { IPAddress } from "@picokube/api/networking/v1";
import { ipFamilyOf } from "@picokube/api/validation/ip";
import type { ServiceRange } from "../registry/core/ip-allocator.js";
import { clusterIpsOf, hasRightLabels, isManaged, isOfService, isParent } from "../registry/core/service-addresses.js";
import { rangeHolds } from "../registry/core/service-ranges.js";

/** A Service that is being created has its address this long before it is there itself (a request's time). */
export const gracePeriodMs = 60_000;

export interface RepairStep {
  /** Who the step is about. */
  readonly about: Service | IPAddress;
  /** The event, in upstream's words; none where upstream is silent. */
  readonly told?: {
    readonly reason: string;
    readonly action: "ClusterIPAllocation" | "IPAddressAllocation";
    readonly message: string;
  };
  readonly delete?: string;
  readonly create?: { readonly ip: string; readonly service: Service };
}

export interface RepairInput {
  readonly services: readonly Service[];
  readonly addresses: readonly IPAddress[];
  readonly ranges: readonly ServiceRange[];
  readonly nowMs: number;
}

/** The steps, and in how many milliseconds to look again at addresses whose Service may still come. */
export function planRepair({ services, addresses, ranges, nowMs }: RepairInput): {
  steps: RepairStep[];
  againInMs: number | undefined;
} {
  const serviceOf = new Map(services.map((service) => [keyOf(service), service]));
  const addressOf = new Map(addresses.map((address) => [address.metadata.name, address]));
  const steps = services.flatMap((service) =>
    clusterIpsOf(service).flatMap((ip) => {
      const step = stepOfIp(ip, { service, address: addressOf.get(ip), serviceOf, ranges });
      return step ? [step] : [];
    }),
  );
  const recreated = new Set(steps.map((step) => step.delete));
  let againInMs: number | undefined;
  for (const address of addresses) {
    if (!isManaged(address) || recreated.has(address.metadata.name)) continue;
    const ageMs = nowMs - Date.parse(address.metadata.creationTimestamp ?? "");
    const found = orphanStep(address, serviceOf);
    if (!found) continue;
    if (!found.mayStillCome || ageMs > gracePeriodMs) steps.push(found.step);
    else againInMs = Math.min(againInMs ?? gracePeriodMs, gracePeriodMs - ageMs + 1);
  }
  return { steps, againInMs };
}

function keyOf({ metadata }: Service): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function stepOfIp(
  ip: string,
  {
    service,
    address,
    serviceOf,
    ranges,
  }: {
    service: Service;
    address: IPAddress | undefined;
    serviceOf: ReadonlyMap<string, Service>;
    ranges: readonly ServiceRange[];
  },
): RepairStep | undefined {
  const family = ipFamilyOf(ip);
  const step = (reason: string, message: string, acts: Pick<RepairStep, "delete" | "create"> = {}): RepairStep => ({
    about: service,
    told: { reason, action: "ClusterIPAllocation", message },
    ...acts,
  });
  if (!ranges.some((range) => rangeHolds(range, ip))) {
    const words = `Cluster IP [${family}]: ${ip} is not within any configured Service CIDR; please recreate service`;
    return step("ClusterIPOutOfRange", words);
  }
  const create = { ip, service };
  if (!address)
    return step("ClusterIPNotAllocated", `Cluster IP [${family}]: ${ip} is not allocated; repairing`, { create });
  const recreate = { create, delete: ip };
  if (isParent(address, service)) return hasRightLabels(address) ? undefined : { about: service, ...recreate };
  const parent = address.spec?.parentRef;
  const other = isOfService(address.spec) ? serviceOf.get(`${parent?.namespace}/${parent?.name}`) : undefined;
  if (!other) {
    const words = `the ClusterIP [${family}]: ${ip} for Service ${keyOf(service)} has a wrong reference; repairing`;
    return step("ClusterIPNotAllocated", words, recreate);
  }
  // A parent that does not have the address loses it as an orphan's, and all is made right by the next look.
  if (!clusterIpsOf(other).includes(ip)) return undefined;
  const words = `Cluster IP [${family}]:${ip} was assigned to multiple services; please recreate service`;
  return step("ClusterIPAlreadyAllocated", words);
}

function orphanStep(
  address: IPAddress,
  serviceOf: ReadonlyMap<string, Service>,
): { step: RepairStep; mayStillCome: boolean } | undefined {
  const { name } = address.metadata;
  const cleanUp = (reason: string, message: string): RepairStep => ({
    about: address,
    told: { reason, action: "IPAddressAllocation", message },
    delete: name,
  });
  const { group = "", resource = "", namespace = "", name: parent = "" } = address.spec?.parentRef ?? {};
  if (!isOfService(address.spec)) {
    const reference = `&ParentReference{Group:${group},Resource:${resource},Namespace:${namespace},Name:${parent},}`;
    const words = `IPAddress ${name} appears to have been modified, not referencing a Service ${reference}: cleaning up`;
    return { step: cleanUp("IPAddressNotAllocated", words), mayStillCome: false };
  }
  const key = `${namespace}/${parent}`;
  const service = serviceOf.get(key);
  if (!service) {
    const words = `IPAddress: ${name} for Service ${key} appears to have leaked: cleaning up`;
    return { step: cleanUp("IPAddressNotAllocated", words), mayStillCome: true };
  }
  if (clusterIpsOf(service).includes(name)) return undefined;
  // A Service that is being changed has its new address a moment before it says so.
  const words = `IPAddress: ${name} for Service ${key} has a wrong reference; cleaning up`;
  return { step: cleanUp("IPAddressWrongReference", words), mayStillCome: true };
}
