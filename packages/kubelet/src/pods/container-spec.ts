// Questions about the containers of a pod's spec that several parts of the worker ask. Pure.

import type { Container, EphemeralContainer, Pod } from "@picokube/api/core/v1";
import { canonicalJson, fnv32a } from "@picokube/api/hash";
import type { ContainerStatus } from "../cri/runtime.js";
import type { PodState } from "../parts.js";

/** Names of the annotations that a container carries in the runtime. */
export const annotationNames = {
  hash: "io.kubernetes.container.hash",
  restartCount: "io.kubernetes.container.restartCount",
  terminationMessagePath: "io.kubernetes.container.terminationMessagePath",
  terminationMessagePolicy: "io.kubernetes.container.terminationMessagePolicy",
  podGracePeriod: "io.kubernetes.pod.terminationGracePeriod",
} as const;

/** Changes exactly when a running container must be replaced: as upstream since 1.31, by name and image alone. */
export function containerHash({ name, image }: Container | EphemeralContainer): string {
  return fnv32a(canonicalJson({ image, name })).toString(16);
}

/** Whether the running container is still what the spec says. */
export function containerChanged(container: Container | EphemeralContainer, status: ContainerStatus): boolean {
  const hash = status.annotations[annotationNames.hash];
  return hash !== undefined && hash !== containerHash(container);
}

/** The newest container of that name, whichever sandbox it is in. */
export function newestOf(state: PodState | undefined, name: string): ContainerStatus | undefined {
  return state?.containers.find((status) => status.name === name);
}

/** Every container of the spec. */
export function allContainers(pod: Pod): (Container | EphemeralContainer)[] {
  return [
    ...(pod.spec?.initContainers ?? []),
    ...(pod.spec?.containers ?? []),
    ...(pod.spec?.ephemeralContainers ?? []),
  ];
}

/** How often the container was restarted, as its annotation says. */
export function restartCountOf(status: ContainerStatus): number {
  return Number(status.annotations[annotationNames.restartCount] ?? status.attempt);
}

/** Upstream's ShouldContainerBeRestarted: by state, exit code and the pod's restartPolicy. */
export function shouldContainerBeRestarted(pod: Pod, status: ContainerStatus | undefined): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  if (status === undefined) return true;
  if (status.state === "running") return false;
  if (status.state === "unknown" || status.state === "created") return true;
  const policy = pod.spec?.restartPolicy ?? "Always";
  if (policy === "Never") return false;
  return policy === "Always" || status.exitCode !== 0;
}
