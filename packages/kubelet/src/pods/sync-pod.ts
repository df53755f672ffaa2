// Carries out computePodActions: kills, sandbox, volumes, init containers, containers. Mirrors upstream's
// kuberuntime SyncPod. One call at a time a pod; the worker sees to that.

import type { Container, EphemeralContainer, Pod } from "@picokube/api/core/v1";
import { formatDuration } from "@picokube/component-base/duration";
import { resizeContainers } from "../allocation/resize-containers.js";
import type { PodState, PodVolumes } from "../parts.js";
import { allContainers, containerHash, newestOf, restartCountOf } from "./container-spec.js";
import { killContainer, killPod } from "./kill-container.js";
import type { PodActions } from "./pod-actions.js";
import type { PodContext } from "./pod-context.js";
import { ContainerStartError, podName } from "./pod-events.js";
import { startContainer } from "./start-container.js";
import { type StartedSandbox, startSandbox } from "./start-sandbox.js";

export interface PodSync {
  readonly pod: Pod;
  readonly state: PodState;
  readonly actions: PodActions;
  /** Why containers wait, by name; kept by the worker from one sync to the next. */
  readonly failures: Map<string, { reason: string; message: string }>;
  readonly signal: AbortSignal;
}

/** retryMs: when the first back-off ends; failed: something went wrong that the next sync should try again. */
export interface SyncOutcome {
  readonly retryMs: number | undefined;
  readonly failed: boolean;
  /** Why a resize in place failed. */
  readonly resizeError?: string | undefined;
}

/** Tries to bring the pod to its spec. Throws for what concerns the whole pod, after telling its event. */
export async function syncPod(context: PodContext, sync: PodSync): Promise<SyncOutcome> {
  const { pod, state, actions, signal } = sync;
  if (actions.killPod) {
    if (actions.createSandbox && actions.sandboxId !== undefined) {
      const message = "Pod sandbox changed, it will be killed and re-created.";
      context.events.normal(pod, { reason: "SandboxChanged", message });
    }
    await killPod(context, pod, state, { signal });
    if (!actions.createSandbox) return { retryMs: undefined, failed: false };
  }
  await Promise.all(
    actions.containersToKill.map(async ({ id, message, reason }) => {
      const status = state.containers.find((candidate) => candidate.id === id);
      if (status) await killContainer(context, pod, status, { message, reason, podIp: state.podIps[0], signal });
    }),
  );
  const resizeError = await resize(context, pod, actions);
  const starts = [
    ...actions.ephemeralContainersToStart,
    ...actions.initContainersToStart,
    ...actions.containersToStart,
  ];
  const due = dueContainers(context, sync, starts);
  if (due.containers.length === 0 && !actions.createSandbox) {
    return { retryMs: due.retryMs, failed: resizeError !== undefined, resizeError };
  }
  const place = await preparePlace(context, sync);
  const failed = await startAll(context, sync, { place, containers: due.containers });
  return { retryMs: due.retryMs, failed: failed || resizeError !== undefined, resizeError };
}

/** In place, or around containers that restart for it; what went wrong, for the pod's condition. */
async function resize(context: PodContext, pod: Pod, actions: PodActions): Promise<string | undefined> {
  const restarts = actions.containersToKill.some(({ reason }) => reason === "Resize");
  if (!restarts && actions.containersToUpdate.length === 0) return undefined;
  try {
    await resizeContainers(context, pod, actions.containersToUpdate);
    return undefined;
  } catch (err) {
    context.logger.error("Cannot resize the pod", { pod: podName(pod), err });
    return (err as Error).message;
  }
}

interface Place {
  readonly volumes: PodVolumes;
  readonly sandboxId: string;
  readonly podIps: readonly string[];
  readonly wired: Promise<void>;
}

/** Volumes and sandbox, side by side: neither needs the other. */
async function preparePlace(context: PodContext, { pod, state, actions, signal }: PodSync): Promise<Place> {
  const sandbox: Promise<StartedSandbox> = actions.createSandbox
    ? startSandbox(context, pod, actions.attempt).catch((error: unknown) => tellSandboxFailure(context, pod, error))
    : Promise.resolve({ id: actions.sandboxId!, podIps: state.podIps, wired: Promise.resolve() });
  const volumes = context.volumes.prepare(pod, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    const failures: Error[] = error instanceof AggregateError ? error.errors : [error as Error];
    for (const { message } of failures) context.events.warning(pod, { reason: "FailedMount", message });
    throw error;
  });
  const [started, mounted] = await Promise.allSettled([sandbox, volumes]);
  if (started.status === "rejected") throw started.reason as Error;
  const wired = started.value.wired.catch((error: unknown) => tellSandboxFailure(context, pod, error));
  // Whoever starts a container waits for it; until then a failure is nobody's unhandled rejection.
  wired.catch(() => undefined);
  if (mounted.status === "rejected") {
    await wired;
    throw mounted.reason as Error;
  }
  return { volumes: mounted.value, sandboxId: started.value.id, podIps: started.value.podIps, wired };
}

