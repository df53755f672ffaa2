// From Docker's inspect documents to the runtime interface's types. Pure.

import type { ContainerInspectInfo, ImageInspectInfo } from "dockerode";
import type { ContainerState, ContainerStatus, ImageInfo, Mount, Sandbox } from "../runtime.js";
import { identityOf, labelNames, splitLabels } from "./names.js";

/** Milliseconds since the epoch; Docker's zero time is 0. */
export function parseTime(time: string | undefined): number {
  if (!time || time.startsWith("0001-")) return 0;
  return Date.parse(time);
}

function stateOf(status: string): ContainerState {
  switch (status) {
    case "created":
      return "created";
    case "running":
    case "paused":
    case "restarting":
      return "running";
    case "exited":
    case "dead":
    case "removing":
      return "exited";
    default:
      return "unknown";
  }
}

const propagations: Record<string, Mount["propagation"]> = { rslave: "HostToContainer", rshared: "Bidirectional" };

/** A pause container as a Sandbox. */
export function sandboxOf(info: ContainerInspectInfo): Sandbox {
  const stored = info.Config.Labels ?? {};
  return {
    id: info.Id,
    ...identityOf(stored),
    ...splitLabels(stored),
    ready: info.State.Running,
    createdAt: parseTime(info.Created),
    pid: info.State.Running ? info.State.Pid : 0,
  };
}

/** A pod's container. A start that failed counts as exited, as dockershim had it. imageId is what the API shows. */
export function containerStatusOf(info: ContainerInspectInfo, imageId: string): ContainerStatus {
  const stored = info.Config.Labels ?? {};
  const { State: state } = info;
  const failedToStart = state.Status === "created" && (state.Error !== "" || state.ExitCode !== 0);
  const createdAt = parseTime(info.Created);
  return {
    id: info.Id,
    sandboxId: stored[labelNames.sandboxId] ?? "",
    ...identityOf(stored),
    ...splitLabels(stored),
    name: stored[labelNames.containerName] ?? "",
    state: failedToStart ? "exited" : stateOf(state.Status),
    image: stored[labelNames.image] ?? info.Config.Image,
    imageId,
    createdAt,
    startedAt: parseTime(state.StartedAt) || (failedToStart ? createdAt : 0),
    finishedAt: parseTime(state.FinishedAt) || (failedToStart ? createdAt : 0),
    exitCode: state.ExitCode,
    oomKilled: state.OOMKilled,
    error: state.Error,
    ...(info.LogPath ? { logPath: info.LogPath } : {}),
    mounts: (info.Mounts ?? [])
      .filter((mount) => mount.Type === "bind")
      .map((mount) => ({
        hostPath: mount.Source,
        containerPath: mount.Destination,
        readOnly: !mount.RW,
        propagation: propagations[mount.Propagation] ?? "None",
      })),
    resources: {
      cpuShares: info.HostConfig.CpuShares ?? 0,
      cpuQuotaUs: info.HostConfig.CpuQuota ?? 0,
      cpuPeriodUs: info.HostConfig.CpuPeriod ?? 0,
      memoryLimitBytes: info.HostConfig.Memory ?? 0,
    },
  };
}

/** Engines from 29 on tell where an image came from. */
interface ImageIdentity {
  readonly Pull?: readonly unknown[];
  readonly Build?: readonly unknown[];
}

/** Whether a registry gave the image. The classic store writes digests for such alone; the containerd store, where an
 * image's id is its digest, for every image. */
export function imageOrigin({
  Id,
  RepoDigests,
  Identity,
}: {
  readonly Id: string;
  readonly RepoDigests?: readonly string[] | null | undefined;
  readonly Identity?: ImageIdentity;
}): ImageInfo["origin"] {
  if (Identity?.Pull?.length) return "registry";
  if (Identity?.Build?.length) return "host";
  const digests = RepoDigests ?? [];
  if (digests.length === 0) return "host";
  return digests.every((digest) => digest.endsWith(`@${Id}`)) ? "unknown" : "registry";
}

/** An image. */
export function imageInfoOf(info: ImageInspectInfo): ImageInfo {
  return {
    origin: imageOrigin(info),
    id: info.Id,
    tags: info.RepoTags ?? [],
    digests: info.RepoDigests ?? [],
    sizeBytes: info.Size,
    user: info.Config?.User ?? "",
  };
}

/** status.imageID: a pullable digest where there is one. */
export function imageIdOf(image: ImageInfo): string {
  const digest = image.digests[0];
  return digest === undefined ? `docker://${image.id}` : `docker-pullable://${digest}`;
}
