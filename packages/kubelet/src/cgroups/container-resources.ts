// Requests and limits in the engine's terms: CPU shares and quota, bytes, OOM score. Mirrors upstream's
// kuberuntime_container_linux.go and qos/policy.go. Pure.

import type { Container, EphemeralContainer, Pod } from "@picokube/api/core/v1";
import { qosClass, systemCriticalPriority } from "@picokube/api/pod";
import { parseQuantity } from "@picokube/api/quantity";
import type { ContainerConfig, ContainerResources } from "../cri/runtime.js";

const periodUs = 100_000;
const minQuotaUs = 1_000;
const minShares = 2;
const maxShares = 262_144;
const guaranteedOomScore = -997;
const bestEffortOomScore = 1000;

type Resources = NonNullable<Container["resources"]>;

/** Millicores to cpu.shares. */
export function cpuShares(millis: number): number {
  return Math.min(maxShares, Math.max(minShares, Math.floor((millis * 1024) / 1000)));
}

/** cpu.shares of cgroup v1 to cpu.weight of v2. */
export function cpuWeight(shares: number): number {
  return 1 + Math.floor(((shares - minShares) * 9999) / (maxShares - minShares));
}

/** Millicores to microseconds in each 100 ms. */
export function cpuQuotaUs(millis: number): number {
  return Math.max(minQuotaUs, Math.floor((millis * periodUs) / 1000));
}

function oomScoreAdj(pod: Pod, resources: Resources | undefined, memoryCapacityBytes: number): number {
  if ((pod.spec?.priority ?? 0) >= systemCriticalPriority) return guaranteedOomScore;
  const qos = qosClass(pod);
  if (qos === "Guaranteed") return guaranteedOomScore;
  if (qos === "BestEffort") return bestEffortOomScore;
  const requested = parseQuantity(resources?.requests?.memory ?? resources?.limits?.memory ?? "0").value();
  const score = Math.floor(1000 - (1000 * requested) / memoryCapacityBytes);
  return Math.min(bestEffortOomScore - 1, Math.max(1000 + guaranteedOomScore, score));
}

/** What of a container's resources may change while it runs. */
export function containerLimits({ resources }: Pick<Container, "resources">): ContainerResources {
  const millis = (text: string | number | undefined) =>
    text === undefined ? undefined : parseQuantity(text).milliValue();
  const cpuLimit = millis(resources?.limits?.cpu);
  const cpuRequest = millis(resources?.requests?.cpu) ?? cpuLimit ?? 0;
  const memoryLimit = resources?.limits?.memory;
  return {
    cpuShares: cpuShares(cpuRequest),
    ...(cpuLimit ? { cpuQuotaUs: cpuQuotaUs(cpuLimit), cpuPeriodUs: periodUs } : {}),
    ...(memoryLimit === undefined ? {} : { memoryLimitBytes: parseQuantity(memoryLimit).value() }),
  };
}

/** What a container gets. */
export function containerResources(
  pod: Pod,
  container: Container | EphemeralContainer,
  memoryCapacityBytes: number,
): ContainerConfig["resources"] {
  const { resources } = container as Container;
  return { ...containerLimits({ resources }), oomScoreAdj: oomScoreAdj(pod, resources, memoryCapacityBytes) };
}
