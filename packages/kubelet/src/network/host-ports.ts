// Ports of the host that lead into pods (containers[].ports[].hostPort): which there are, and their iptables rules. Pure
// but for the file that remembers them, so that a restarted kubelet keeps what runs reachable. Never runs iptables.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Pod } from "@picokube/api/core/v1";

/** One port of the host. An empty hostIp stands for all addresses of the host. */
export interface HostPort {
  readonly hostIp: string;
  readonly hostPort: number;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly containerPort: number;
}

/** Where the host's ports of one sandbox lead. */
export interface HostPortMapping {
  readonly podIp: string;
  readonly ports: readonly HostPort[];
}

export interface HostPorts {
  set(owner: string, mapping: HostPortMapping): void;
  /** False when the owner had none. */
  delete(owner: string): boolean;
  mappings(): HostPortMapping[];
}

/** The host's ports that a pod asks for; none on the host's own network, where they are held by listening. */
export function hostPortsOf({ spec }: Pod): HostPort[] {
  if (spec?.hostNetwork) return [];
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...(spec?.containers ?? []), ...sidecars]
    .flatMap(({ ports }) => ports ?? [])
    .flatMap(({ hostIP, hostPort, protocol, containerPort }) =>
      hostPort
        ? [
            {
              hostIp: hostIP === undefined || hostIP === "0.0.0.0" || hostIP === "::" ? "" : hostIP,
              hostPort,
              protocol: (protocol ?? "TCP").toLowerCase() as HostPort["protocol"],
              containerPort,
            },
          ]
        : [],
    );
}

/** Opens the memory of host ports in this file. */
export function createHostPorts(file: string): HostPorts {
  const known = new Map<string, HostPortMapping>(read(file));
  function write(): void {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, JSON.stringify(Object.fromEntries(known)));
    renameSync(`${file}.new`, file);
  }
  return {
    set(owner, mapping) {
      known.set(owner, mapping);
      write();
    },
    delete(owner) {
      const had = known.delete(owner);
      if (had) write();
      return had;
    },
    mappings: () => [...known.values()],
  };
}

function read(file: string): [string, HostPortMapping][] {
  try {
    return Object.entries(JSON.parse(readFileSync(file, "utf8")) as Record<string, HostPortMapping>);
  } catch {
    // Not there yet: no pod here has had any.
    return [];
  }
}

/** Rules for the chain that packets to the host's own addresses run through. */
export function dnatRules(chain: string, mappings: readonly HostPortMapping[]): string[] {
  const rules = mappings.flatMap(({ podIp, ports }) =>
    ports.map(({ hostIp, hostPort, protocol, containerPort }) => ({
      hostIp,
      rule: [
        `-A ${chain}`,
        ...(hostIp === "" ? [] : [`-d ${hostIp}/32`]),
        `-p ${protocol} -m ${protocol} --dport ${hostPort}`,
        `-j DNAT --to-destination ${podIp}:${containerPort}`,
      ].join(" "),
    })),
  );
  // A port of one address goes before the same port of all addresses.
  return rules.sort((a, b) => Number(a.hostIp === "") - Number(b.hostIp === "")).map(({ rule }) => rule);
}

/** Rules that let a pod reach itself, and the host reach it from 127.0.0.1, through a port of the host. */
export function masqueradeRules(chain: string, mappings: readonly HostPortMapping[]): string[] {
  return mappings.flatMap(({ podIp, ports }) =>
    [
      ...new Set(ports.map(({ protocol, containerPort }) => `-p ${protocol} -m ${protocol} --dport ${containerPort}`)),
    ].flatMap((match) => [
      `-A ${chain} -s ${podIp}/32 -d ${podIp}/32 ${match} -j MASQUERADE`,
      `-A ${chain} -s 127.0.0.0/8 -d ${podIp}/32 ${match} -j MASQUERADE`,
    ]),
  );
}
