// Ends containers: preStop hook, stop signal, grace period; sidecars after the containers they serve, last first.
// Mirrors upstream's killContainer and its termination ordering. Starts nothing.

import type { Container, Pod } from "@picokube/api/core/v1";
import { isSidecar } from "@picokube/api/pod";
import type { ContainerStatus } from "../cri/runtime.js";
import type { PodState } from "../parts.js";
import { allContainers } from "./container-spec.js";
import type { KillReason } from "./kill-reason.js";
import { runHook } from "./lifecycle-hooks.js";
import { networkOwner, type PodContext } from "./pod-context.js";

const minGraceSeconds = 2;
const defaultGraceSeconds = 30;

export interface Kill {
  readonly message?: string;
  readonly reason?: KillReason;
  /** Instead of what the pod and its probes say. */
  readonly graceSeconds?: number;
  readonly podIp: string | undefined;
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

/** Seconds that the preStop hook took. */
async function preStop(context: PodContext, { pod, container, status, graceSeconds, kill }: PreStop): Promise<number> {
  const handler = container?.lifecycle?.preStop;
  if (!container || !handler || graceSeconds <= 0) return 0;
  const startedAt = context.clock.now();
  const { podIp, signal } = kill;
  const timeoutMs = graceSeconds * 1000;
  const ended = new AbortController();
  const timer = context.clock.after(timeoutMs, () =>
    ended.abort(new Error("PreStop hook not completed in grace period")),
  );
  try {
    const either = AbortSignal.any([signal, ended.signal]);
    await runHook({ handler, container, containerId: status.id, podIp, timeoutMs, signal: either }, context);
  } catch (error) {
    if (!signal.aborted) {
      context.logger.info("PreStop hook failed", { container: container.name, pod: pod.metadata.name, err: error });
      context.events.warning(pod, {
        container: container.name,
        reason: "FailedPreStopHook",
        message: "PreStopHook failed",
      });
    }
  } finally {
    timer.cancel();
  }
  return Math.ceil((context.clock.now() - startedAt) / 1000);
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
  const spent = await preStop(context, { pod, container, status, graceSeconds, kill });
  const left = Math.max(minGraceSeconds, graceSeconds - spent);
  await context.runtime.stopContainer(
    status.id,
    kill.graceSeconds === undefined ? left : Math.min(left, kill.graceSeconds),
  );
}

/** Ends all containers of the pod and its sandboxes, and gives its address back. */
export async function killPod(
  context: PodContext,
  pod: Pod,
  state: PodState,
  { graceSeconds, signal }: { graceSeconds?: number; signal: AbortSignal },
): Promise<void> {
  const startedAt = context.clock.now();
  const sidecars = (pod.spec?.initContainers ?? []).filter(isSidecar).map(({ name }) => name);
  const running = state.containers.filter((status) => status.state === "running" || status.state === "unknown");
  const kill = (status: ContainerStatus, grace: number | undefined) =>
    killContainer(context, pod, status, {
      ...(grace === undefined ? {} : { graceSeconds: grace }),
      podIp: state.podIps[0],
      signal,
    });
  await settled(running.filter(({ name }) => !sidecars.includes(name)).map((status) => kill(status, graceSeconds)));
  for (const name of sidecars.reverse()) {
    const spent = Math.floor((context.clock.now() - startedAt) / 1000);
    const left = Math.max(
      minGraceSeconds,
      (graceSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? defaultGraceSeconds) - spent,
    );
    await settled(running.filter((status) => status.name === name).map((status) => kill(status, left)));
  }
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
