// Whether a ServiceCIDR may go without leaving addresses behind that no range has. Pure: upstream's servicecidrs controller.

import type { IPAddress, ServiceCIDR } from "@picokube/api/networking/v1";
import { type CIDR, cidrContains, ipToNumber, parseCIDR } from "@picokube/api/validation/ip";

const managedByLabel = "ipaddress.kubernetes.io/managed-by";
const manager = "ipallocator.k8s.io";

/** An address that a Service was given; others stand in nobody's way. */
export function isAllocated({ metadata }: IPAddress): boolean {
  return metadata.labels?.[managedByLabel] === manager;
}

export function rangesOf({ spec }: ServiceCIDR): CIDR[] {
  return (spec?.cidrs ?? []).flatMap((text) => parseCIDR(text) ?? []);
}

/** Whether the range gives this address: neither the network's nor, with IPv4, the broadcast address. */
function holds(range: CIDR, ip: string): boolean {
  const number = ipToNumber(ip);
  if (number === undefined || !cidrContains(range, ip) || number === range.base) return false;
  return range.family === "IPv6" || number !== range.base + range.size - 1n;
}

function contains(outer: CIDR, inner: CIDR): boolean {
  return (
    outer.family === inner.family && outer.base <= inner.base && outer.base + outer.size >= inner.base + inner.size
  );
}

/** Those of the ServiceCIDRs that have the address. */
export function havingAddress(all: readonly ServiceCIDR[], ip: string): ServiceCIDR[] {
  return all.filter((one) => rangesOf(one).some((range) => holds(range, ip)));
}

/** Those whose ranges lie within, around or upon this one's. */
export function overlapping(all: readonly ServiceCIDR[], cidr: ServiceCIDR): ServiceCIDR[] {
  const own = rangesOf(cidr);
  return all.filter((one) =>
    rangesOf(one).some((range) => own.some((other) => contains(range, other) || contains(other, range))),
  );
}

/** Upstream's canDeleteCIDR: another has all of its ranges, or no address is in this one alone. */
export function canGo(
  cidr: ServiceCIDR,
  { all, addresses }: { all: readonly ServiceCIDR[]; addresses: readonly IPAddress[] },
): boolean {
  const others = all.filter(({ metadata }) => metadata.name !== cidr.metadata.name);
  const hasParent = rangesOf(cidr).every((range) =>
    others.some((other) => rangesOf(other).some((outer) => contains(outer, range))),
  );
  if (hasParent) return true;
  return !addresses.some(({ metadata, ...rest }) => {
    if (!isAllocated({ metadata, ...rest })) return false;
    const [first, ...more] = havingAddress(all, metadata.name);
    return first?.metadata.name === cidr.metadata.name && more.length === 0;
  });
}
