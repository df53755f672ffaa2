// The cluster's records, answered from informers' memory. Pure reads; the server decides what becomes of an answer.

import type { Service } from "@picokube/api/core/v1";
import type { EndpointSlice } from "@picokube/api/discovery/v1";
import { dashedIp, parseClusterName, parseReverseName } from "./names.js";

export type RecordType = "A" | "AAAA" | "CNAME" | "SRV" | "PTR" | "TXT" | "NS" | "SOA" | "ANY" | (string & {});

export type DnsRecord =
  | {
      readonly type: "A" | "AAAA" | "CNAME" | "PTR" | "NS";
      readonly name: string;
      readonly ttl: number;
      readonly data: string;
    }
  | { readonly type: "TXT"; readonly name: string; readonly ttl: number; readonly data: string[] }
  | {
      readonly type: "SRV";
      readonly name: string;
      readonly ttl: number;
      readonly data: { priority: number; weight: number; port: number; target: string };
    }
  | {
      readonly type: "SOA";
      readonly name: string;
      readonly ttl: number;
      readonly data: {
        mname: string;
        rname: string;
        serial: number;
        refresh: number;
        retry: number;
        expire: number;
        minimum: number;
      };
    };

export interface Answer {
  /** Whether the name exists; an existing name without records of that type is no error. */
  readonly exists: boolean;
  readonly answers: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

/** Where records come from: the listers of informers, or plain arrays in a test. */
export interface RecordSource {
  service(namespace: string, name: string): Service | undefined;
  slices(namespace: string, service: string): readonly EndpointSlice[];
  namespaceExists(name: string): boolean;
  /** Services with this cluster IP, and slices with this endpoint address. */
  servicesByIp(ip: string): readonly Service[];
  slicesByIp(ip: string): readonly EndpointSlice[];
}

interface NamedEndpoint {
  readonly label: string;
  readonly ip: string;
  readonly ports: readonly { name: string; port: number; protocol: string }[];
}

const nothing: Answer = { exists: false, answers: [], additionals: [] };
const noData: Answer = { exists: true, answers: [], additionals: [] };

/** Answers for one zone. ttl in seconds. */
export function createRecords({ zone, ttl, source }: { zone: string; ttl: number; source: RecordSource }) {
  function isHeadless(service: Service): boolean {
    return service.spec?.clusterIP === "None";
  }

  function endpoints(service: Service): NamedEndpoint[] {
    const byLabel = new Map<string, NamedEndpoint>();
    for (const slice of source.slices(service.metadata.namespace!, service.metadata.name))
      for (const endpoint of slice.endpoints ?? []) {
        if (endpoint.conditions?.ready === false && !service.spec?.publishNotReadyAddresses) continue;
        for (const ip of endpoint.addresses) {
          const label = endpoint.hostname || dashedIp(ip);
          const ports = (slice.ports ?? []).map(({ name, port, protocol }) => ({
            name: name ?? "",
            port: port ?? 0,
            protocol: (protocol ?? "TCP").toLowerCase(),
          }));
          const known = byLabel.get(`${label}/${ip}`);
          byLabel.set(`${label}/${ip}`, { label, ip, ports: [...(known?.ports ?? []), ...ports] });
        }
      }
    return [...byLabel.values()];
  }

  function address(name: string, ip: string): DnsRecord {
    return { type: ip.includes(":") ? "AAAA" : "A", name, ttl, data: ip };
  }

  function addresses(name: string, ips: readonly string[], type: RecordType): Answer {
    return {
      exists: true,
      answers: ips.map((ip) => address(name, ip)).filter((record) => matches(record, type)),
      additionals: [],
    };
  }

  function serviceName(service: Service): string {
    return `${service.metadata.name}.${service.metadata.namespace}.svc.${zone}`;
  }

  function serviceAnswer(service: Service, name: string, type: RecordType): Answer {
    if (service.spec?.type === "ExternalName")
      return {
        exists: true,
        answers: [{ type: "CNAME", name, ttl, data: (service.spec.externalName ?? "").replace(/\.$/, "") }],
        additionals: [],
      };
    if (type === "SRV") return srvAnswer(service, name, undefined);
    if (!isHeadless(service))
      return addresses(name, service.spec?.clusterIPs ?? [service.spec?.clusterIP ?? ""].filter(Boolean), type);
    const found = endpoints(service);
    return found.length > 0 ? addresses(name, [...new Set(found.map(({ ip }) => ip))], type) : nothing;
  }

  function srvAnswer(service: Service, name: string, wanted: { port: string; protocol: string } | undefined): Answer {
    const fits = (port: { name: string; protocol: string }) =>
      !wanted || (port.name === wanted.port && port.protocol === wanted.protocol);
    const targets = isHeadless(service)
      ? endpoints(service).map(({ label, ip, ports }) => ({
          target: `${label}.${serviceName(service)}`,
          ip,
          ports: ports.filter(fits),
        }))
      : [
          {
            target: serviceName(service),
            ip: service.spec?.clusterIP ?? "",
            ports: (service.spec?.ports ?? [])
              .map((port) => ({
                name: port.name ?? "",
                port: port.port,
                protocol: (port.protocol ?? "TCP").toLowerCase(),
              }))
              .filter(fits),
          },
        ];
    const used = targets.filter(({ ports }) => ports.length > 0);
    const count = used.reduce((sum, { ports }) => sum + ports.length, 0);
    if (count === 0) return wanted ? nothing : noData;
    const weight = Math.max(1, Math.floor(100 / count));
    return {
      exists: true,
      answers: used.flatMap(({ target, ports }) =>
        ports.map(({ port }): DnsRecord => ({ type: "SRV", name, ttl, data: { priority: 0, weight, port, target } })),
      ),
      additionals: used.map(({ target, ip }) => address(target, ip)),
    };
  }

  function reverse(ip: string, name: string): Answer | undefined {
    const hosts = [
      ...source.servicesByIp(ip).map(serviceName),
      ...source.slicesByIp(ip).flatMap((slice) => {
        const service = source.service(
          slice.metadata.namespace!,
          slice.metadata.labels?.["kubernetes.io/service-name"] ?? "",
        );
        if (!service || !isHeadless(service)) return [];
        return endpoints(service)
          .filter((endpoint) => endpoint.ip === ip)
          .map(({ label }) => `${label}.${serviceName(service)}`);
      }),
    ];
    if (hosts.length === 0) return undefined;
    return {
      exists: true,
      answers: [...new Set(hosts)].map((data): DnsRecord => ({ type: "PTR", name, ttl, data })),
      additionals: [],
    };
  }

  return {
    /** Stands in the authority section of an answer without records. */
    soa(): DnsRecord {
      const data = {
        mname: `ns.dns.${zone}`,
        rname: `hostmaster.${zone}`,
        serial: Math.floor(Date.now() / 1000),
        refresh: 7200,
        retry: 1800,
        expire: 86_400,
        minimum: ttl,
      };
      return { type: "SOA", name: zone, ttl, data };
    },

    /** The answer to a name (in lower case, without the last dot); undefined when it is not ours to answer. */
    lookup(name: string, type: RecordType): Answer | undefined {
      const ip = parseReverseName(name);
      if (ip !== undefined) return type === "PTR" || type === "ANY" ? reverse(ip, name) : undefined;
      const parsed = parseClusterName(name, zone);
      switch (parsed?.kind) {
        case undefined:
          return undefined;
        case "apex":
          if (type === "NS")
            return { exists: true, answers: [{ type: "NS", name, ttl, data: `ns.dns.${zone}` }], additionals: [] };
          return type === "SOA" ? { exists: true, answers: [this.soa()], additionals: [] } : noData;
        case "version":
          return type === "TXT"
            ? { exists: true, answers: [{ type: "TXT", name, ttl, data: ["1.1.0"] }], additionals: [] }
            : noData;
        case "branch":
          return parsed.namespace === undefined || source.namespaceExists(parsed.namespace) ? noData : nothing;
        case "pod":
          return source.namespaceExists(parsed.namespace) ? addresses(name, [parsed.ip], type) : nothing;
        case "service": {
          const service = source.service(parsed.namespace, parsed.service);
          return service ? serviceAnswer(service, name, type) : nothing;
        }
        case "endpoint": {
          const service = source.service(parsed.namespace, parsed.service);
          const ips = service ? endpoints(service).filter(({ label }) => label === parsed.endpoint) : [];
          return ips.length > 0
            ? addresses(
                name,
                ips.map((endpoint) => endpoint.ip),
                type,
              )
            : nothing;
        }
        case "port": {
          const service = source.service(parsed.namespace, parsed.service);
          if (!service) return nothing;
          const answer = srvAnswer(service, name, parsed);
          return type === "SRV" || type === "ANY" || !answer.exists ? answer : noData;
        }
        default:
          return nothing;
      }
    },
  };
}

export type Records = ReturnType<typeof createRecords>;

function matches(record: DnsRecord, type: RecordType): boolean {
  return type === "ANY" || record.type === type;
}
