// A pod's status out of what the runtime shows and what the worker remembers. Mirrors upstream's
// generateAPIPodStatus and convertToAPIContainerStatuses. Pure.

import type {
  Container,
  ContainerState,
  ContainerStatus,
  EphemeralContainer,
  Pod,
  PodCondition,
  PodStatus,
} from "@picokube/api/core/v1";
import { isSidecar, podCondition, qosClass } from "@picokube/api/pod";
import { formatTime } from "@picokube/api/time";
import { shownResources } from "../allocation/container-resize.js";
import type { ContainerStatus as RuntimeStatus } from "../cri/runtime.js";
import type { PodState } from "../parts.js";
import { mountStatuses } from "../volumes/recursive-read-only.js";
import { newestOf, restartCountOf, shouldContainerBeRestarted } from "./container-spec.js";
import { apiContainerId, containerStateOf, messageLimitBytes } from "./container-state.js";
import { podConditions } from "./pod-conditions.js";
import { type Phase, type PhaseInputs, podPhase } from "./pod-phase.js";
import { lostState, terminatedStatuses } from "./terminated-statuses.js";

export interface PodStatusInputs {
  readonly pod: Pod;
  readonly state: PodState;
  /** The status generated before, or the API's. */
  readonly old: PodStatus | undefined;
  /** Why a container could not start, by container name. */
  readonly failures: ReadonlyMap<string, { reason: string; message: string }>;
  readonly readiness: (containerId: string) => boolean | undefined;
  readonly startup: (containerId: string) => boolean | undefined;
  /** Last words of an exited container, by its id. */
  readonly terminationMessage: (containerId: string) => string;
  readonly hostIps: readonly string[];
  /** Whether the runtime has them. */
  readonly recursiveReadOnlyMounts?: boolean;
  readonly nowMs: number;
  /** Nothing of the pod runs, nor will it again. */
  readonly terminal: boolean;
  readonly resizeConditions?: readonly PodCondition[];
  /** Set by who ended the pod: eviction, deadline, admission. */
  readonly verdict?: {
    readonly phase: "Failed";
    readonly reason: string;
    readonly message: string;
    readonly refused?: boolean;
    readonly conditions?: readonly PodCondition[];
  };
}

type AnyContainer = Container | EphemeralContainer;

/** How the container before this one ended, where the runtime no longer knows. */
function rememberedEnd(old: ContainerStatus | undefined, containerId: string): ContainerState {
  if (old?.containerID === undefined || old.containerID === containerId) return old?.lastState ?? {};
  if (old.state?.terminated) return { terminated: old.state.terminated };
  // One that waited had ended before.
  return old.state?.waiting ? (old.lastState ?? {}) : {};
}

/** The status of one container. */
function containerStatus(
  inputs: PodStatusInputs,
  { container, old, isInit }: { container: AnyContainer; old: ContainerStatus | undefined; isInit: boolean },
): ContainerStatus {
  const { pod, state } = inputs;
  const [current, previous] = state.containers.filter(({ name }) => name === container.name);
  const waitsForInit = (pod.spec?.initContainers ?? []).length > 0;
  const volumeMounts = mountStatuses(container, inputs.recursiveReadOnlyMounts === true);
  const limitBytes = messageLimitBytes(pod);
  const stateOf = (ofRuntime: RuntimeStatus) =>
    containerStateOf(ofRuntime, { said: inputs.terminationMessage(ofRuntime.id), limitBytes });
  const status: ContainerStatus = {
    name: container.name,
    image: container.image ?? "",
    imageID: "",
    ready: false,
    restartCount: old?.restartCount ?? 0,
    started: false,
    state: { waiting: { reason: waitsForInit ? "PodInitializing" : "ContainerCreating" } },
    lastState: {},
    ...(volumeMounts.length > 0 ? { volumeMounts } : {}),
  };
  if (current) {
    status.image = current.image;
    status.imageID = current.imageId;
    status.containerID = apiContainerId(current.id);
    status.restartCount = Math.max(restartCountOf(current), status.restartCount);
    status.state = stateOf(current);
    status.lastState = previous?.state === "exited" ? stateOf(previous) : rememberedEnd(old, status.containerID);
  } else if (old?.state?.terminated) {
    // Collected since: what was known of it stays.
    return { ...old, ready: isInit && old.state.terminated.exitCode === 0, started: false };
  } else if (old?.state?.running) {
    status.lastState = lostState(
      "The container could not be located when the pod was deleted.  The container used to be Running",
    );
    if (!pod.metadata.deletionTimestamp) status.restartCount++;
  } else if (old?.lastState) status.lastState = old.lastState;
  return status;
}

/** A container about to be started again shows why it has not been yet. */
function showFailure(inputs: PodStatusInputs, container: AnyContainer, status: ContainerStatus): void {
  const failure = inputs.failures.get(container.name);
  const current = newestOf(inputs.state, container.name);
  if (!failure || inputs.terminal || !shouldContainerBeRestarted(inputs.pod, current)) return;
  if (status.state?.terminated) status.lastState = status.state;
  status.state = {
    waiting: { reason: failure.reason, ...(failure.message === "" ? {} : { message: failure.message }) },
  };
}

