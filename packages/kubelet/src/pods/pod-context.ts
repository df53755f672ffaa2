// What the carrying-out half of the pod worker works with: one bundle, made in main.ts, shared by all workers.

import type { Pod } from "@picokube/api/core/v1";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { AllocatedPods } from "../allocation/allocated-pods.js";
import type { CgroupTree } from "../cgroups/pod-cgroup.js";
import type { Runtime } from "../cri/runtime.js";
import type { ImageManager } from "../images/image-manager.js";
import type { LogFiles } from "../logs/log-files.js";
import type { Instruments } from "../metrics/instruments.js";
import type { HostPort } from "../network/host-ports.js";
import type {
  ContainerEnvironment,
  KubeletSettings,
  ObjectSource,
  PodState,
  Prober,
  StatusManager,
  VolumeManager,
} from "../parts.js";
import type { CrashBackoff } from "./crash-backoff.js";
import type { PodEvents } from "./pod-events.js";
import type { PodFiles } from "./pod-files.js";
import type { RuntimeHandlerOf } from "./runtime-class.js";

export interface SandboxToWire {
  readonly id: string;
  /** Of a process in the network namespace. */
  readonly pid: number;
  readonly podName: string;
  readonly podNamespace: string;
  readonly podUid: string;
  readonly ports: readonly HostPort[];
}

/** The pod network as the worker sees it; the in-memory runtime brings its own. */
export interface SandboxNetwork {
  /** The address ahead of the sandbox; undefined where only wiring tells it. */
  reserve(owner: string): Promise<string | undefined>;
  addressOf(owner: string): string | undefined;
  /** Wires the sandbox, with its ports of the host, and resolves to its addresses. */
  attach(owner: string, sandbox: SandboxToWire): Promise<readonly string[]>;
  detach(owner: string): Promise<void>;
  owners(): string[];
  problems(): string[];
}

export interface PodContext {
  readonly settings: KubeletSettings;
  readonly runtime: Runtime;
  readonly network: SandboxNetwork;
  readonly images: ImageManager;
  readonly volumes: VolumeManager;
  readonly environment: ContainerEnvironment;
  readonly objects: ObjectSource;
  readonly prober: Prober;
  readonly runtimeHandlerOf: RuntimeHandlerOf;
  readonly statuses: StatusManager;
  readonly events: PodEvents;
  readonly instruments: Instruments;
  readonly files: PodFiles;
  readonly logs: LogFiles;
  readonly backoff: CrashBackoff;
  readonly allocations: AllocatedPods;
  /** The node's other pods that live, with what they were granted. */
  readonly otherPods: (podUid: string) => Pod[];
  /** Undefined: containers go where the engine puts them. */
  readonly cgroups: CgroupTree | undefined;
  readonly memoryCapacityBytes: number;
  /** Whether the runtime can mount read-only what lies below a mount, too. */
  readonly recursiveReadOnlyMounts: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What was last observed, by pod uid; written by observe alone. */
  readonly states: Map<string, PodState>;
}

/** Who holds a sandbox's address: one owner a sandbox, not a pod, for the old one may still be leaving. */
export function networkOwner({ podUid, attempt }: { podUid: string; attempt: number }): string {
  return `${podUid}/${attempt}`;
}