function tellSandboxFailure(context: PodContext, pod: Pod, error: unknown): never {
  const { message } = error as Error;
  context.events.warning(pod, {
    reason: "FailedCreatePodSandBox",
    message: `Failed to create pod sandbox: ${message}`,
  });
  throw new Error(`Failed to create pod sandbox: ${message}`, { cause: error });
}

/** Leaves out, and tells of, those whose crash back-off still runs. */
function dueContainers(context: PodContext, { pod, state, failures }: PodSync, names: readonly string[]) {
  let retryMs: number | undefined;
  const containers = names.flatMap((name) => {
    const container = allContainers(pod).find((candidate) => candidate.name === name);
    if (!container) return [];
    const ended = lastEnd(state, name);
    if (!ended) return [container];
    const { waitMs, backoffMs } = context.backoff.look(backoffKey(pod, container), ended.finishedAt);
    if (waitMs === 0) return [container];
    retryMs = Math.min(retryMs ?? waitMs, waitMs);
    context.events.warning(pod, {
      container: name,
      reason: "BackOff",
      message: `Back-off restarting failed container ${name} in pod ${podName(pod)}`,
    });
    failures.set(name, {
      reason: "CrashLoopBackOff",
      message: `back-off ${formatDuration(backoffMs)} restarting failed container=${name} pod=${podName(pod)}`,
    });
    return [];
  });
  return { containers, retryMs };
}

function lastEnd(state: PodState, name: string) {
  return state.containers.find((status) => status.name === name && status.state === "exited");
}

function backoffKey(pod: Pod, container: Container | EphemeralContainer): string {
  return `${pod.metadata.uid}_${container.name}_${containerHash(container)}`;
}

/** One after the other, as upstream; true when one failed. */
async function startAll(
  context: PodContext,
  { pod, state, failures, signal }: PodSync,
  { place, containers }: { place: Place; containers: readonly (Container | EphemeralContainer)[] },
): Promise<boolean> {
  let failed = false;
  for (const container of containers) {
    signal.throwIfAborted();
    // Only here: a sandbox that failed is no crash of what was to run in it.
    const ended = lastEnd(state, container.name);
    if (ended) context.backoff.count(backoffKey(pod, container), ended.finishedAt);
    try {
      const image = await context.images.ensure(pod, container, signal).catch((error: unknown) => {
        if (error instanceof ContainerStartError) {
          const message = `Error: ${error.reason}`;
          context.events.warning(pod, { container: container.name, reason: "Failed", message });
        }
        throw error;
      });
      await startContainer(context, {
        pod,
        container,
        image,
        ...place,
        attempt: nextAttempt(context, pod, state, container.name),
        targetContainerId: targetOf(container, state),
        signal,
      });
      failures.delete(container.name);
    } catch (error) {
      if (!(error instanceof ContainerStartError)) throw error;
      failures.set(container.name, { reason: error.reason, message: error.message });
      failed = true;
    }
  }
  await place.wired;
  return failed;
}

/** Restart count of the next container: also above what the API remembers of containers that somebody removed. */
function nextAttempt(context: PodContext, pod: Pod, state: PodState, name: string): number {
  const known = context.statuses.get(pod.metadata.uid) ?? pod.status;
  const told = [
    ...(known?.containerStatuses ?? []),
    ...(known?.initContainerStatuses ?? []),
    ...(known?.ephemeralContainerStatuses ?? []),
  ].find((status) => status.name === name);
  const present = newestOf(state, name);
  const last = told?.containerID ? undefined : told?.lastState?.terminated;
  // One that was lost has been counted already when that was told; of one that was collected its id is known.
  const [lost, collected] = [last && !last.containerID, last?.containerID !== undefined];
  const counts = [
    ...(told?.containerID || collected ? [told!.restartCount] : []),
    ...(lost ? [told!.restartCount - 1] : []),
    ...(present ? [Math.max(restartCountOf(present), present.attempt)] : []),
  ];
  return counts.length === 0 ? 0 : Math.max(...counts) + 1;
}

function targetOf(container: Container | EphemeralContainer, state: PodState): string | undefined {
  const name = (container as EphemeralContainer).targetContainerName;
  return name ? newestOf(state, name)?.id : undefined;
}
