// The kubelet's inner walls: what its parts ask of one another. main.ts alone constructs; no part imports another's
// factory, only these types. Holds no behaviour but two error classes.

import type {
  ConfigMap,
  Container,
  EphemeralContainer,
  Node,
  Pod,
  PodStatus,
  Secret,
  Service,
  ServiceAccount,
} from "@picokube/api/core/v1";
import type { ContainerStatus, Mount, Sandbox } from "./cri/runtime.js";
import type { Threshold } from "./eviction/thresholds.js";
import type { ShutdownPeriod } from "./nodeshutdown/shutdown-groups.js";

/** What of ended containers is kept: upstream's container GC policy. */
export interface DeadContainerPolicy {
  /** Of each container of a pod; negative: all. */
  readonly maxPerContainer: number;
  /** In all; negative: no limit. */
  readonly max: number;
  /** Younger ones stay. */
  readonly minAgeMs: number;
}

/** What the kubelet runs with: flags laid over KubeletConfiguration v1beta1. */
export interface KubeletSettings {
  /** All of it as a KubeletConfiguration: what /configz shows. */
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly nodeName: string;
  readonly nodeIps: readonly string[];
  /** Those that --node-ip said; the others were found. */
  readonly nodeIpsGiven: readonly string[];
  readonly rootDir: string;
  readonly dockerEndpoint: string;
  readonly podBridge: string;
  /** Of the kubelet's own iptables chains; undefined: it makes none. */
  readonly chainPrefix: string | undefined;
  readonly cniConfDir: string;
  readonly cniBinDirs: readonly string[];
  /** Used until, or instead of, node.spec.podCIDR. */
  readonly podCidr: string | undefined;
  readonly registerNode: boolean;
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly registerWithTaints: readonly { key: string; value?: string; effect: string }[];
  readonly providerId: string | undefined;
  /** A cloud controller manager completes this node: it registers tainted, and its addresses are the cloud's. */
  readonly externalCloud: boolean;
  readonly address: string;
  readonly port: number;
  readonly healthzBindAddress: string;
  readonly healthzPort: number;
  readonly tlsCertFile: string | undefined;
  readonly tlsPrivateKeyFile: string | undefined;
  readonly clientCaFile: string | undefined;
  /** Where certificates that the API server signed lie. */
  readonly certDir: string;
  readonly rotateCertificates: boolean;
  readonly serverTlsBootstrap: boolean;
  readonly anonymousAuth: boolean;
  readonly webhookAuthentication: boolean;
  readonly authorizationMode: "Webhook" | "AlwaysAllow";
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly resolvConf: string;
  readonly maxPods: number;
  readonly podPidsLimit: number;
  readonly allowedUnsafeSysctls: readonly string[];
  readonly podLogsDir: string;
  readonly containerLogMaxSizeBytes: number;
  readonly containerLogMaxFiles: number;
  readonly staticPodPath: string | undefined;
  readonly staticPodUrl: string | undefined;
  readonly staticPodUrlHeader: Readonly<Record<string, string>>;
  readonly cgroupDriver: "cgroupfs" | "systemd" | undefined;
  readonly cgroupRoot: string;
  readonly cgroupsPerQos: boolean;
  readonly syncFrequencyMs: number;
  readonly runtimeRequestTimeoutMs: number;
  readonly fileCheckFrequencyMs: number;
  readonly httpCheckFrequencyMs: number;
  readonly nodeStatusUpdateFrequencyMs: number;
  readonly nodeStatusReportFrequencyMs: number;
  readonly nodeLeaseDurationSeconds: number;
  /** -1: all. */
  readonly nodeStatusMaxImages: number;
  readonly serializeImagePulls: boolean;
  readonly maxParallelImagePulls: number | undefined;
  readonly imagePullProgressDeadlineMs: number;
  readonly evictionHard: Readonly<Record<string, string>>;
  /** Hard and soft ones, parsed. */
  readonly evictionThresholds: readonly Threshold[];
  readonly evictionPressureTransitionPeriodMs: number;
  readonly evictionMaxPodGracePeriodSeconds: number;
  readonly enforceNodeAllocatable: readonly string[];
  readonly systemReserved: Readonly<Record<string, string>>;
  readonly kubeReserved: Readonly<Record<string, string>>;
  readonly imageGcHighThresholdPercent: number;
  readonly imageGcLowThresholdPercent: number;
  readonly imageMinimumGcAgeMs: number;
  /** 0: an unused image is never too old. */
  readonly imageMaximumGcAgeMs: number;
  /** When the node shuts down, lowest priority first; empty: pods are not waited for. */
  readonly shutdownPeriods: readonly ShutdownPeriod[];
  readonly enableServer: boolean;
  readonly enableDebuggingHandlers: boolean;
  /** /logs/. */
  readonly enableSystemLogHandler: boolean;
  /** How long answers of TokenReview and SubjectAccessReview are remembered. */
  readonly tokenTtlMs: number;
  readonly authorizedTtlMs: number;
  readonly unauthorizedTtlMs: number;
  /** The kubelet's own. */
  readonly oomScoreAdj: number;
  readonly failSwapOn: boolean;
  /** Whether the node has ephemeral storage to count, and pods limits of it to keep. */
  readonly localStorageCapacityIsolation: boolean;
  /** RuntimeDefault for those who name no seccomp profile. */
  readonly seccompDefault: boolean;
  /** Disks of pods are walked no more often; negative: never. */
  readonly volumeStatsAggPeriodMs: number;
  readonly deadContainers: DeadContainerPolicy;
  readonly streamingConnectionIdleTimeoutMs: number;
}