function setReadiness(
  inputs: PodStatusInputs,
  { container, status, old }: { container: Container; status: ContainerStatus; old: ContainerStatus | undefined },
): void {
  const id = newestOf(inputs.state, container.name)?.id;
  if (!status.state?.running || id === undefined) return;
  // A kubelet that starts anew knows no verdicts yet: those of the same container still stand.
  const known = old?.containerID === status.containerID ? old : undefined;
  status.started = container.startupProbe === undefined || (inputs.startup(id) ?? known?.started === true);
  status.ready =
    status.started && (container.readinessProbe === undefined || (inputs.readiness(id) ?? known?.ready === true));
}

function statusesOf(
  inputs: PodStatusInputs,
  containers: readonly AnyContainer[],
  { olds, isInit }: { olds: readonly ContainerStatus[] | undefined; isInit: boolean },
): ContainerStatus[] {
  return containers.map((container) => {
    const old = olds?.find(({ name }) => name === container.name);
    const status = containerStatus(inputs, { container, old, isInit: isInit && !isSidecar(container as Container) });
    showFailure(inputs, container, status);
    if (!isInit || isSidecar(container as Container)) {
      setReadiness(inputs, { container: container as Container, status, old });
    } else status.ready = status.state?.terminated?.exitCode === 0;
    return withResources(inputs, container as Container, status);
  });
}

/** Ephemeral containers have none to tell of. */
function withResources(
  { pod, state }: PodStatusInputs,
  container: Container,
  status: ContainerStatus,
): ContainerStatus {
  if (pod.spec?.ephemeralContainers?.some(({ name }) => name === container.name)) return status;
  const { requests } = container.resources ?? {};
  return {
    ...status,
    ...(requests && Object.keys(requests).length > 0 ? { allocatedResources: requests } : {}),
    resources: shownResources(container, newestOf(state, container.name)),
  };
}

/** One that has ended without having become either is Failed. */
function phaseOf(pod: Pod, inputs: PhaseInputs): Phase {
  const phase = podPhase(pod, inputs);
  return inputs.terminal && phase !== "Succeeded" ? "Failed" : phase;
}

/** Upstream's gate PodObservedGenerationTracking is off in 1.33: generations are told only where somebody already did. */
const observed = ({ metadata: { generation } }: Pod) =>
  generation === undefined ? {} : { observedGeneration: generation };

/** The whole status; conditions without transition times. */
export function generatePodStatus(inputs: PodStatusInputs): PodStatus {
  const { pod, state, old, hostIps, verdict, terminal } = inputs;
  const startTime = old?.startTime ?? formatTime(inputs.nowMs);
  if (verdict?.refused) {
    // Upstream's rejectPod: of containers that were never wanted here there is nothing to tell.
    const { phase, reason, message } = verdict;
    return { phase, reason, message, startTime, qosClass: qosClass(pod) };
  }
  const oldPhase = old?.phase;
  const ended = oldPhase === "Failed" || oldPhase === "Succeeded";
  // Refused by an earlier kubelet, or ended before it ever came here: the API's word stands.
  if (old && ended && !old.containerStatuses?.length && state.containers.length === 0) return old;
  const found = {
    initStatuses: statusesOf(inputs, pod.spec?.initContainers ?? [], {
      olds: old?.initContainerStatuses,
      isInit: true,
    }),
    statuses: statusesOf(inputs, pod.spec?.containers ?? [], { olds: old?.containerStatuses, isInit: false }),
  };
  const ephemeral = statusesOf(inputs, pod.spec?.ephemeralContainers ?? [], {
    olds: old?.ephemeralContainerStatuses,
    isInit: false,
  });
  const { initStatuses, statuses } = terminal ? terminatedStatuses(pod, found) : found;
  const phase = verdict?.phase ?? (ended ? oldPhase : phaseOf(pod, { initStatuses, statuses, terminal }));
  const sandboxReady = state.sandboxes[0]?.ready === true && state.podIps.length > 0;
  const podIps = state.podIps.length > 0 ? state.podIps : (old?.podIPs ?? []).map(({ ip }) => ip);
  const reason = verdict?.reason ?? old?.reason;
  const message = verdict?.message ?? old?.message;
  return {
    phase,
    ...(pod.status?.observedGeneration ? observed(pod) : {}),
    conditions: [
      ...podConditions({ pod, phase, initStatuses, statuses, sandboxReady }),
      ...(inputs.resizeConditions ?? []),
      ...(verdict?.conditions ?? []),
    ].map((condition) => {
      const shown = podCondition(pod.status, condition.type);
      return shown?.observedGeneration ? { ...condition, ...observed(pod) } : condition;
    }),
    ...(message ? { message } : {}),
    ...(reason ? { reason } : {}),
    ...(hostIps[0] === undefined ? {} : { hostIP: hostIps[0], hostIPs: hostIps.map((ip) => ({ ip })) }),
    ...(podIps[0] === undefined ? {} : { podIP: podIps[0], podIPs: podIps.map((ip) => ({ ip })) }),
    startTime,
    ...(initStatuses.length === 0 ? {} : { initContainerStatuses: initStatuses }),
    containerStatuses: statuses.sort((a, b) => (a.name < b.name ? -1 : 1)),
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral }),
    qosClass: qosClass(pod),
  };
}
