// What a Job's podFailurePolicy says of a failed pod. Pure: upstream's matchPodFailurePolicy.

import type { Job } from "@picokube/api/batch/v1";
import type { ContainerStatus, Pod, PodCondition } from "@picokube/api/core/v1";

type Policy = NonNullable<NonNullable<Job["spec"]>["podFailurePolicy"]>;
type Rule = Policy["rules"][number];
type ExitCodes = NonNullable<Rule["onExitCodes"]>;

export interface FailureVerdict {
  /** Whether the failure counts towards the limits. */
  readonly counts: boolean;
  readonly action?: "Count" | "FailIndex" | "FailJob" | "Ignore";
  /** Why the Job fails; only of FailJob. */
  readonly message?: string;
}

/** The verdict of the first rule that matches; a failure that no rule knows counts. */
export function judgeFailure(policy: Policy | undefined, pod: Pod): FailureVerdict {
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const message = matchRule(rule, pod, index);
    if (message === undefined) continue;
    const action = rule.action as NonNullable<FailureVerdict["action"]>;
    if (action === "FailJob") return { counts: true, action, message };
    return { counts: action !== "Ignore", action };
  }
  return { counts: true };
}

function matchRule({ action, onExitCodes, onPodConditions }: Rule, pod: Pod, index: number): string | undefined {
  const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
  if (onExitCodes) {
    const failed = matchExitCodes(pod, onExitCodes);
    return (
      failed &&
      `Container ${failed.name} for pod ${name} failed with exit code ${failed.state!.terminated!.exitCode} matching ${action} rule at index ${index}`
    );
  }
  const condition = matchConditions(pod, onPodConditions ?? []);
  return condition && `Pod ${name} has condition ${condition.type} matching ${action} rule at index ${index}`;
}

function matchExitCodes({ status }: Pod, { containerName, operator, values }: ExitCodes): ContainerStatus | undefined {
  const statuses = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  return statuses.find(({ name, state }) => {
    const exitCode = state?.terminated?.exitCode ?? 0;
    if (exitCode === 0 || (containerName !== undefined && containerName !== name)) return false;
    return values.includes(exitCode) === (operator === "In");
  });
}

function matchConditions({ status }: Pod, patterns: NonNullable<Rule["onPodConditions"]>): PodCondition | undefined {
  return status?.conditions?.find((condition) =>
    patterns.some((pattern) => pattern.type === condition.type && pattern.status === condition.status),
  );
}
