// The ranges that Services may have addresses of: those of the ServiceCIDRs that are ready (upstream: MetaAllocator).

import { type ServiceCIDR, servicecidrs } from "@picokube/api/networking/v1";
import { cidrContains, ipToNumber } from "@picokube/api/validation/ip";
import type { StorageRegistry } from "../../storage/resource-storage.js";
import { type ServiceRange, serviceRange } from "./ip-allocator.js";

/** No condition is as good as a true one: the controller that sets it may not be running. */
function isReady({ metadata, status }: ServiceCIDR): boolean {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return !metadata.deletionTimestamp && (ready?.status ?? "True") === "True";
}

/** Asks the cache; the flags' ranges stand in for as long as there is no ServiceCIDR at all. */
export function serviceRanges(flags: readonly string[]): (storage: StorageRegistry) => readonly ServiceRange[] {
  const ofFlags = flags.map(serviceRange);
  let known: readonly ServiceRange[] | undefined;
  let following = false;
  return (storage) => {
    const stored = storage.for(servicecidrs);
    if (!following) {
      following = true;
      stored.onChange(() => {
        known = undefined;
      });
    }
    if (!known) {
      const all = stored.list();
      known =
        all.length === 0 ? ofFlags : all.filter(isReady).flatMap(({ spec }) => (spec?.cidrs ?? []).map(serviceRange));
    }
    return known;
  };
}

/** Whether the range has the address to give: neither its network's nor, with IPv4, the broadcast address (upstream:
 *  PrefixContainsIP). */
export function rangeHolds({ cidr }: ServiceRange, address: string): boolean {
  const number = ipToNumber(address);
  if (!cidrContains(cidr, address) || number === undefined || number === cidr.base) return false;
  return cidr.family === "IPv6" || number !== cidr.base + cidr.size - 1n;
}
