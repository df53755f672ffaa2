// Gives Services their cluster IPs, node ports and IP families (upstream: pkg/registry/core/service/storage/alloc.go).
// One allocator a process; nothing is allocated twice by concurrent creates.

import type { Service, ServiceSpec } from "@picokube/api/core/v1";
import { services } from "@picokube/api/core/v1";
import { type FieldError, internalError, invalid } from "@picokube/api/errors";
import { ipaddresses } from "@picokube/api/networking/v1";
import { invalidValue } from "@picokube/api/validation/field-error";
import { ipFamilyOf } from "@picokube/api/validation/ip";
import type { RequestContext } from "../resource-definition.js";
import { Claims } from "./claims.js";
import { pickAddress, serviceRange } from "./ip-allocator.js";
import { alreadyAllocated, claimAddresses, isOfService } from "./service-addresses.js";
import { rangeHolds, serviceRanges } from "./service-ranges.js";
import { isHeadless, needsClusterIp, needsHealthCheckPort, needsNodePort } from "./service-types.js";

export interface ServiceAllocator {
  /** Fills clusterIPs and node ports of a new or changed Service, in place. Throws invalid() when that cannot be. */
  allocate(service: Service, context: RequestContext): void;
  /** Takes the addresses before the Service is written: see ResourceDefinition.claim. */
  claim(
    service: Service,
    old: Service | undefined,
    context: RequestContext,
  ): Promise<((written: boolean) => Promise<void>) | undefined>;
}

type Family = "IPv4" | "IPv6";

