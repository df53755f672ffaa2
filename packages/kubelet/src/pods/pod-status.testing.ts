// The status of testPod, for tests of what the API shows of a pod. Imported by tests alone.

import type { PodSpec, PodStatus } from "@picokube/api/core/v1";
import type { ContainerStatus } from "../cri/runtime.js";
import { testPod, testState } from "./observed.js";
import { generatePodStatus, type PodStatusInputs } from "./pod-status.js";

/** deleted: whether the API asks for the pod's end. */
export type TestStatusInputs = Partial<PodStatusInputs> & { spec?: Partial<PodSpec>; deleted?: boolean };

/** What is generated of these containers; nothing failed or was probed unless the inputs say so. */
export function testStatus(
  containers: readonly ContainerStatus[],
  { spec, deleted, ...more }: TestStatusInputs = {},
): PodStatus {
  const pod = testPod(spec);
  if (deleted) pod.metadata.deletionTimestamp = "2026-01-01T00:01:00Z";
  return generatePodStatus({
    pod,
    state: testState(containers),
    old: undefined,
    failures: new Map(),
    readiness: () => undefined,
    startup: () => undefined,
    terminationMessage: () => "",
    hostIps: ["192.168.1.1"],
    nowMs: Date.UTC(2026, 0, 1),
    terminal: false,
    ...more,
  });
}
