// The API's view of a container in the runtime: waiting, running, terminated. Pure.

import type { ContainerState, Pod } from "@picokube/api/core/v1";
import { formatTime } from "@picokube/api/time";
import type { ContainerStatus } from "../cri/runtime.js";
import { allContainers } from "./container-spec.js";

const maxPodMessageBytes = 12 * 1024;

/** What one container may say at most, for its pod's status not to grow with their number: upstream's normalizeStatus. */
export function messageLimitBytes(pod: Pod): number {
  return Math.floor(maxPodMessageBytes / Math.max(1, allContainers(pod).length));
}

/** The text's beginning, not cut within a character. */
function firstBytes(text: string, sizeBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= sizeBytes) return text;
  return bytes
    .subarray(0, sizeBytes)
    .toString("utf8")
    .replace(/\uFFFD+$/, "");
}

/** "docker://<id>": how the API names a container. */
export function apiContainerId(id: string): string {
  return `docker://${id}`;
}

function terminatedReason({ oomKilled, exitCode, error }: ContainerStatus): string {
  if (oomKilled) return "OOMKilled";
  if (error !== "") return "ContainerCannotRun";
  return exitCode === 0 ? "Completed" : "Error";
}

/** State of a container that exists; created is waiting. said: its last words, which may be empty. */
export function containerStateOf(
  status: ContainerStatus,
  { said, limitBytes }: { said: string; limitBytes: number },
): ContainerState {
  switch (status.state) {
    case "running":
      return { running: { startedAt: formatTime(status.startedAt) } };
    case "exited": {
      const words = [status.error, said].filter((text) => text !== "");
      const message = firstBytes(words.join(": "), limitBytes);
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
      return { waiting: {} };
  }
}