/** serviceCidrs: one, or one of each family; both ends of nodePortRange belong to it. */
export function serviceAllocator({
  serviceCidrs,
  nodePortRange,
  random = Math.random,
}: {
  serviceCidrs: readonly string[];
  nodePortRange: { from: number; to: number };
  random?: () => number;
}): ServiceAllocator {
  const rangesOf = serviceRanges(serviceCidrs);
  // The flags alone say which families there are, and which comes first.
  const families = serviceCidrs.map((text) => serviceRange(text).cidr.family);
  // Addresses that nobody asked for: another one would do as well.
  const freelyChosen = new WeakMap<Service, Set<string>>();
  const addresses = new Claims<string>();
  const ports = new Claims<number>();
  let following = false;

  function heldBy({ spec }: Service): { ips: string[]; nodePorts: number[] } {
    const nodePorts = (spec?.ports ?? []).flatMap(({ nodePort }) => (nodePort ? [nodePort] : []));
    if (spec?.healthCheckNodePort) nodePorts.push(spec.healthCheckNodePort);
    return { ips: isHeadless(spec) ? [] : (spec?.clusterIPs ?? []), nodePorts };
  }

  function ownerOf({ metadata }: Service): string {
    return `${metadata.namespace}/${metadata.name || metadata.uid}`;
  }

  function take(service: Service): void {
    const { ips, nodePorts } = heldBy(service);
    for (const ip of ips) addresses.hold(ip, ownerOf(service));
    for (const port of nodePorts) ports.hold(port, ownerOf(service));
  }

  function giveBack(service: Service): void {
    const { ips, nodePorts } = heldBy(service);
    for (const ip of ips) addresses.release(ip, ownerOf(service));
    for (const port of nodePorts) ports.release(port, ownerOf(service));
  }

  function follow({ storage }: RequestContext): void {
    if (following) return;
    following = true;
    const cached = storage.for(services);
    for (const service of cached.list()) take(service);
    cached.onChange(({ type, object, previous }) => {
      if (previous) giveBack(previous);
      if (type === "DELETED") giveBack(object);
      else take(object);
    });
  }

  /** Settles ipFamilyPolicy and ipFamilies (upstream: initIPFamilyFields). */
  function settleFamilies(spec: ServiceSpec): void {
    const asked = (spec.clusterIPs ?? []).filter((ip) => ip !== "None").map(ipFamilyOf);
    const known: Family[] = [...((spec.ipFamilies ?? []) as Family[])];
    for (const [index, family] of asked.entries()) if (family && !known[index]) known[index] = family;
    if (known.length === 0) known.push(families[0]!);
    const isSelectorless = Object.keys(spec.selector ?? {}).length === 0;
    if (isHeadless(spec) && isSelectorless) {
      spec.ipFamilyPolicy ??= "RequireDualStack";
    } else {
      spec.ipFamilyPolicy ??= known.length > 1 ? "RequireDualStack" : "SingleStack";
    }
    const canDouble = families.length > 1 || (isHeadless(spec) && isSelectorless);
    if (spec.ipFamilyPolicy !== "SingleStack" && known.length === 1 && canDouble) {
      known.push(known[0] === "IPv4" ? "IPv6" : "IPv4");
    }
    spec.ipFamilies = known;
  }

  function familyFaults({ spec }: Service): FieldError[] {
    if (isHeadless(spec) && Object.keys(spec?.selector ?? {}).length === 0) return [];
    const faults: FieldError[] = [];
    if (spec?.ipFamilyPolicy === "RequireDualStack" && families.length < 2) {
      faults.push(
        invalidValue(
          "spec.ipFamilyPolicy",
          spec.ipFamilyPolicy,
          "this cluster is not configured for dual-stack services",
        ),
      );
    }
    for (const [index, family] of (spec?.ipFamilies ?? []).entries()) {
      if (families.includes(family as Family)) continue;
      faults.push(invalidValue(`spec.ipFamilies[${index}]`, family, "not configured on this cluster"));
    }
    return faults;
  }

  // Whoever made an IPAddress has the address, Service or not.
  function isTaken(ip: string, owner: string, { storage, now }: RequestContext): boolean {
    if (addresses.isTaken(ip, owner, now())) return true;
    const address = storage.for(ipaddresses).get("", ip);
    const { namespace, name } = address?.spec?.parentRef ?? {};
    return address !== undefined && !(isOfService(address.spec) && `${namespace}/${name}` === owner);
  }

  function freeAddress(family: string, owner: string, context: RequestContext): string {
    const isUsed = (ip: string) => isTaken(ip, owner, context) || addresses.isTaken(ip, "", context.now());
    for (const range of rangesOf(context.storage)) {
      const ip = range.cidr.family === family ? pickAddress(range, { isTaken: isUsed, random }) : undefined;
      if (ip) return ip;
    }
    throw internalError(new Error("failed to allocate a serviceIP: range is full"));
  }

  function clusterIps(service: Service, context: RequestContext): string[] {
    const spec = service.spec!;
    const owner = ownerOf(service);
    const free = new Set<string>();
    freelyChosen.set(service, free);
    return (spec.ipFamilies ?? []).map((family, index) => {
      const asked = spec.clusterIPs?.[index];
      if (!asked) {
        const ip = freeAddress(family, owner, context);
        free.add(ip);
        return ip;
      }
      // What a Service has it may keep, whatever has become of the ranges.
      if (addresses.isHeldBy(asked, owner)) return asked;
      if (isTaken(asked, owner, context)) throw alreadyAllocated(service, asked);
      if (rangesOf(context.storage).some((range) => rangeHolds(range, asked))) return asked;
      const words = `failed to allocate IP ${asked}: the provided network does not match the current range`;
      throw invalid(services, service.metadata.name, [invalidValue("spec.clusterIPs", spec.clusterIPs, words)]);
    });
  }

  // Somebody else made the IPAddress a moment ago: another instance of the server, or a person.
  function another(service: Service, taken: string, context: RequestContext): string | undefined {
    if (!freelyChosen.get(service)?.has(taken)) return undefined;
    const owner = ownerOf(service);
    addresses.forget(taken, owner);
    addresses.reserve(taken, "", context.now());
    const ip = freeAddress(ipFamilyOf(taken)!, owner, context);
    freelyChosen.get(service)!.add(ip);
    addresses.reserve(ip, owner, context.now());
    const spec = service.spec!;
    spec.clusterIPs = (spec.clusterIPs ?? []).map((one) => (one === taken ? ip : one));
    spec.clusterIP = spec.clusterIPs[0]!;
    return ip;
  }

  function freePort(owner: string, now: number, also: ReadonlySet<number>): number {
    const size = nodePortRange.to - nodePortRange.from + 1;
    // KEP-3668: the lower band is left to explicit requests while the upper one has ports.
    const band = size < 32 ? 0 : Math.min(Math.max(16, Math.floor(size / 32)), 128);
    const bands = [
      { start: nodePortRange.from + band, size: size - band },
      { start: nodePortRange.from, size: band },
    ];
    for (const { start, size } of bands) {
      const from = Math.floor(random() * size);
      for (let step = 0; step < size; step++) {
        const port = start + ((from + step) % size);
        if (!also.has(port) && !ports.isTaken(port, owner, now) && !ports.isTaken(port, "", now)) return port;
      }
    }
    throw internalError(new Error("failed to allocate a nodePort: range is full"));
  }

  function portFault(port: number, owner: string, now: number): string | undefined {
    const { from, to } = nodePortRange;
    if (port < from || port > to) {
      return `provided port is not in the valid range. The range of valid ports is ${from}-${to}`;
    }
    return ports.isTaken(port, owner, now) ? "provided port is already allocated" : undefined;
  }

  function nodePorts(service: Service, now: number): Set<number> {
    const spec = service.spec!;
    const owner = ownerOf(service);
    const chosen = new Set<number>();
    const byPort = new Map<string, number>();
    const wantsPorts = needsNodePort(spec);
    for (const [index, port] of (spec.ports ?? []).entries()) {
      if (!port.nodePort) continue;
      const why = portFault(port.nodePort, owner, now);
      const fault = why && invalidValue(`spec.ports[${index}].nodePort`, port.nodePort, why);
      if (fault) throw invalid(services, service.metadata.name, [fault]);
      chosen.add(port.nodePort);
      byPort.set(`${port.port}`, port.nodePort);
    }
    for (const port of wantsPorts ? (spec.ports ?? []) : []) {
      if (port.nodePort) continue;
      // The same port over TCP and UDP (DNS) gets the same node port, as upstream's allocator tries.
      const shared = byPort.get(`${port.port}`);
      const isFree =
        shared !== undefined && !spec.ports?.some((p) => p.nodePort === shared && p.protocol === port.protocol);
      port.nodePort = isFree ? shared : freePort(owner, now, chosen);
      chosen.add(port.nodePort);
      byPort.set(`${port.port}`, port.nodePort);
    }
    if (needsHealthCheckPort(spec)) {
      const asked = spec.healthCheckNodePort;
      const why = asked ? portFault(asked, owner, now) : undefined;
      if (why) {
        const words = `failed to allocate requested HealthCheck NodePort ${asked}: ${why}`;
        throw internalError(new Error(words));
      }
      spec.healthCheckNodePort = asked || freePort(owner, now, chosen);
      chosen.add(spec.healthCheckNodePort);
    }
    return chosen;
  }

  return {
    allocate(service, context) {
      const { spec } = service;
      if (!spec) return;
      follow(context);
      const now = context.now();
      const owner = ownerOf(service);
      let ips: string[] = [];
      if (needsClusterIp(spec)) {
        settleFamilies(spec);
        const faults = familyFaults(service);
        if (faults.length > 0) throw invalid(services, service.metadata.name, faults);
        if (!isHeadless(spec)) {
          ips = clusterIps(service, context);
          spec.clusterIPs = ips;
          spec.clusterIP = ips[0]!;
        } else spec.clusterIPs = ["None"];
      }
      const chosenPorts = nodePorts(service, now);
      if (context.dryRun) return;
      for (const ip of ips) addresses.reserve(ip, owner, now);
      for (const port of chosenPorts) ports.reserve(port, owner, now);
    },
    claim: (service, old, context) =>
      claimAddresses(service, old, {
        storage: context.storage,
        another: (taker, taken) => another(taker, taken, context),
      }),
  };
}
