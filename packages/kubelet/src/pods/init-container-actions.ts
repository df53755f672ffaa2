// The init containers' share of computePodActions: run in order, sidecars stay and are gated by their startup probe.
// Mirrors upstream's computeInitContainerActions. Pure.

import type { Container, Pod } from "@picokube/api/core/v1";
import { isSidecar } from "@picokube/api/pod";
import { resizeOf } from "../allocation/container-resize.js";
import type { ContainerStatus } from "../cri/runtime.js";
import type { PodState } from "../parts.js";
import { type ContainerToKill, reasonToKill, type Verdicts } from "./kill-reason.js";

export interface InitActions {
  /** All init containers are done or, as sidecars, started: the regular ones may run. */
  readonly initialized: boolean;
  /** One failed for good. */
  readonly failed: boolean;
  readonly toStart: string[];
  readonly toKill: ContainerToKill[];
  /** Sidecars to resize in place. */
  readonly toUpdate: { id: string; name: string }[];
}

/** What init containers need in the present sandbox. */
export function computeInitActions(pod: Pod, state: PodState, verdicts: Verdicts): InitActions {
  const inits = pod.spec?.initContainers ?? [];
  const sandboxId = state.sandboxes[0]?.id;
  const current = (name: string) =>
    state.containers.find((status) => status.name === name && status.sandboxId === sandboxId);
  const podHasInitialized = (pod.spec?.containers ?? []).some(({ name }) => (current(name)?.startedAt ?? 0) > 0);
  const lastWithStatus = inits.findLastIndex(({ name }) => current(name) !== undefined);
  const actions: InitActions = { initialized: true, failed: false, toStart: [], toKill: [], toUpdate: [] };

  for (const [index, container] of inits.entries()) {
    const status = current(container.name);
    const verdict = isSidecar(container)
      ? sidecarVerdict(container, status, { verdicts, actions })
      : initVerdict(pod, status, { done: podHasInitialized || (status === undefined && index < lastWithStatus) });
    if (verdict === "failed") return { ...actions, initialized: false, failed: true };
    if (verdict === "start") actions.toStart.push(container.name);
    if (verdict !== "done" && !podHasInitialized) return { ...actions, initialized: false };
  }
  return actions;
}

type Verdict = "done" | "wait" | "start" | "failed";

function initVerdict(pod: Pod, status: ContainerStatus | undefined, { done }: { done: boolean }): Verdict {
  if (done) return "done";
  if (!status || status.state === "created" || status.state === "unknown") return "start";
  if (status.state === "running") return "wait";
  if (status.exitCode === 0) return "done";
  return pod.spec?.restartPolicy === "Never" ? "failed" : "start";
}

function sidecarVerdict(
  container: Container,
  status: ContainerStatus | undefined,
  { verdicts, actions }: { verdicts: Verdicts; actions: InitActions },
): Verdict {
  if (status?.state !== "running") return "start";
  const why = reasonToKill(container, status, verdicts);
  if (why) {
    actions.toKill.push({
      id: status.id,
      name: container.name,
      message: why.reason === "Resize" ? why.message : `${why.message}, will be restarted`,
      reason: why.reason,
    });
    return "start";
  }
  if (resizeOf(container, status) === "update") actions.toUpdate.push({ id: status.id, name: container.name });
  const started = container.startupProbe === undefined || verdicts.startup(status.id) === true;
  return started ? "done" : "wait";
}
