// The cluster's records, answered from informers' memory. Pure reads; the responder decides what becomes of an answer.
// Follows CoreDNS's kubernetes plugin with "pods insecure" and "fallthrough in-addr.arpa ip6.arpa", as kubeadm sets it up.

import { isIP } from "node:net";
import type { Service } from "@picokube/api/core/v1";
import type { EndpointSlice } from "@picokube/api/discovery/v1";
import type { Answer, DnsRecord } from "./dns-record.js";
import { canonicalIp, dashedIp, parseClusterName, parseReverseName, type ServiceName } from "./names.js";

/** Where records come from: the listers of informers, or plain arrays in a test. */
export interface RecordSource {
  service(namespace: string, name: string): Service | undefined;
  slices(namespace: string, service: string): readonly EndpointSlice[];
  namespaceExists(name: string): boolean;
  /** Services with this cluster IP, and slices with this endpoint address. */
  servicesByIp(ip: string): readonly Service[];
  slicesByIp(ip: string): readonly EndpointSlice[];
  /** Whether a pod of the namespace has the address; only asked when pod names are verified. */
  podExists(namespace: string, ip: string): boolean;
  /** Counts changes: equal numbers mean equal answers. */
  changes(): number;
  /** When the last change came, in seconds since 1970: the zone's serial number. */
  modifiedSeconds(): number;
}

/** How "1-2-3-4.ns.pod.<zone>" is answered: not at all, if such a pod exists, or for any address. */
export type PodNames = "disabled" | "verified" | "insecure";

export interface RecordsOptions {
  readonly zone: string;
  /** Seconds that clients may keep an answer. */
  readonly ttl: number;
  readonly podNames: PodNames;
  readonly source: RecordSource;
  /** Where this server listens, as Endpoints name it: finds the Service that leads to it. */
  readonly self: { readonly addresses: readonly string[]; readonly port: number };
}

/** What a Service's name leads to. */
interface Target {
  /** The name that owns the address: the Service's, or an endpoint's. */
  readonly name: string;
  readonly ip: string;
  /** Undefined: the slice has no ports. */
  readonly port: number | undefined;
}

const schemaVersion = "1.1.0";
const versionTtl = 28_800;
const maxCnames = 8;

const nothing: Answer = { exists: false, answers: [], additionals: [] };
const noData: Answer = { exists: true, answers: [], additionals: [] };

export type Records = ReturnType<typeof createRecords>;

