// Ends containers: preStop hook, turn, stop signal, within one grace period. Mirrors upstream's killContainer and
// killContainersWithSyncResult. Starts nothing.

import type { Container, Pod } from "@picokube/api/core/v1";
import type { ContainerStatus } from "../cri/runtime.js";
import type { PodState } from "../parts.js";
import { allContainers } from "./container-spec.js";
import type { KillReason } from "./kill-reason.js";
import { runHook } from "./lifecycle-hooks.js";
import { networkOwner, type PodContext } from "./pod-context.js";
import { terminationOrder } from "./termination-order.js";

const minGraceSeconds = 2;
const defaultGraceSeconds = 30;

export interface Kill {
  readonly message?: string;
  readonly reason?: KillReason;
  /** Instead of what the pod and its probes say. */
  readonly graceSeconds?: number;
  readonly podIp: string | undefined;
  /** Resolves when the container's turn to end has come; its preStop hook does not wait for it. */
  readonly turn?: Promise<unknown>;
  readonly signal: AbortSignal;
}

function graceOf(pod: Pod, container: Container | undefined, { graceSeconds, reason }: Kill): number {
  if (graceSeconds !== undefined) return graceSeconds;
  const { deletionGracePeriodSeconds } = pod.metadata;
  if (deletionGracePeriodSeconds !== undefined) return deletionGracePeriodSeconds;
  const ofProbe =
    reason === "LivenessProbe"
      ? container?.livenessProbe?.terminationGracePeriodSeconds
      : reason === "StartupProbe"
        ? container?.startupProbe?.terminationGracePeriodSeconds
        : undefined;
  return ofProbe ?? pod.spec?.terminationGracePeriodSeconds ?? defaultGraceSeconds;
}

/** Whole seconds that the preStop hook took. */
async function preStop(context: PodContext, { pod, container, status, graceSeconds, kill }: PreStop): Promise<number> {
  const handler = container?.lifecycle?.preStop;
  if (!container || !handler || graceSeconds <= 0) return 0;
  const startedAt = context.clock.now();
  const { podIp, signal } = kill;
  try {
    const timeoutMs = graceSeconds * 1000;
    await runHook({ handler, pod, container, containerId: status.id, podIp, timeoutMs, signal }, context);
  } catch (error) {
    if (!signal.aborted) {
      context.logger.info("PreStop hook failed", { container: container.name, pod: pod.metadata.name, err: error });
      context.events.warning(pod, {
        container: container.name,
        reason: "FailedPreStopHook",
        message: "PreStopHook failed",
      });
    }
  }
  return secondsSince(startedAt, context);
}

const secondsSince = (startedAtMs: number, { clock }: Pick<PodContext, "clock">) =>
  Math.floor((clock.now() - startedAtMs) / 1000);

/** Whole seconds that the turn took to come, at most those that are left. */
async function waitForTurn(context: PodContext, { turn, signal }: Kill, leftSeconds: number): Promise<number> {
  if (!turn || leftSeconds <= 0) return 0;
  const startedAt = context.clock.now();
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const timeout = context.clock.sleep(leftSeconds * 1000, either);
  // It outlives the race, and then its failure is nobody's unhandled rejection.
  timeout.catch(() => undefined);
  await Promise.race([turn, timeout]).finally(() => over.abort());
  return secondsSince(startedAt, context);
}

interface PreStop {
  readonly pod: Pod;
  readonly container: Container | undefined;
  readonly status: ContainerStatus;
  readonly graceSeconds: number;
  readonly kill: Kill;
}

/** Ends one container; resolves when it has ended. */
export async function killContainer(context: PodContext, pod: Pod, status: ContainerStatus, kill: Kill): Promise<void> {
  const container = allContainers(pod).find(({ name }) => name === status.name) as Container | undefined;
  const message = kill.message ?? `Stopping container ${status.name}`;
  context.events.normal(pod, { container: status.name, reason: "Killing", message });
  const graceSeconds = graceOf(pod, container, kill);
  let leftSeconds = graceSeconds - (await preStop(context, { pod, container, status, graceSeconds, kill }));
  leftSeconds -= await waitForTurn(context, kill, leftSeconds);
  context.logger.v(2).info("Killing container with a grace period", {
    pod: `${pod.metadata.namespace}/${pod.metadata.name}`,
    podUID: pod.metadata.uid,
    containerName: status.name,
    containerID: status.id,
    gracePeriod: leftSeconds,
  });
  await context.runtime.stopContainer(status.id, Math.max(minGraceSeconds, leftSeconds));
}

/** Ends all containers of the pod and its sandboxes, and gives its address back. */
export async function killPod(
  context: PodContext,
  pod: Pod,
  state: PodState,
  { graceSeconds, signal }: { graceSeconds?: number; signal: AbortSignal },
): Promise<void> {
  const running = state.containers.filter((status) => status.state === "running" || status.state === "unknown");
  const before = terminationOrder(
    pod,
    running.map(({ name }) => name),
  );
  const waitsFor = ({ name }: ContainerStatus) => before.get(name) ?? [];
  const ends = new Map<string, Promise<void>>();
  for (const status of running.sort((a, b) => waitsFor(a).length - waitsFor(b).length)) {
    const others = waitsFor(status).flatMap((name) => ends.get(name) ?? []);
    const kill = killContainer(context, pod, status, {
      ...(graceSeconds === undefined ? {} : { graceSeconds }),
      ...(others.length === 0 ? {} : { turn: Promise.allSettled(others) }),
      podIp: state.podIps[0],
      signal,
    });
    ends.set(status.name, kill);
  }
  await settled([...ends.values()]);
  await stopSandboxes(context, state);
}

/** Stops the pod's sandboxes and frees their addresses. */
export async function stopSandboxes(
  { runtime, network }: Pick<PodContext, "runtime" | "network">,
  state: PodState,
): Promise<void> {
  await settled(
    state.sandboxes.map(async (sandbox) => {
      const owner = networkOwner(sandbox);
      if (network.owners().includes(owner)) await network.detach(owner);
      if (sandbox.ready) await runtime.stopSandbox(sandbox.id);
    }),
  );
}

/** Waits for all, then throws the first failure: one stuck container must not keep the others alive. */
async function settled(tasks: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(tasks);
  const failure = results.find((result) => result.status === "rejected");
  if (failure) throw failure.reason as Error;
}
