// From the runtime interface's configs to the body of Docker's create call. Pure; decides nothing of its own beyond
// what Docker needs to be told.

import { readFileSync } from "node:fs";
import type { ContainerCreateOptions } from "dockerode";
import type { ContainerConfig, Sandbox, SandboxConfig } from "../runtime.js";
import { mountSettings } from "./mount-settings.js";
import { containerLabels, containerName, sandboxLabels, sandboxName } from "./names.js";
import { pauseImageName } from "./pause-image.js";

const sandboxOomScoreAdj = -998;

/** The engine's own log, which \`kubectl logs\` reads. */
function logConfig({ maxSizeBytes, maxFiles }: LogLimits) {
  return { Type: "json-file", Config: { "max-size": String(maxSizeBytes), "max-file": String(maxFiles) } };
}

/** The pause container of a pod. With network "pod" it starts with loopback alone. */
export function sandboxCreateOptions(
  config: SandboxConfig,
  { scope, lowestOomScore, logLimits }: { scope: string; lowestOomScore: number; logLimits: LogLimits },
): ContainerCreateOptions {
  const hostNetwork = config.network === "host";
  return {
    name: sandboxName(config),
    Image: pauseImageName,
    Labels: sandboxLabels(config, scope),
    ...(hostNetwork ? {} : { Hostname: config.hostname }),
    HostConfig: {
      NetworkMode: hostNetwork ? "host" : "none",
      IpcMode: config.hostIpc ? "host" : "shareable",
      ...(config.hostPid ? { PidMode: "host" } : {}),
      ...(hostNetwork ? { UTSMode: "host" } : {}),
      ...(config.cgroupParent === undefined ? {} : { CgroupParent: config.cgroupParent }),
      ...(Object.keys(config.sysctls).length > 0 ? { Sysctls: { ...config.sysctls } } : {}),
      ...(config.runtimeHandler ? { Runtime: config.runtimeHandler } : {}),
      OomScoreAdj: Math.max(sandboxOomScoreAdj, lowestOomScore),
      CpuShares: 2,
      SecurityOpt: ["no-new-privileges"],
      LogConfig: logConfig(logLimits),
    },
  };
}

/** The profile for the engine; a file that cannot be read is told as dockershim told it. */
function seccomp(profile: string | undefined, container: string): string[] {
  if (profile === "runtime/default") return [];
  if (profile === undefined || profile === "unconfined") return ["seccomp=unconfined"];
  try {
    return [`seccomp=${readFileSync(profile, "utf8")}`];
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    const why = missing ? `open ${profile}: no such file or directory` : (cause as Error).message;
    const options = "failed to generate seccomp security options for container";
    throw new Error(
      `failed to generate security options for container "${container}": ${options}: cannot load seccomp profile "localhost/${profile}": ${why}`,
      { cause },
    );
  }
}

function securityOptions({ name, security }: ContainerConfig): string[] {
  return [
    ...(security.privileged ? [] : seccomp(security.seccomp, name)),
    ...(security.appArmor === undefined || security.appArmor === "runtime/default"
      ? []
      : [`apparmor=${security.appArmor}`]),
    ...(security.noNewPrivileges ? ["no-new-privileges"] : []),
  ];
}

function pidMode(mode: string, sandbox: Sandbox): string {
  if (mode === "pod") return `container:${sandbox.id}`;
  return mode === "container" ? "" : mode;
}

/** One container of a pod, joined to the sandbox's network and IPC namespaces. */
export function containerCreateOptions(
  config: ContainerConfig,
  {
    sandbox,
    hostNetwork,
    scope,
    cgroupParent,
    lowestOomScore,
    logLimits,
    runtime,
    recursiveReadOnly = false,
  }: ContainerPlace,
): ContainerCreateOptions {
  const { resources, security } = config;
  return {
    name: containerName(sandbox, config),
    Image: config.image,
    Labels: containerLabels(config, { pod: sandbox, sandboxId: sandbox.id, scope }),
    ...(config.command === undefined ? {} : { Entrypoint: [...config.command] }),
    ...(config.args === undefined ? {} : { Cmd: [...config.args] }),
    ...(config.workingDir ? { WorkingDir: config.workingDir } : {}),
    ...(security.user === undefined ? {} : { User: security.user }),
    ...(config.stopSignal ? { StopSignal: config.stopSignal } : {}),
    Env: [...config.env],
    Tty: config.tty,
    OpenStdin: config.stdin,
    StdinOnce: config.stdinOnce,
    Healthcheck: { Test: ["NONE"] },
    HostConfig: {
      NetworkMode: `container:${sandbox.id}`,
      IpcMode: `container:${sandbox.id}`,
      PidMode: pidMode(security.pidMode, sandbox),
      ...(hostNetwork ? { UTSMode: "host" } : {}),
      ...(cgroupParent === undefined ? {} : { CgroupParent: cgroupParent }),
      ...(runtime ? { Runtime: runtime } : {}),
      Mounts: config.mounts.map((mount) => mountSettings(mount, { recursiveReadOnly })),
      ...(resources.cpuShares === undefined ? {} : { CpuShares: resources.cpuShares }),
      ...(resources.cpuQuotaUs === undefined ? {} : { CpuQuota: resources.cpuQuotaUs }),
      ...(resources.cpuPeriodUs === undefined ? {} : { CpuPeriod: resources.cpuPeriodUs }),
      ...(resources.memoryLimitBytes === undefined
        ? {}
        : { Memory: resources.memoryLimitBytes, MemorySwap: resources.memoryLimitBytes }),
      OomScoreAdj: Math.max(resources.oomScoreAdj, lowestOomScore),
      Privileged: security.privileged,
      ReadonlyRootfs: security.readOnlyRootFilesystem,
      GroupAdd: security.groups.map(String),
      CapAdd: [...security.addCapabilities],
      CapDrop: [...security.dropCapabilities],
      SecurityOpt: securityOptions(config),
      LogConfig: logConfig(logLimits),
    },
  };
}

/** How much of a container's log the engine keeps; a negative size: all of it. */
export interface LogLimits {
  readonly maxSizeBytes: number;
  readonly maxFiles: number;
}

/** Where a container is put. */
export interface ContainerPlace {
  readonly sandbox: Sandbox;
  readonly hostNetwork: boolean;
  readonly scope: string;
  readonly cgroupParent: string | undefined;
  readonly lowestOomScore: number;
  readonly logLimits: LogLimits;
  /** Whether the engine has read-only mounts that are so all the way down. */
  readonly recursiveReadOnly?: boolean;
  /** The sandbox's: a pod runs on one. */
  readonly runtime?: string | undefined;
}
