// The last words of a pod's ended containers, read once each and remembered while the pod lives: the files go with
// the volumes, sooner than the status.

import { text } from "node:stream/consumers";
import type { PodStatus } from "@picokube/api/core/v1";
import type { ContainerStatus, Runtime } from "../cri/runtime.js";
import type { PodState } from "../parts.js";
import { terminationMessage } from "../status/termination-message.js";
import { annotationNames } from "./container-spec.js";
import { apiContainerId } from "./container-state.js";

const tailLines = 80;

export class TerminationMessages {
  readonly #runtime: Runtime;
  readonly #messages = new Map<string, string>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Reads those of containers that have ended since. */
  async read(state: PodState): Promise<void> {
    const unread = state.containers.filter(({ id, state: is }) => is === "exited" && !this.#messages.has(id));
    await Promise.all(unread.map(async (status) => this.#messages.set(status.id, await this.#readOne(status))));
  }

  /** The message; what an earlier kubelet wrote into the status counts where nothing was found. */
  of(containerId: string, old: PodStatus | undefined): string {
    const message = this.#messages.get(containerId);
    if (message) return message;
    const apiId = apiContainerId(containerId);
    const states = [
      ...(old?.containerStatuses ?? []),
      ...(old?.initContainerStatuses ?? []),
      ...(old?.ephemeralContainerStatuses ?? []),
    ].flatMap(({ state, lastState }) => [state?.terminated, lastState?.terminated]);
    return states.find((terminated) => terminated?.containerID === apiId)?.message ?? "";
  }

  async #readOne(status: ContainerStatus): Promise<string> {
    const containerPath = status.annotations[annotationNames.terminationMessagePath] || "/dev/termination-log";
    const policy = status.annotations[annotationNames.terminationMessagePolicy];
    return terminationMessage({
      path: status.mounts.find((mount) => mount.containerPath === containerPath)?.hostPath,
      policy: policy === "FallbackToLogsOnError" ? policy : "File",
      // One that could not even be started has logged nothing.
      failed: status.exitCode !== 0 && status.error === "",
      readLog: () => this.#readLog(status.id),
    });
  }

  async #readLog(id: string): Promise<string> {
    const options = { follow: false, timestamps: false, tailLines };
    return text(await this.#runtime.logs(id, options, AbortSignal.timeout(10_000)));
  }
}
