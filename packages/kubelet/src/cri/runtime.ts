// The kubelet's runtime interface: what it asks of a container engine, in the CRI's terms. docker/ is one
// implementation, memory/ serves scale tests; contract.ts proves both. State lives in labels alone.

import type { Duplex, Readable } from "node:stream";

export type Labels = Readonly<Record<string, string>>;

export interface SandboxConfig {
  readonly podName: string;
  readonly podNamespace: string;
  readonly podUid: string;
  readonly attempt: number;
  readonly hostname: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  /** "host" shares the node's network; "pod" gets its own namespace, which the pod network then wires up. */
  readonly network: "pod" | "host";
  readonly hostPid: boolean;
  readonly hostIpc: boolean;
  readonly cgroupParent: string | undefined;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly runtimeHandler?: string;
}

export interface Sandbox {
  readonly id: string;
  readonly podName: string;
  readonly podNamespace: string;
  readonly podUid: string;
  readonly attempt: number;
  readonly ready: boolean;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Of the pause process; 0 when not running. /proc/<pid>/ns/net is the pod's network namespace. */
  readonly pid: number;
  readonly labels: Labels;
  readonly annotations: Labels;
}

export interface Mount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly readOnly: boolean;
  /** Of a read-only mount: what is mounted below is read-only too. */
  readonly recursiveReadOnly?: boolean;
  readonly propagation: "None" | "HostToContainer" | "Bidirectional";
}

/** In the engine's terms: shares, quota and period in microseconds, bytes. What is missing is not limited. */
export interface ContainerResources {
  readonly cpuShares?: number;
  readonly cpuQuotaUs?: number;
  readonly cpuPeriodUs?: number;
  readonly memoryLimitBytes?: number;
}

export interface ContainerConfig {
  readonly name: string;
  readonly attempt: number;
  /** Image reference or id as imageStatus returned it. */
  readonly image: string;
  readonly command: readonly string[] | undefined;
  readonly args: readonly string[] | undefined;
  readonly workingDir: string | undefined;
  /** NAME=value, expanded. */
  readonly env: readonly string[];
  readonly mounts: readonly Mount[];
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly resources: ContainerResources & { readonly oomScoreAdj: number };
  readonly security: {
    readonly privileged: boolean;
    /** "uid", "uid:gid" or undefined for the image's own. */
    readonly user: string | undefined;
    readonly groups: readonly number[];
    readonly readOnlyRootFilesystem: boolean;
    readonly noNewPrivileges: boolean;
    readonly addCapabilities: readonly string[];
    readonly dropCapabilities: readonly string[];
    /** "unconfined", "runtime/default" or a file's path. */
    readonly seccomp: string | undefined;
    readonly appArmor: string | undefined;
    /** "pod" shares the sandbox's, "container:<id>" another's, "container" has its own. */
    readonly pidMode: string;
  };
  readonly stopSignal?: string;
}

export type ContainerState = "created" | "running" | "exited" | "unknown";

export interface ContainerStatus {
  readonly id: string;
  readonly sandboxId: string;
  readonly podUid: string;
  readonly podName: string;
  readonly podNamespace: string;
  readonly name: string;
  readonly attempt: number;
  readonly state: ContainerState;
  /** What the pod named, and the engine's digest or id of it. */
  readonly image: string;
  readonly imageId: string;
  readonly createdAt: number;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** The engine's own account of a failure to start. */
  readonly error: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly mounts: readonly Mount[];
  /** What it has now. */
  readonly resources: ContainerResources;
  /** Where the engine writes its json-file log on this host. */
  readonly logPath?: string;
}

export interface RuntimeEvent {
  readonly type: "started" | "died" | "created" | "removed" | "oom";
  readonly containerId: string;
  readonly podUid: string;
}

export interface ImageInfo {
  readonly id: string;
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  readonly sizeBytes: number;
  /** USER of the image: a uid, or a name. */
  readonly user: string;
  /** Where it came from: a registry; this host, by a build or a load; or one of the two, where the engine cannot tell. */
  readonly origin: "registry" | "host" | "unknown";
  /** The runtime itself needs it: it is never collected. */
  readonly pinned?: boolean;
}

