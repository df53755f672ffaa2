// The IPAddress objects of Services' cluster IPs: made before a Service is written, so that nobody else can have the
// address, and deleted when it has gone. Chooses no address.

import { type Service, services } from "@picokube/api/core/v1";
import { invalid, isAlreadyExists } from "@picokube/api/errors";
import type { NewObject } from "@picokube/api/meta/v1";
import { type IPAddress, ipaddresses } from "@picokube/api/networking/v1";
import { invalidValue } from "@picokube/api/validation/field-error";
import { ipFamilyOf } from "@picokube/api/validation/ip";
import type { StorageRegistry } from "../../storage/resource-storage.js";
import { isHeadless } from "./service-types.js";

const familyLabel = "ipaddress.kubernetes.io/ip-family";
const managedByLabel = "ipaddress.kubernetes.io/managed-by";
const manager = "ipallocator.k8s.io";

/** A Service's cluster IPs; none for a headless one. */
export function clusterIpsOf(service: Service | undefined): readonly string[] {
  return isHeadless(service?.spec) ? [] : (service?.spec?.clusterIPs ?? []);
}

/** The object that says whose the address is (upstream: newIPAddress). */
export function addressOf(ip: string, { metadata }: Service): NewObject<IPAddress> & { metadata: { name: string } } {
  const { namespace, name } = metadata;
  return {
    metadata: { name: ip, labels: { [familyLabel]: ipFamilyOf(ip) ?? "IPv4", [managedByLabel]: manager } },
    spec: { parentRef: { group: "", resource: "services", ...(namespace ? { namespace } : {}), name } },
  };
}

/** Made by the allocator, and not by somebody for another use. */
export function isManaged({ metadata }: IPAddress): boolean {
  return metadata.labels?.[managedByLabel] === manager;
}

/** Labels as the allocator gives them (upstream: verifyIPAddressLabels). */
export function hasRightLabels(address: IPAddress): boolean {
  return isManaged(address) && address.metadata.labels?.[familyLabel] === ipFamilyOf(address.metadata.name);
}

/** Whether the address is of a Service, and of this one. */
export function isParent({ spec }: IPAddress, { metadata }: Pick<Service, "metadata">): boolean {
  const parent = spec?.parentRef;
  return isOfService(spec) && parent?.namespace === metadata.namespace && parent?.name === metadata.name;
}

/** Whether the parent is any Service at all. */
export function isOfService(spec: IPAddress["spec"]): boolean {
  return !spec?.parentRef?.group && spec?.parentRef?.resource === "services";
}

/** Deletes the Service's addresses; what fails is found by the repair. */
export async function releaseAddresses(
  ips: readonly string[],
  { service, storage }: { service: Service; storage: StorageRegistry },
): Promise<void> {
  const stored = storage.for(ipaddresses);
  const own = ips.filter((ip) => {
    const address = stored.get("", ip);
    return address !== undefined && isParent(address, service);
  });
  await Promise.allSettled(own.map((ip) => stored.delete("", ip)));
}

/** Makes the addresses that the Service has and the old one had not. What it returns is told whether the Service was
 *  written, and then gives back what is not needed. another: a free address instead of one that turned out to be taken. */
export async function claimAddresses(
  service: Service,
  old: Service | undefined,
  { storage, another }: { storage: StorageRegistry; another: (service: Service, taken: string) => string | undefined },
): Promise<((written: boolean) => Promise<void>) | undefined> {
  const before = clusterIpsOf(old);
  const fresh = clusterIpsOf(service).filter((ip) => !before.includes(ip));
  const left = before.filter((ip) => !clusterIpsOf(service).includes(ip));
  if (fresh.length === 0 && left.length === 0) return undefined;
  const claimed: string[] = [];
  const give = (ips: readonly string[], owner: Service) => releaseAddresses(ips, { service: owner, storage });
  for (let ip = fresh.shift(); ip !== undefined; ip = fresh.shift()) {
    try {
      await storage.for(ipaddresses).create(addressOf(ip, service));
      claimed.push(ip);
    } catch (error) {
      const instead = isAlreadyExists(error) ? another(service, ip) : undefined;
      if (instead === undefined) {
        await give(claimed, service);
        throw isAlreadyExists(error) ? alreadyAllocated(service, ip) : error;
      }
      fresh.unshift(instead);
    }
  }
  return (written) => (written ? give(left, old!) : give(claimed, service));
}

/** Upstream's words for an address that somebody has. */
export function alreadyAllocated(service: Service, ip: string): Error {
  return invalid(services, service.metadata.name, [
    invalidValue(
      "spec.clusterIPs",
      service.spec?.clusterIPs,
      `failed to allocate IP ${ip}: provided IP is already allocated`,
    ),
  ]);
}
