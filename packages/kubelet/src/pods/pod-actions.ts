// What must happen to bring a pod from what the runtime shows to what its spec says, as data. Mirrors upstream's
// kuberuntime computePodActions. Pure; the worker carries it out.

import type { Pod } from "@picokube/api/core/v1";
import { resizeOf } from "../allocation/container-resize.js";
import type { PodState } from "../parts.js";
import { newestOf, shouldContainerBeRestarted } from "./container-spec.js";
import { computeInitActions } from "./init-container-actions.js";
import { type ContainerToKill, reasonToKill, type Verdicts } from "./kill-reason.js";

export interface PodActions {
  /** Stop everything; with createSandbox it begins anew afterwards. */
  readonly killPod: boolean;
  readonly createSandbox: boolean;
  /** The sandbox to use, or the newest old one. */
  readonly sandboxId: string | undefined;
  /** Of the sandbox to create. */
  readonly attempt: number;
  readonly initContainersToStart: readonly string[];
  readonly containersToStart: readonly string[];
  readonly ephemeralContainersToStart: readonly string[];
  readonly containersToKill: readonly ContainerToKill[];
  /** Running ones to resize in place. */
  readonly containersToUpdate: readonly { readonly id: string; readonly name: string }[];
}

/** Upstream's PodSandboxChanged: whether a new sandbox is needed. */
function sandboxNeed(pod: Pod, state: PodState): { create: boolean; sandboxId: string | undefined; attempt: number } {
  const [newest] = state.sandboxes;
  if (!newest) return { create: true, sandboxId: undefined, attempt: 0 };
  const ready = state.sandboxes.filter((sandbox) => sandbox.ready).length;
  const unwired = pod.spec?.hostNetwork !== true && state.podIps.length === 0;
  const create = ready > 1 || !newest.ready || unwired;
  return { create, sandboxId: newest.id, attempt: create ? newest.attempt + 1 : newest.attempt };
}

function newSandboxActions(pod: Pod, state: PodState, base: PodActions): PodActions {
  const policy = pod.spec?.restartPolicy ?? "Always";
  const containers = pod.spec?.containers ?? [];
  // A pod that never restarts keeps the verdict of its first run.
  if (policy === "Never" && base.attempt !== 0 && state.containers.length > 0) {
    return { ...base, killPod: true, createSandbox: false };
  }
  const succeeded = (name: string) => {
    const status = newestOf(state, name);
    return policy === "OnFailure" && status?.state === "exited" && status.exitCode === 0;
  };
  const toStart = containers.map(({ name }) => name).filter((name) => !succeeded(name));
  const inits = pod.spec?.initContainers ?? [];
  if (toStart.length === 0) return { ...base, killPod: true, createSandbox: false };
  if (inits.length > 0) return { ...base, initContainersToStart: [inits[0]!.name] };
  return { ...base, containersToStart: toStart };
}

/** The actions for a pod that is meant to run. */
export function computePodActions(pod: Pod, state: PodState, verdicts: Verdicts): PodActions {
  const { create, sandboxId, attempt } = sandboxNeed(pod, state);
  const base: PodActions = {
    killPod: create,
    createSandbox: create,
    sandboxId,
    attempt,
    initContainersToStart: [],
    containersToStart: [],
    ephemeralContainersToStart: [],
    containersToKill: [],
    containersToUpdate: [],
  };
  if (create) return newSandboxActions(pod, state, base);

  const ephemeralContainersToStart = (pod.spec?.ephemeralContainers ?? [])
    .map(({ name }) => name)
    .filter((name) => newestOf(state, name) === undefined);
  const init = computeInitActions(pod, state, verdicts);
  if (init.failed) return { ...base, killPod: true };
  if (!init.initialized) {
    return {
      ...base,
      ephemeralContainersToStart,
      initContainersToStart: init.toStart,
      containersToKill: init.toKill,
      containersToUpdate: init.toUpdate,
    };
  }
  const regular = regularActions(pod, state, verdicts);
  const nothingLeft = regular.kept === 0 && regular.toStart.length === 0;
  return {
    ...base,
    killPod: nothingLeft,
    ephemeralContainersToStart,
    // Sidecars are not revived for a pod that is done.
    initContainersToStart: nothingLeft ? [] : init.toStart,
    containersToStart: regular.toStart,
    containersToKill: [...init.toKill, ...regular.toKill],
    containersToUpdate: [...init.toUpdate, ...regular.toUpdate],
  };
}

function regularActions(pod: Pod, state: PodState, verdicts: Verdicts) {
  const toStart: string[] = [];
  const toKill: ContainerToKill[] = [];
  const toUpdate: { id: string; name: string }[] = [];
  let kept = 0;
  for (const container of pod.spec?.containers ?? []) {
    const { name } = container;
    const status = newestOf(state, name);
    if (status?.state !== "running") {
      if (!shouldContainerBeRestarted(pod, status)) continue;
      toStart.push(name);
      if (status?.state === "unknown") {
        const message = `Container is in "unknown" state, try killing it before restart`;
        toKill.push({ id: status.id, name, message, reason: "Unknown" });
      }
      continue;
    }
    const why = reasonToKill(container, status, verdicts);
    if (!why) {
      kept++;
      if (resizeOf(container, status) === "update") toUpdate.push({ id: status.id, name });
      continue;
    }
    const restart = why.reason === "Changed" || pod.spec?.restartPolicy !== "Never";
    if (restart) toStart.push(name);
    const message = `Container ${name} ${why.fault}`;
    toKill.push({
      id: status.id,
      name,
      message: restart && why.reason !== "Resize" ? `${message}, will be restarted` : message,
      reason: why.reason,
    });
  }
  return { toStart, toKill, toUpdate, kept };
}

/** Whether the actions leave everything as it is. */
export function isIdle(actions: PodActions): boolean {
  return (
    !actions.killPod &&
    !actions.createSandbox &&
    actions.initContainersToStart.length +
      actions.containersToStart.length +
      actions.ephemeralContainersToStart.length +
      actions.containersToKill.length +
      actions.containersToUpdate.length ===
      0
  );
}
