// The service ports of all Services, with what is asked of all of them kept up as they come and go: one change among
// thousands looks at none of the others. Mirrors upstream's ServicePortMap. Decides nothing.

import type { ServicePort } from "./service-ports.js";

export interface ServicePortMap {
  get(service: string): readonly ServicePort[];
  /** No ports: the Service is gone. */
  set(service: string, ports: readonly ServicePort[]): void;
  services(): Iterable<string>;
  isEmpty(): boolean;
  all(): ServicePort[];
  /** Those that a Local policy, or a health check of its own, makes ask for what is on this node. */
  askingForLocal(): ServicePort[];
  /** How many endpoints all ports have together. */
  endpointCount(): number;
}

export function createServicePortMap(): ServicePortMap {
  const ports = new Map<string, readonly ServicePort[]>();
  const local = new Map<string, readonly ServicePort[]>();
  let endpointCount = 0;
  const get = (service: string) => ports.get(service) ?? [];
  const count = (of: readonly ServicePort[]) => of.reduce((sum, { endpoints }) => sum + endpoints.length, 0);

  return {
    get,
    set(service, now) {
      endpointCount += count(now) - count(get(service));
      if (now.length > 0) ports.set(service, now);
      else ports.delete(service);
      const asking = now.filter((port) => port.internalLocal || port.externalLocal || port.healthCheckNodePort > 0);
      if (asking.length > 0) local.set(service, asking);
      else local.delete(service);
    },
    services: () => ports.keys(),
    isEmpty: () => ports.size === 0,
    all: () => [...ports.values()].flat(),
    askingForLocal: () => [...local.values()].flat(),
    endpointCount: () => endpointCount,
  };
}
