// The init containers' share of computePodActions: run in order, sidecars stay, are gated by their startup probe, and are
// restarted whatever the others do. Mirrors upstream's computeInitContainerActions. Pure.

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

/** What init containers need in the present sandbox. Looks from the last one back, for those that are done may have been
 * removed: the last that has a status tells how far the pod has come; before it sidecars alone matter. */
export function computeInitActions(pod: Pod, state: PodState, verdicts: Verdicts): InitActions {
  const inits = pod.spec?.initContainers ?? [];
  const sandboxId = state.sandboxes[0]?.id;
  const current = (name: string) =>
    state.containers.find((status) => status.name === name && status.sandboxId === sandboxId);
  const podHasInitialized = (pod.spec?.containers ?? []).some(({ name }) => (current(name)?.startedAt ?? 0) > 0);
  const found: Omit<InitActions, "initialized" | "failed"> = { toStart: [], toKill: [], toUpdate: [] };
  let initialized = podHasInitialized || inits.length === 0;
  let isPast = initialized;

  for (const [index, container] of [...inits.entries()].reverse()) {
    const status = current(container.name);
    if (!status) {
      if (isPast && isSidecar(container)) found.toStart.unshift(container.name);
      continue;
    }
    if (isPast && !isSidecar(container)) continue;
    const { isDone, mustStart, failed } = isSidecar(container)
      ? sidecarVerdict(container, status, { verdicts, found })
      : initVerdict(pod, status);
    if (failed) return { ...found, toStart: [], initialized: false, failed };
    if (isDone && !isPast) {
      const next = inits[index + 1];
      if (next) found.toStart.unshift(next.name);
      else initialized = true;
    }
    if (mustStart) found.toStart.unshift(container.name);
    isPast = true;
  }
  if (!isPast) found.toStart.unshift(inits[0]!.name);
  return { ...found, initialized, failed: false };
}

interface Verdict {
  /** The next one may start. */
  readonly isDone?: boolean;
  readonly mustStart?: boolean;
  readonly failed?: boolean;
}

function initVerdict(pod: Pod, status: ContainerStatus): Verdict {
  if (status.state === "created") return { mustStart: true };
  if (status.state === "running") return {};
  if (status.state === "exited" && status.exitCode === 0) return { isDone: true };
  return pod.spec?.restartPolicy === "Never" ? { failed: true } : { mustStart: true };
}

function sidecarVerdict(
  container: Container,
  status: ContainerStatus,
  { verdicts, found }: { verdicts: Verdicts; found: Pick<InitActions, "toKill" | "toUpdate"> },
): Verdict {
  const { name } = container;
  if (status.state === "unknown") {
    const message = 'Init container is in "unknown" state, try killing it before restart';
    found.toKill.push({ id: status.id, name, message, reason: "Unknown" });
  }
  if (status.state !== "running") return { mustStart: true };
  const isDone = container.startupProbe === undefined || verdicts.startup(status.id) === true;
  const why = reasonToKill(container, status, verdicts);
  if (why) {
    const kind = why.reason === "Resize" ? "Container" : "Init container";
    found.toKill.push({ id: status.id, name, message: `${kind} ${name} ${why.fault}`, reason: why.reason });
    return { isDone, mustStart: true };
  }
  if (resizeOf(container, status) === "update") found.toUpdate.push({ id: status.id, name });
  return { isDone };
}
