// Pure questions about Pods that several daemons ask: ready, terminated, conditions, requests, QoS. Changes nothing but
// the condition list it is handed.

import type { Container, Pod, PodCondition, PodSpec, PodStatus } from "./core/v1.js";
import { Quantity } from "./quantity.js";
import { formatTime } from "./time.js";

/** From here on a pod is critical to the system (upstream: scheduling.SystemCriticalPriority). */
export const systemCriticalPriority = 2_000_000_000;

/** Amounts by resource name. */
export type ResourceAmounts = Map<string, Quantity>;
type ResourceList = { readonly [name: string]: string | number } | undefined;

/** The condition of that type. */
export function podCondition(status: PodStatus | undefined, type: string): PodCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** The list with this condition set; lastTransitionTime moves only when the status does (upstream: UpdatePodCondition). */
export function withPodCondition(
  conditions: readonly PodCondition[] | undefined,
  condition: Omit<PodCondition, "lastTransitionTime">,
  nowMs: number,
): PodCondition[] {
  const old = conditions?.find((candidate) => candidate.type === condition.type);
  const lastTransitionTime =
    old?.status === condition.status ? (old.lastTransitionTime ?? formatTime(nowMs)) : formatTime(nowMs);
  const next: PodCondition = { ...condition, lastTransitionTime };
  return old ? conditions!.map((candidate) => (candidate === old ? next : candidate)) : [...(conditions ?? []), next];
}

/** The Ready condition is True. */
export function isPodReady(pod: Pick<Pod, "status">): boolean {
  return podCondition(pod.status, "Ready")?.status === "True";
}

/** Ready for at least minReadySeconds (upstream: IsPodAvailable). */
export function isPodAvailable(
  pod: Pick<Pod, "status">,
  { minReadySeconds, nowMs }: { minReadySeconds: number; nowMs: number },
): boolean {
  const ready = podCondition(pod.status, "Ready");
  if (ready?.status !== "True") return false;
  if (minReadySeconds === 0) return true;
  const since = Date.parse(ready.lastTransitionTime ?? "");
  return since > 0 && since + minReadySeconds * 1000 <= nowMs;
}

/** Phase Succeeded or Failed: it will never run again. */
export function isPodTerminal(pod: Pick<Pod, "status">): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

/** Neither terminal nor being deleted (upstream: controller.IsPodActive). */
export function isPodActive(pod: Pod): boolean {
  return !isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** An init container that keeps running beside the others. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

function amountsOf(list: ResourceList): ResourceAmounts {
  return new Map(Object.entries(list ?? {}).map(([name, text]) => [name, Quantity.parse(text)]));
}

function addAll(sum: ResourceAmounts, amounts: ResourceAmounts): void {
  for (const [name, amount] of amounts) sum.set(name, (sum.get(name) ?? Quantity.zero).add(amount));
}

function maxAll(max: ResourceAmounts, amounts: ResourceAmounts): void {
  for (const [name, amount] of amounts) {
    const known = max.get(name);
    if (!known || amount.compare(known) > 0) max.set(name, amount);
  }
}

function total(spec: PodSpec, listOf: (container: Container) => ResourceList): ResourceAmounts {
  const sum: ResourceAmounts = new Map();
  for (const container of spec.containers) addAll(sum, amountsOf(listOf(container)));
  const sidecars: ResourceAmounts = new Map();
  const starting: ResourceAmounts = new Map();
  for (const container of spec.initContainers ?? []) {
    const amounts = amountsOf(listOf(container));
    if (isSidecar(container)) {
      addAll(sidecars, amounts);
      addAll(sum, amounts);
      maxAll(starting, sidecars);
    } else {
      const together = new Map(amounts);
      addAll(together, sidecars);
      maxAll(starting, together);
    }
  }
  maxAll(sum, starting);
  return sum;
}

/** What the pod needs of its node: containers and sidecars together, or the hungriest init step, plus overhead (upstream: PodRequests). A limit without a request counts as the request. */
export function podRequests(pod: Pick<Pod, "spec">): ResourceAmounts {
  if (!pod.spec) return new Map();
  const sum = total(pod.spec, ({ resources }) => ({ ...resources?.limits, ...resources?.requests }));
  for (const [name, text] of Object.entries(pod.spec.resources?.requests ?? {})) sum.set(name, Quantity.parse(text));
  addAll(sum, amountsOf(pod.spec.overhead));
  return sum;
}

/** The sum of limits by the same rule; overhead counts only where there is a limit (upstream: PodLimits). */
export function podLimits(pod: Pick<Pod, "spec">): ResourceAmounts {
  if (!pod.spec) return new Map();
  const sum = total(pod.spec, ({ resources }) => resources?.limits);
  for (const [name, text] of Object.entries(pod.spec.resources?.limits ?? {})) sum.set(name, Quantity.parse(text));
  for (const [name, amount] of amountsOf(pod.spec.overhead)) {
    const limit = sum.get(name);
    if (limit) sum.set(name, limit.add(amount));
  }
  return sum;
}

/** Upstream's ComputePodQOS: Guaranteed, Burstable or BestEffort by cpu and memory. */
export function qosClass(pod: Pick<Pod, "spec">): "Guaranteed" | "Burstable" | "BestEffort" {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  let any = false;
  let guaranteed = true;
  for (const { resources } of containers) {
    for (const name of ["cpu", "memory"]) {
      const limit = positive(resources?.limits?.[name]);
      const request = positive(resources?.requests?.[name]) ?? limit;
      if (request || limit) any = true;
      if (!limit || !request?.equals(limit)) guaranteed = false;
    }
  }
  if (!any) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}

function positive(text: string | number | undefined): Quantity | undefined {
  const amount = text === undefined ? undefined : Quantity.parse(text);
  return amount && amount.sign > 0 ? amount : undefined;
}