/** What the runtime shows of one pod, newest attempt first in both arrays. */
export interface PodState {
  readonly podUid: string;
  readonly sandboxes: readonly Sandbox[];
  readonly containers: readonly ContainerStatus[];
  /** Of the ready sandbox; the node's for hostNetwork. Empty before the network is up. */
  readonly podIps: readonly string[];
}

/** The pods of this node as the kubelet knows them. */
export interface PodLookup {
  podByName(namespace: string, name: string): Pod | undefined;
  podByUid(uid: string): Pod | undefined;
  /** Every pod that should run here, static ones included. */
  pods(): Pod[];
  /** As last observed; undefined when the runtime has nothing of it. */
  state(podUid: string): PodState | undefined;
  /** As last generated here: newer than the API's. */
  status(podUid: string): PodStatus | undefined;
}

/** Objects of the API that pods refer to. Rejections are StatusErrors. */
export interface ObjectSource {
  configMap(namespace: string, name: string): Promise<ConfigMap>;
  secret(namespace: string, name: string): Promise<Secret>;
  serviceAccount(namespace: string, name: string): Promise<ServiceAccount>;
  /** Of the namespace, from the informer. */
  services(namespace: string): Service[];
  node(): Node | undefined;
}

/** Becomes the event FailedMount; the message is upstream's. */
export class VolumeError extends Error {
  override readonly name = "VolumeError";
}

/** Becomes the waiting reason CreateContainerConfigError; the message is upstream's. */
export class ContainerConfigError extends Error {
  override readonly name = "ContainerConfigError";
}

export interface PodVolumes {
  /** volumeMounts of the container with subPath resolved; throws ContainerConfigError. */
  mountsFor(container: Container | EphemeralContainer): Promise<Mount[]>;
}

/** volumes/volume-manager.ts: createVolumeManager. */
export interface VolumeManager {
  /** Mounts everything the pod needs; idempotent and quick when all is mounted. Throws a VolumeError, or an AggregateError of several. */
  prepare(pod: Pod, signal: AbortSignal): Promise<PodVolumes>;
  /** A pod that has its sandbox, as the API has it now: files that tell of its labels and annotations follow, and all that
   *  follow something do so for a pod that ran before this kubelet, too. */
  update(pod: Pod): void;
  /** Unmounts and deletes; idempotent. Called when all containers have ended for good. */
  release(podUid: string): Promise<void>;
  /** Pod uids that have something on disk: the orphan sweep compares them with the known pods. */
  podsOnDisk(): Promise<string[]>;
  /** Refreshes ConfigMap, Secret, projected and downward volumes of prepared pods. */
  run(signal: AbortSignal): Promise<void>;
}

export interface EnvironmentSources {
  readonly objects: ObjectSource;
  readonly nodeName: string;
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
}

/** env/container-environment.ts: containerEnvironment. NAME=value, expanded, service links first. Throws ContainerConfigError. */
export type ContainerEnvironment = (
  pod: Pod,
  container: Container | EphemeralContainer,
  sources: EnvironmentSources,
) => Promise<string[]>;

export interface ProbeResult {
  readonly podUid: string;
  readonly containerName: string;
  readonly containerId: string;
  readonly probe: "liveness" | "readiness" | "startup";
  readonly success: boolean;
  /** For liveness and startup failures: the worker restarts the container. */
  readonly message: string;
}

/** prober/prober.ts: createProber. Container ids are the runtime's, without "docker://". */
export interface Prober {
  /** Starts workers for the pod's probes; idempotent. They read PodLookup.state to find the running container. */
  addPod(pod: Pod): void;
  /** The pod is terminating: only readiness goes on. */
  stopLivenessAndStartup(podUid: string): void;
  removePod(podUid: string): void;
  /** Called when a result changes (past its threshold). Returns the function that removes the listener. */
  onResult(listener: (result: ProbeResult) => void): () => void;
  /** Last verdict; undefined: no probe, or none yet. */
  readiness(containerId: string): boolean | undefined;
  startup(containerId: string): boolean | undefined;
  liveness(containerId: string): boolean | undefined;
}

/** status/status-manager.ts: createStatusManager. */
export interface StatusManager {
  /** Patches /status when it differs from the API's; newest wins, never blocks. */
  set(pod: Pod, status: PodStatus): void;
  get(podUid: string): PodStatus | undefined;
  /** All containers have ended and volumes are gone: patch, then delete with grace 0 if the pod is being deleted. */
  terminate(pod: Pod, status: PodStatus): void;
  /** The API has forgotten the pod. */
  forget(podUid: string): void;
  run(signal: AbortSignal): Promise<void>;
}

/** node/node-agent.ts: createNodeAgent. Registration, Lease, node status. */
export interface NodeAgent {
  run(signal: AbortSignal): Promise<void>;
}

/** What the node's Ready condition and healthz depend on. */
export interface RuntimeHealth {
  /** Empty when all is well, otherwise upstream's sentence ("container runtime is down", "PLEG is not healthy: ..."). */
  problems(): string[];
  /** Empty when the pod network is up. */
  networkProblems(): string[];
}

/** server/server.ts: createServer. The HTTPS server on 10250. */
export interface Server {
  /** Listens, and resolves when shut down. */
  run(signal: AbortSignal): Promise<void>;
}
