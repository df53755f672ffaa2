// The conditions that the kubelet owns: PodReadyToStartContainers, Initialized, Ready, ContainersReady, PodScheduled.
// Mirrors upstream's status/generate.go; transition times are the StatusManager's. Pure.

import type { Container, ContainerStatus, Pod, PodCondition } from "@picokube/api/core/v1";
import { isSidecar, podCondition } from "@picokube/api/pod";
import { anyRegularStarted, type Phase } from "./pod-phase.js";

export interface ConditionInputs {
  readonly pod: Pod;
  readonly phase: Phase;
  readonly initStatuses: readonly ContainerStatus[];
  readonly statuses: readonly ContainerStatus[];
  readonly sandboxReady: boolean;
}

const yes = (type: string): PodCondition => ({ type, status: "True" });
const no = (type: string, reason: string, message?: string): PodCondition => ({
  type,
  status: "False",
  reason,
  ...(message ? { message } : {}),
});

function sort(
  containers: readonly Container[],
  statuses: readonly ContainerStatus[],
  isGood: (status: ContainerStatus) => boolean,
): { unknown: string[]; bad: string[] } {
  const unknown: string[] = [];
  const bad: string[] = [];
  for (const { name } of containers) {
    const status = statuses.find((candidate) => candidate.name === name);
    if (!status) unknown.push(name);
    else if (!isGood(status)) bad.push(name);
  }
  return { unknown, bad };
}

function words({ unknown, bad }: { unknown: string[]; bad: string[] }, adjective: string): string {
  return [
    ...(unknown.length > 0 ? [`containers with unknown status: [${unknown.join(" ")}]`] : []),
    ...(bad.length > 0 ? [`containers with ${adjective} status: [${bad.join(" ")}]`] : []),
  ].join(", ");
}

function initialized({ pod, phase, initStatuses, statuses }: ConditionInputs): PodCondition {
  const inits = pod.spec?.initContainers ?? [];
  const found = sort(inits, initStatuses, (status) => {
    const container = inits.find(({ name }) => name === status.name)!;
    return isSidecar(container) ? status.started === true : status.ready;
  });
  if (phase === "Succeeded" && found.unknown.length === 0) {
    return { ...yes("Initialized"), reason: "PodCompleted" };
  }
  // Once it has been initialized it stays so, also while its sidecars restart.
  const message = anyRegularStarted(statuses) ? "" : words(found, "incomplete");
  return message === "" ? yes("Initialized") : no("Initialized", "ContainersNotInitialized", message);
}

function containersReady(inputs: ConditionInputs): PodCondition {
  const { pod, phase, initStatuses, statuses } = inputs;
  if (phase === "Failed") return no("ContainersReady", "PodFailed");
  const sidecars = (pod.spec?.initContainers ?? []).filter(isSidecar);
  const isReady = (status: ContainerStatus) => status.ready;
  const beside = sort(sidecars, initStatuses, isReady);
  const regular = sort(pod.spec?.containers ?? [], statuses, isReady);
  const found = { unknown: [...beside.unknown, ...regular.unknown], bad: [...beside.bad, ...regular.bad] };
  if (phase === "Succeeded" && found.unknown.length === 0) return no("ContainersReady", "PodCompleted");
  const message = words(found, "unready");
  return message === "" ? yes("ContainersReady") : no("ContainersReady", "ContainersNotReady", message);
}

function ready(pod: Pod, containers: PodCondition): PodCondition {
  if (containers.status !== "True") return { ...containers, type: "Ready" };
  const faults = (pod.spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = podCondition(pod.status, conditionType);
    if (!condition) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (condition.status === "True") return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  return faults.length === 0 ? yes("Ready") : no("Ready", "ReadinessGatesNotReady", faults.join(", "));
}

/** In the order in which upstream lists them. */
export function podConditions(inputs: ConditionInputs): PodCondition[] {
  const containers = containersReady(inputs);
  return [
    { type: "PodReadyToStartContainers", status: inputs.sandboxReady ? "True" : "False" },
    initialized(inputs),
    ready(inputs.pod, containers),
    containers,
    yes("PodScheduled"),
  ];
}