/** Answers for one zone and for the reverse names of its addresses. */
export function createRecords({ zone, ttl, podNames, source, self }: RecordsOptions) {
  const some = (...answers: DnsRecord[]): Answer => ({ exists: true, answers, additionals: [] });

  function address(name: string, ip: string): DnsRecord {
    return { type: ip.includes(":") ? "AAAA" : "A", name, ttl, data: ip };
  }

  function addresses(name: string, ips: readonly string[], type: string): Answer {
    return some(...[...new Set(ips)].map((ip) => address(name, ip)).filter((record) => record.type === type));
  }

  function fullName({ metadata }: Service): string {
    return `${metadata.name}.${metadata.namespace}.svc.${zone}`;
  }

  // Empty: no such name (upstream: findServices).
  function targets(service: Service, { endpoint, port }: ServiceName): Target[] {
    const fits = (name: string | undefined, protocol: string | undefined) =>
      !port || ((name ?? "") === port.name && (protocol ?? "TCP").toLowerCase() === port.protocol);
    const { spec, metadata } = service;
    if (spec?.clusterIP !== "None" && endpoint === undefined)
      return (spec?.ports ?? [])
        .filter(({ name, protocol }) => fits(name, protocol))
        .flatMap((fitting) => clusterIps(service).map((ip) => ({ name: fullName(service), ip, port: fitting.port })));
    return source.slices(metadata.namespace!, metadata.name).flatMap((slice) => {
      const ports = slice.ports?.length ? slice.ports.filter((one) => fits(one.name, one.protocol)) : port ? [] : [{}];
      return readyEndpoints(slice)
        .filter(({ label }) => endpoint === undefined || label === endpoint)
        .flatMap(({ label, ip }) =>
          ports.map((one: { port?: number }) => ({ name: `${label}.${fullName(service)}`, ip, port: one.port })),
        );
    });
  }

  function serviceAnswer(name: string, type: string, wanted: ServiceName): Answer {
    const service = source.service(wanted.namespace, wanted.service);
    if (!service) return nothing;
    if (service.spec?.type === "ExternalName") {
      const target = (service.spec.externalName ?? "").toLowerCase().replace(/\.$/, "");
      if (wanted.endpoint !== undefined || isIP(target) !== 0) return nothing;
      return some({ type: "CNAME", name, ttl, data: target });
    }
    const found = targets(service, wanted);
    if (found.length === 0) return isProtocolOf(service, wanted.endpoint) ? noData : nothing;
    if (type !== "SRV")
      return addresses(
        name,
        found.map(({ ip }) => ip),
        type,
      );
    return srvAnswer(name, found);
  }

  // "_tcp.web.default.svc" has names below it, so it exists (RFC 8020).
  function isProtocolOf(service: Service, label: string | undefined): boolean {
    const ports = service.spec?.ports ?? [];
    return ports.some(({ name, protocol }) => name && label === `_${(protocol ?? "TCP").toLowerCase()}`);
  }

  function srvAnswer(name: string, found: readonly Target[]): Answer {
    const weight = Math.max(1, Math.floor(100 / found.length));
    const answers = new Map<string, DnsRecord>();
    const additionals = new Map<string, DnsRecord>();
    for (const { name: target, ip, port } of found) {
      if (port === undefined) continue;
      answers.set(`${target} ${port}`, { type: "SRV", name, ttl, data: { priority: 0, weight, port, target } });
      additionals.set(`${target} ${ip}`, address(target, ip));
    }
    return { exists: true, answers: [...answers.values()], additionals: [...additionals.values()] };
  }

  // A Service's own address comes before its being some other's endpoint (upstream: serviceRecordForIP).
  function reverse(ip: string, name: string): Answer | undefined {
    const [service] = source.servicesByIp(ip);
    const hosts = service
      ? [fullName(service)]
      : source.slicesByIp(ip).flatMap((slice) => {
          const { namespace, labels } = slice.metadata;
          const owner = `${labels?.["kubernetes.io/service-name"]}.${namespace}.svc.${zone}`;
          return readyEndpoints(slice)
            .filter((endpoint) => endpoint.ip === ip)
            .map(({ label }) => `${label}.${owner}`);
        });
    if (hosts.length === 0) return undefined;
    return some(...[...new Set(hosts)].map((data): DnsRecord => ({ type: "PTR", name, ttl, data })));
  }

  // The Services that lead to this server; itself when there is none (upstream: nsAddrs).
  function nameservers(): { name: string; ip: string }[] {
    const services = self.addresses.flatMap((ip) =>
      source
        .slicesByIp(canonicalIp(ip))
        .filter(({ ports }) => ports?.some(({ port }) => port === self.port))
        .flatMap(({ metadata }) => {
          const name = metadata.labels?.["kubernetes.io/service-name"];
          const service = name && source.service(metadata.namespace!, name);
          return service && service.spec?.clusterIP !== "None" ? [service] : [];
        }),
    );
    if (services.length === 0) return self.addresses.map((ip) => ({ name: `ns.dns.${zone}`, ip }));
    return [...new Set(services)].flatMap((service) =>
      clusterIps(service).map((ip) => ({ name: fullName(service), ip })),
    );
  }

  function apexAnswer(name: string, type: string): Answer {
    if (type === "SOA") return some(soa());
    if (type !== "NS") return noData;
    const servers = nameservers();
    return {
      exists: true,
      answers: [...new Set(servers.map((server) => server.name))].map((data) => ({ type: "NS", name, ttl, data })),
      additionals: servers.map((server) => address(server.name, server.ip)),
    };
  }

  function soa(): DnsRecord {
    const data = {
      mname: `ns.dns.${zone}`,
      rname: `hostmaster.${zone}`,
      serial: source.modifiedSeconds(),
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: ttl,
    };
    return { type: "SOA", name: zone, ttl: Math.min(300, ttl), data };
  }

  function ofOneName(name: string, type: string): Answer | undefined {
    const parsed = parseClusterName(name, zone);
    switch (parsed?.kind) {
      case undefined: {
        const ip = type === "PTR" ? parseReverseName(name) : undefined;
        return ip === undefined ? undefined : reverse(ip, name);
      }
      case "apex":
        return apexAnswer(name, type);
      case "version":
        return type === "TXT" ? some({ type: "TXT", name, ttl: versionTtl, data: [schemaVersion] }) : noData;
      case "nameserver":
        return addresses(
          name,
          nameservers().map(({ ip }) => ip),
          type,
        );
      case "branch":
        return parsed.namespace === undefined || source.namespaceExists(parsed.namespace) ? noData : nothing;
      case "pod": {
        const { namespace, ip } = parsed;
        const exists =
          podNames === "insecure"
            ? source.namespaceExists(namespace)
            : podNames === "verified" && source.podExists(namespace, ip);
        return exists ? addresses(name, [ip], type) : nothing;
      }
      case "service":
        return serviceAnswer(name, type, parsed);
      default:
        return nothing;
    }
  }

  /** The answer to a name (in lower case, without the last dot) and a type; undefined when it is not ours to answer. */
  function lookup(name: string, type: string): Answer | undefined {
    const answer = ofOneName(name, type);
    const cname = answer?.answers[0];
    if (cname?.type !== "CNAME" || (type !== "A" && type !== "AAAA")) {
      // Nothing but addresses can lie behind an ExternalName, as far as we know.
      return cname?.type === "CNAME" && type !== "CNAME" ? noData : answer;
    }
    const chain: DnsRecord[] = [cname];
    for (let target = cname.data; ; ) {
      const next = ofOneName(target, type);
      if (!next) return { exists: true, answers: chain, additionals: [], outside: target };
      const [first] = next.answers;
      // A chain that leads nowhere, or round, is no answer.
      if (!first || chain.length >= maxCnames) return noData;
      if (first.type !== "CNAME") return { ...next, answers: [...chain, ...next.answers] };
      chain.push(first);
      target = first.data;
    }
  }

  return { zone, lookup, soa, changes: () => source.changes() };
}

function clusterIps({ spec }: Service): string[] {
  return (spec?.clusterIPs ?? [spec?.clusterIP ?? ""]).filter((ip) => ip !== "" && ip !== "None");
}

// Unknown is ready, as upstream has it; publishNotReadyAddresses is already in what the slice says.
function readyEndpoints({ endpoints }: EndpointSlice): { label: string; ip: string }[] {
  return (endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ addresses, hostname }) =>
      addresses.map((text) => {
        const ip = canonicalIp(text);
        return { label: hostname || dashedIp(ip), ip };
      }),
    );
}
