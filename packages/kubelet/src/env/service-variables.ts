// The variables that tell a container of its Services: upstream's pkg/kubelet/envvars. Pure.

import type { Service } from "@picokube/api/core/v1";

function hostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether the Service has an address of its own. */
export function hasClusterIp(service: Service): boolean {
  const ip = service.spec?.clusterIP;
  return ip !== undefined && ip !== "" && ip !== "None";
}

/** WEB_SERVICE_HOST, WEB_PORT_80_TCP_ADDR and their like, for each Service with a cluster IP. */
export function serviceVariables(services: readonly Service[]): Map<string, string> {
  const variables = new Map<string, string>();
  for (const service of services) {
    const ports = service.spec?.ports ?? [];
    if (!hasClusterIp(service) || ports.length === 0) continue;
    const ip = service.spec!.clusterIP!;
    const prefix = variableName(service.metadata.name);
    variables.set(`${prefix}_SERVICE_HOST`, ip);
    variables.set(`${prefix}_SERVICE_PORT`, String(ports[0]!.port));
    for (const port of ports) {
      if (port.name) variables.set(`${prefix}_SERVICE_PORT_${variableName(port.name)}`, String(port.port));
    }
    ports.forEach((port, index) => {
      const protocol = port.protocol ?? "TCP";
      const url = `${protocol.toLowerCase()}://${hostPort(ip, port.port)}`;
      if (index === 0) variables.set(`${prefix}_PORT`, url);
      const portPrefix = `${prefix}_PORT_${port.port}_${protocol}`;
      variables.set(portPrefix, url);
      variables.set(`${portPrefix}_PROTO`, protocol.toLowerCase());
      variables.set(`${portPrefix}_PORT`, String(port.port));
      variables.set(`${portPrefix}_ADDR`, ip);
    });
  }
  return variables;
}

function variableName(name: string): string {
  return name.replaceAll("-", "_").toUpperCase();
}

/** The Services a pod hears of: its namespace's when links are on, and always default/kubernetes. */
export function linkedServices(
  services: (namespace: string) => readonly Service[],
  { namespace, enableServiceLinks }: { namespace: string; enableServiceLinks: boolean },
): Service[] {
  const master = services("default").filter((service) => service.metadata.name === "kubernetes");
  if (!enableServiceLinks) return master;
  const own = services(namespace);
  const shadowed = new Set(own.map((service) => service.metadata.name));
  return [...master.filter((service) => namespace === "default" || !shadowed.has(service.metadata.name)), ...own];
}
