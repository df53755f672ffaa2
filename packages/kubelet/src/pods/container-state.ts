// The API's view of a container in the runtime: waiting, running, terminated. Pure.

import type { ContainerState } from "@picokube/api/core/v1";
import { formatTime } from "@picokube/api/time";
import type { ContainerStatus } from "../cri/runtime.js";

const maxMessageBytes = 12 * 1024;

/** "docker://<id>": how the API names a container. */
export function apiContainerId(id: string): string {
  return `docker://${id}`;
}

function terminatedReason({ oomKilled, exitCode, error }: ContainerStatus): string {
  if (oomKilled) return "OOMKilled";
  if (error !== "") return "ContainerCannotRun";
  return exitCode === 0 ? "Completed" : "Error";
}

/** State of a container that exists; created is waiting. terminationMessage may be empty. */
export function containerStateOf(status: ContainerStatus, terminationMessage: string): ContainerState {
  switch (status.state) {
    case "running":
      return { running: { startedAt: formatTime(status.startedAt) } };
    case "exited": {
      const message = (terminationMessage || status.error).slice(0, maxMessageBytes);
      return {
        terminated: {
          exitCode: status.exitCode,
          reason: terminatedReason(status),
          ...(message === "" ? {} : { message }),
          ...(status.startedAt > 0 ? { startedAt: formatTime(status.startedAt) } : {}),
          ...(status.finishedAt > 0 ? { finishedAt: formatTime(status.finishedAt) } : {}),
          containerID: apiContainerId(status.id),
        },
      };
    }
    default:
      return { waiting: { reason: "ContainerCreating" } };
  }
}
