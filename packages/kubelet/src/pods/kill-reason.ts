// Why a running container must go: its definition changed, a resize asks for it, or a probe gave it up. Pure.

import type { Container } from "@picokube/api/core/v1";
import { resizeOf } from "../allocation/container-resize.js";
import type { ContainerStatus } from "../cri/runtime.js";
import { containerChanged } from "./container-spec.js";

export type KillReason = "Changed" | "Unknown" | "LivenessProbe" | "StartupProbe" | "Resize";

export interface ContainerToKill {
  readonly id: string;
  readonly name: string;
  readonly message: string;
  readonly reason: KillReason;
}

/** Probe verdicts by container id; undefined: none yet. */
export interface Verdicts {
  liveness(containerId: string): boolean | undefined;
  startup(containerId: string): boolean | undefined;
}

/** Why a running container must be replaced, in words that follow its name; undefined when it may stay. */
export function reasonToKill(
  container: Container,
  status: ContainerStatus,
  verdicts: Verdicts,
): { fault: string; reason: KillReason } | undefined {
  if (containerChanged(container, status)) return { fault: "definition changed", reason: "Changed" };
  if (verdicts.liveness(status.id) === false) return { fault: "failed liveness probe", reason: "LivenessProbe" };
  if (verdicts.startup(status.id) === false) return { fault: "failed startup probe", reason: "StartupProbe" };
  if (resizeOf(container, status) === "restart") return { fault: "resize requires restart", reason: "Resize" };
  return undefined;
}