export interface ExecResult {
  readonly exitCode: number;
  /** First what went to stdout, then stderr; each is cut at 1 MiB. */
  readonly output: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

export interface ExecSession {
  /** Carries both ways: raw for a tty; otherwise stdout and stderr stand apart. */
  readonly stdin: NodeJS.WritableStream | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable | undefined;
  resize(size: { width: number; height: number }): Promise<void>;
  /** Exit code once it has ended; attach resolves to the container's, or undefined when only the stream ended. */
  readonly exited: Promise<number | undefined>;
  close(): void;
}

export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  /** Milliseconds since the epoch. */
  readonly sinceMs?: number;
}

export interface ImagePullProgress {
  readonly message: string;
}

export interface ContainerFigures {
  readonly containerId: string;
  readonly cpuNanos: number;
  readonly memoryBytes: number;
  readonly memoryWorkingSetBytes: number;
  readonly processes: number;
  /** What only cAdvisor's metrics and the summary tell. */
  readonly details?: {
    readonly cpuUserNanos: number;
    readonly cpuSystemNanos: number;
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly throttledNanos: number;
    readonly memoryRssBytes: number;
    readonly memoryCacheBytes: number;
    readonly memoryMaxBytes: number;
    readonly memoryFailures: number;
    readonly memoryLimitBytes: number;
    readonly swapBytes: number;
    readonly pageFaults: number;
    readonly majorPageFaults: number;
    readonly deviceIo: readonly DeviceIo[];
  };
}

/** What was read from, or written to, one block device. */
export interface DeviceIo {
  readonly major: number;
  readonly minor: number;
  readonly operation: "Read" | "Write";
  readonly bytes: number;
  readonly count: number;
}

export interface DiskFigures {
  readonly bytes: number;
  readonly inodes: number;
}

/** Failures are Errors whose message is the engine's; a missing container or image is a RuntimeNotFound. */
export interface Runtime {
  version(): Promise<{ runtimeName: string; runtimeVersion: string; apiVersion: string }>;
  /** The runtimes that the engine knows by name. */
  runtimeHandlers(): Promise<string[]>;
  /** Whether it can mount read-only what lies below a mount, too. */
  recursiveReadOnlyMounts(): Promise<boolean>;
  /** Which driver makes the containers' cgroups. */
  cgroupDriver(): Promise<"cgroupfs" | "systemd">;
  runSandbox(config: SandboxConfig): Promise<string>;
  stopSandbox(id: string): Promise<void>;
  removeSandbox(id: string): Promise<void>;
  sandboxStatus(id: string): Promise<Sandbox>;
  listSandboxes(filter?: { podUid?: string }): Promise<Sandbox[]>;
  createContainer(sandboxId: string, config: ContainerConfig): Promise<string>;
  startContainer(id: string): Promise<void>;
  /** The engine's stop signal, then SIGKILL after graceSeconds. Idempotent. */
  stopContainer(id: string, graceSeconds: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  /** Changes a running container's resources in place. */
  updateContainer(id: string, resources: ContainerResources): Promise<void>;
  listContainers(filter?: { podUid?: string }): Promise<ContainerStatus[]>;
  containerStatus(id: string): Promise<ContainerStatus>;
  /** Runs to its end or the timeout. */
  execSync(id: string, command: readonly string[], timeoutMs: number): Promise<ExecResult>;
  exec(id: string, options: { command: readonly string[]; tty: boolean; stdin: boolean }): Promise<ExecSession>;
  attach(id: string, options: { stdin: boolean }): Promise<ExecSession>;
  /** Both streams of it, in the order they came. */
  logs(id: string, options: LogOptions, signal: AbortSignal): Promise<Readable>;
  /** A byte stream to a TCP port on the sandbox's loopback. */
  portForward(sandboxId: string, port: number): Promise<Duplex>;
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
  imageStatus(image: string): Promise<ImageInfo | undefined>;
  listImages(): Promise<ImageInfo[]>;
  pullImage(
    image: string,
    options: {
      auth?: { username: string; password: string; serverAddress: string };
      signal: AbortSignal;
      onProgress?: (progress: ImagePullProgress) => void;
    },
  ): Promise<string>;
  /** With all its names. */
  removeImage(id: string): Promise<void>;
  /** Ids of images that any container of the engine was made from, running or not, of whomever. */
  imagesInUse(): Promise<ReadonlySet<string>>;
  stats(): Promise<ContainerFigures[]>;
  /** What the container's writable layer and its log take on disk; walks the layer. */
  containerDiskUsage(id: string): Promise<{ rootfs: DiskFigures; logs: DiskFigures }>;
  /** The directory that holds images and writable layers. */
  imageDirectory(): Promise<string>;
}
