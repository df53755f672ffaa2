// Builders of what a runtime shows, for the tests of this folder. Imported by tests alone.

import type { Container, Pod, PodSpec } from "@picokube/api/core/v1";
import { containerLimits } from "../cgroups/container-resources.js";
import type { ContainerResources, ContainerState, ContainerStatus, Sandbox } from "../cri/runtime.js";
import type { PodState } from "../parts.js";
import { annotationNames, containerHash } from "./container-spec.js";

/** A pod with a container "c" of image "i" unless the spec says otherwise. */
export function testPod(spec: Partial<PodSpec> = {}): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "web",
      namespace: "default",
      uid: "uid-1",
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    spec: { containers: [{ name: "c", image: "i" }], ...spec },
  };
}

/** A sandbox of testPod. */
export function testSandbox({ id = "s0", attempt = 0, ready = true }: Partial<Sandbox> = {}): Sandbox {
  const pod = { podName: "web", podNamespace: "default", podUid: "uid-1" };
  return { ...pod, id, attempt, ready, createdAt: attempt, pid: 1, labels: {}, annotations: {} };
}

export interface ObservedContainer {
  readonly container?: Container;
  readonly state: ContainerState;
  readonly exitCode?: number;
  readonly attempt?: number;
  readonly sandboxId?: string;
  readonly hash?: string;
  readonly resources?: ContainerResources;
}

/** A container of testPod as the runtime shows it; its id is "<name>-<attempt>". */
export function testContainer({
  container = { name: "c", image: "i" },
  state,
  exitCode = 0,
  attempt = 0,
  sandboxId = "s0",
  hash = containerHash(container),
  resources = containerLimits(container),
}: ObservedContainer): ContainerStatus {
  return {
    id: `${container.name}-${attempt}`,
    sandboxId,
    podUid: "uid-1",
    podName: "web",
    podNamespace: "default",
    name: container.name,
    attempt,
    state,
    image: container.image ?? "",
    imageId: "docker://sha256:1",
    createdAt: 1000 + attempt,
    startedAt: state === "created" ? 0 : 2000 + attempt,
    finishedAt: state === "exited" ? 3000 + attempt : 0,
    exitCode,
    oomKilled: false,
    error: "",
    labels: {},
    annotations: { [annotationNames.hash]: hash, [annotationNames.restartCount]: String(attempt) },
    mounts: [],
    resources,
  };
}

/** A PodState of these, newest first as given. */
export function testState(
  containers: readonly ContainerStatus[],
  sandboxes: readonly Sandbox[] = [testSandbox()],
): PodState {
  return { podUid: "uid-1", sandboxes, containers, podIps: sandboxes[0]?.ready ? ["10.0.0.2"] : [] };
}
