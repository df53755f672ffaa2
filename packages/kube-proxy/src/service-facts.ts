// What is told of service ports besides their rules: to health servers, metrics and the clean-up of flows. Pure.

import type { ServiceHealth } from "./service-health.js";
import type { ServicePort } from "./service-ports.js";

/** The Services that want a health check, with their ready endpoints here; upstream's HealthCheckNodePorts and
 *  LocalReadyEndpoints. Terminating endpoints do not count, though traffic may still go to them. */
export function healthOf(ports: readonly ServicePort[]): ServiceHealth[] {
  const byService = new Map<string, { port: number; ips: Set<string> }>();
  for (const { service, healthCheckNodePort, endpoints } of ports) {
    if (healthCheckNodePort === 0) continue;
    const entry = byService.get(service) ?? { port: healthCheckNodePort, ips: new Set() };
    byService.set(service, entry);
    for (const { ip, isLocal, ready } of endpoints) if (isLocal && ready) entry.ips.add(ip);
  }
  return [...byService].map(([service, { port, ips }]) => ({ service, port, localEndpoints: ips.size }));
}

/** How many service ports under a Local policy have endpoints, but none on this node. */
export function noLocalEndpoints(ports: readonly ServicePort[]): { internal: number; external: number } {
  const without = ports.filter(({ usable }) => usable.hasAny && usable.local.length === 0);
  return {
    internal: without.filter(({ internalLocal }) => internalLocal).length,
    external: without.filter(({ externalLocal }) => externalLocal).length,
  };
}

/** Whether flows of UDP may now lead nowhere: an endpoint went, or the first came to where packets were refused. */
export function mayHaveStaleFlows(before: readonly ServicePort[], after: readonly ServicePort[]): boolean {
  const serving = (ports: readonly ServicePort[]) =>
    ports
      .filter(({ protocol }) => protocol === "UDP")
      .map(({ name, endpoints }) => `${name} ${endpoints.filter((endpoint) => endpoint.serving).map(({ ip }) => ip)}`)
      .sort()
      .join("\n");
  return serving(before) !== serving(after);
}
