// What endpoints and endpointslice both ask: which pods stand behind a Service, and on which ports. Pure.

import type { Pod, Service, ServicePort } from "@picokube/api/core/v1";
import { intValue } from "@picokube/api/int-or-string";
import { selectorFromSet } from "@picokube/api/selectors/labels";

export interface ResolvedPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly appProtocol?: string;
}

/** The Services of the pod's namespace that select it. */
export function servicesOf(pod: Pod, services: readonly Service[]): Service[] {
  return services.filter(({ spec }) => {
    const selector = spec?.selector;
    return selector && Object.keys(selector).length > 0 && selectorFromSet(selector).matches(pod.metadata.labels);
  });
}

/** The container port that a Service's port means on this pod; undefined when the pod has none of that name. Upstream's FindPort. */
function targetPortOf(pod: Pod, servicePort: ServicePort): number | undefined {
  const target = servicePort.targetPort ?? servicePort.port;
  if (typeof target === "number") return target === 0 ? servicePort.port : target;
  if (target === "") return servicePort.port;
  const protocol = servicePort.protocol ?? "TCP";
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  for (const { ports } of [...(pod.spec?.containers ?? []), ...sidecars])
    for (const port of ports ?? [])
      if (port.name === target && (port.protocol ?? "TCP") === protocol) return port.containerPort;
  return intValue(target) || undefined;
}

/** The Service's ports as this pod serves them; those that it has no port for are left out. */
export function portsOf(service: Service, pod: Pod): ResolvedPort[] {
  const headless = service.spec?.clusterIP === "None";
  const ports: ResolvedPort[] = [];
  for (const servicePort of service.spec?.ports ?? []) {
    const port = targetPortOf(pod, servicePort);
    if (port === undefined) continue;
    ports.push({
      name: servicePort.name ?? "",
      port,
      protocol: (servicePort.protocol ?? "TCP") as ResolvedPort["protocol"],
      ...(servicePort.appProtocol ? { appProtocol: servicePort.appProtocol } : {}),
    });
  }
  return headless || ports.length > 0 ? ports : [];
}

/** Whether the pod can be an endpoint at all. Upstream's ShouldPodBeInEndpoints. */
export function isCandidate(pod: Pod, { includeTerminating }: { includeTerminating: boolean }): boolean {
  const { phase, podIP } = pod.status ?? {};
  if (phase === "Succeeded" || phase === "Failed" || !podIP) return false;
  return includeTerminating || !pod.metadata.deletionTimestamp;
}

/** The host name under which a headless Service publishes the pod. */
export function hostnameOf(pod: Pod, service: Service): string | undefined {
  const { hostname, subdomain } = pod.spec ?? {};
  return hostname && subdomain === service.metadata.name ? hostname : undefined;
}
