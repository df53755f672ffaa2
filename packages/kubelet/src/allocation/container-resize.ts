// What a running container has against what its pod was granted: whether it must be updated or restarted, and what its
// status shows. Mirrors upstream's computePodResizeAction and convertContainerStatusResources. Pure.

import type { Container } from "@picokube/api/core/v1";
import { Quantity } from "@picokube/api/quantity";
import { containerLimits, cpuShares } from "../cgroups/container-resources.js";
import type { ContainerResources, ContainerStatus } from "../cri/runtime.js";

type Resources = NonNullable<Container["resources"]>;
type ResourceName = "cpu" | "memory";

const minShares = 2;

function differing(container: Container, actual: ContainerResources): ResourceName[] {
  const wanted = containerLimits(container);
  const cpu =
    (wanted.cpuShares ?? minShares) !== (actual.cpuShares || minShares) ||
    (wanted.cpuQuotaUs ?? 0) !== Math.max(0, actual.cpuQuotaUs ?? 0);
  const memory = (wanted.memoryLimitBytes ?? 0) !== (actual.memoryLimitBytes ?? 0);
  return [...(cpu ? (["cpu"] as const) : []), ...(memory ? (["memory"] as const) : [])];
}

/** How a running container comes to what its pod was granted; undefined when it has it. */
export function resizeOf(container: Container, status: ContainerStatus): "update" | "restart" | undefined {
  if (status.state !== "running" || !status.resources) return undefined;
  const changed = differing(container, status.resources);
  if (changed.length === 0) return undefined;
  const restarts = changed.some((name) =>
    container.resizePolicy?.some(
      (policy) => policy.resourceName === name && policy.restartPolicy === "RestartContainer",
    ),
  );
  return restarts ? "restart" : "update";
}

/** status.containerStatuses[].resources: what was granted, with what the runtime shows in place of it where they differ. */
export function shownResources(container: Container, status: ContainerStatus | undefined): Resources {
  const granted = container.resources ?? {};
  const actual = status?.state === "running" ? status.resources : undefined;
  if (!actual) return granted;
  const wanted = containerLimits(container);
  const shown: { limits: Record<string, string>; requests: Record<string, string> } = {
    limits: { ...(granted.limits as Record<string, string>) },
    requests: { ...(granted.requests as Record<string, string>) },
  };
  const period = actual.cpuPeriodUs || 100_000;
  const quota = Math.max(0, actual.cpuQuotaUs ?? 0);
  if (quota !== (wanted.cpuQuotaUs ?? 0)) {
    if (quota === 0) delete shown.limits.cpu;
    else shown.limits.cpu = Quantity.fromMilliValue(Math.round((quota * 1000) / period)).toString();
  }
  const memory = actual.memoryLimitBytes ?? 0;
  if (memory !== (wanted.memoryLimitBytes ?? 0)) {
    if (memory === 0) delete shown.limits.memory;
    else shown.limits.memory = Quantity.fromValue(memory, "BinarySI").toString();
  }
  const shares = actual.cpuShares || minShares;
  if (shares !== (wanted.cpuShares ?? minShares)) {
    const millis = Math.ceil((shares * 1000) / 1024);
    if (shares === minShares || cpuShares(millis) < minShares) delete shown.requests.cpu;
    else shown.requests.cpu = Quantity.fromMilliValue(millis).toString();
  }
  return {
    ...(Object.keys(shown.limits).length > 0 ? { limits: shown.limits } : {}),
    ...(Object.keys(shown.requests).length > 0 ? { requests: shown.requests } : {}),
  };
}
