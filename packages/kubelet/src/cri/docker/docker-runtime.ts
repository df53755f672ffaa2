// The Runtime on Docker Engine 20.10 (API 1.41) and newer. Labels are the only state; what is remembered here is a
// cache of inspect documents, dropped by events, by our own calls, and whenever the list contradicts it.

import type Docker from "dockerode";
import type { ContainerInfo, ContainerInspectInfo } from "dockerode";
import { diskUsage } from "../../disk-usage.js";
import { RuntimeNotFound } from "../errors.js";
import { connectInNamespace } from "../port-forward.js";
import type { ContainerStatus, Runtime, Sandbox } from "../runtime.js";
import { containerStatusOf, imageIdOf, sandboxOf } from "./convert.js";
import { containerCreateOptions, type LogLimits, sandboxCreateOptions } from "./create-options.js";
import { statusCodeOf, translateError } from "./errors.js";
import { engineEvents } from "./events.js";
import { containerFigures } from "./figures.js";
import { dockerImages } from "./images.js";
import { loadDockerode } from "./load-dockerode.js";
import { hasRecursiveReadOnly } from "./mount-settings.js";
import { labelNames } from "./names.js";
import { hostLowestOomScore } from "./oom-score.js";
import { openAttach, openExec, openLogs, runExec } from "./streams.js";

export interface DockerRuntimeOptions {
  /** "unix:///var/run/docker.sock", or tcp://host:port. */
  readonly endpoint: string;
  /** Tells this kubelet's containers from another's on the same engine; written as a label. */
  readonly scope: string;
  readonly logLimits?: LogLimits;
}

const defaultLogLimits: LogLimits = { maxSizeBytes: 10 * 1024 * 1024, maxFiles: 5 };

function connect(endpoint: string): Docker {
  const Docker = loadDockerode();
  if (endpoint.startsWith("unix://")) return new Docker({ socketPath: endpoint.slice("unix://".length) });
  const { hostname, port } = new URL(endpoint);
  return new Docker({ host: hostname, port: Number(port || 2375), protocol: "http" });
}

/** Makes the runtime; nothing is asked of the engine yet. */
export function createDockerRuntime({ endpoint, scope, logLimits = defaultLogLimits }: DockerRuntimeOptions): Runtime {
  const docker = connect(endpoint);
  const images = dockerImages(docker);
  const lowestOomScore = hostLowestOomScore();
  const inspected = new Map<string, ContainerInspectInfo>();
  const imageIds = new Map<string, Promise<string>>();
  let recursiveReadOnly: Promise<boolean> | undefined;

  async function inspect(id: string): Promise<ContainerInspectInfo> {
    const info = await docker.getContainer(id).inspect().catch(translateError);
    inspected.set(id, info);
    return info;
  }

  const shownImageId = (id: string): Promise<string> => {
    let shown = imageIds.get(id);
    if (!shown) {
      shown = images.imageStatus(id).then((image) => (image ? imageIdOf(image) : `docker://${id}`));
      shown.catch(() => imageIds.delete(id));
      imageIds.set(id, shown);
    }
    return shown;
  };

  const statusOf = async (info: ContainerInspectInfo): Promise<ContainerStatus> =>
    containerStatusOf(info, await shownImageId(info.Image));

  async function create(options: Docker.ContainerCreateOptions): Promise<string> {
    try {
      return (await docker.createContainer(options)).id;
    } catch (error) {
      if (statusCodeOf(error) !== 409) return translateError(error);
      // A leftover of a kubelet that died between create and the next look: the name is ours to take.
      await docker.getContainer(options.name ?? "").remove({ force: true, v: true });
      return (await docker.createContainer(options).catch(translateError)).id;
    }
  }

  async function remove(id: string): Promise<void> {
    inspected.delete(id);
    await docker
      .getContainer(id)
      .remove({ force: true, v: true })
      .catch((error: unknown) => {
        const code = statusCodeOf(error);
        if (code !== 404 && code !== 409) translateError(error);
      });
  }

  async function stop(id: string, graceSeconds: number): Promise<void> {
    await docker
      .getContainer(id)
      .stop({ t: graceSeconds })
      .catch((error: unknown) => {
        const code = statusCodeOf(error);
        if (code !== 404 && code !== 304) translateError(error);
      });
    inspected.delete(id);
  }

  async function listInspected(type: "podsandbox" | "container", podUid: string | undefined) {
    const label = [`${labelNames.scope}=${scope}`, `${labelNames.type}=${type}`];
    if (podUid !== undefined) label.push(`${labelNames.podUid}=${podUid}`);
    const listed: ContainerInfo[] = await docker
      .listContainers({ all: true, filters: { label } })
      .catch(translateError);
    const found = await Promise.all(
      listed.map(async ({ Id, State }) => {
        const known = inspected.get(Id);
        if (known && known.State.Status === State) return known;
        return inspect(Id).catch((error: unknown) => {
          if (error instanceof RuntimeNotFound) return undefined;
          throw error;
        });
      }),
    );
    if (podUid === undefined) forgetOthers(listed, type);
    return found.filter((info) => info !== undefined);
  }

  function forgetOthers(listed: readonly ContainerInfo[], type: "podsandbox" | "container"): void {
    const present = new Set(listed.map(({ Id }) => Id));
    for (const [id, info] of inspected) {
      if (!present.has(id) && info.Config.Labels?.[labelNames.type] === type) inspected.delete(id);
    }
  }

  function recursiveReadOnlyMounts(): Promise<boolean> {
    recursiveReadOnly ??= docker
      .version()
      .then(({ ApiVersion, KernelVersion = "" }) =>
        hasRecursiveReadOnly({ apiVersion: ApiVersion, kernelVersion: KernelVersion }),
      )
      .catch((error: unknown) => {
        recursiveReadOnly = undefined;
        return translateError(error);
      });
    return recursiveReadOnly;
  }

  async function sandboxStatus(id: string): Promise<Sandbox> {
    const known = inspected.get(id);
    return sandboxOf(known?.State.Running ? known : await inspect(id));
  }

  return {
    imageStatus: images.imageStatus,
    listImages: images.listImages,
    pullImage: async (image, options) => {
      const id = await images.pullImage(image, options);
      imageIds.delete(id);
      return id;
    },
    removeImage: images.removeImage,
    imagesInUse: images.imagesInUse,

    version: async () => {
      const { Version, ApiVersion } = await docker.version().catch(translateError);
      return { runtimeName: "docker", runtimeVersion: Version, apiVersion: ApiVersion };
    },

    recursiveReadOnlyMounts,

    runtimeHandlers: async () => {
      const { Runtimes = {} } = (await docker.info().catch(translateError)) as { Runtimes?: Record<string, unknown> };
      return Object.keys(Runtimes).sort();
    },

    cgroupDriver: async () => {
      const { CgroupDriver } = (await docker.info().catch(translateError)) as { CgroupDriver?: string };
      return CgroupDriver === "systemd" ? "systemd" : "cgroupfs";
    },

    runSandbox: async (config) => {
      await images.ensurePauseImage();
      const options = sandboxCreateOptions(config, { scope, lowestOomScore, logLimits });
      const id = await create(options).catch(async (error: unknown) => {
        if (!(error instanceof RuntimeNotFound)) throw error;
        images.forgetPauseImage();
        await images.ensurePauseImage();
        return create(options);
      });
      try {
        await docker.getContainer(id).start().catch(translateError);
      } catch (error) {
        await remove(id);
        throw error;
      }
      return id;
    },
    stopSandbox: (id) => stop(id, 2),
    removeSandbox: remove,
    sandboxStatus,
    listSandboxes: async (filter) => (await listInspected("podsandbox", filter?.podUid)).map(sandboxOf),

    createContainer: async (sandboxId, config) => {
      const sandbox = await sandboxStatus(sandboxId);
      const { HostConfig: host } = inspected.get(sandboxId) ?? (await inspect(sandboxId));
      return create(
        containerCreateOptions(config, {
          sandbox,
          hostNetwork: host.NetworkMode === "host",
          scope,
          lowestOomScore,
          logLimits,
          cgroupParent: host.CgroupParent || undefined,
          runtime: host.Runtime,
          recursiveReadOnly: await recursiveReadOnlyMounts(),
        }),
      );
    },
    startContainer: async (id) => {
      inspected.delete(id);
      await docker.getContainer(id).start().catch(translateError);
    },
    stopContainer: stop,
    removeContainer: remove,
    updateContainer: async (id, { cpuShares, cpuQuotaUs, cpuPeriodUs, memoryLimitBytes }) => {
      inspected.delete(id);
      // Zero means "as it was" to the engine; -1 lifts a limit.
      const limits = {
        CpuShares: cpuShares ?? 2,
        CpuPeriod: cpuPeriodUs ?? 100_000,
        CpuQuota: cpuQuotaUs ?? -1,
        ...(memoryLimitBytes === undefined ? {} : { Memory: memoryLimitBytes, MemorySwap: memoryLimitBytes }),
      };
      await docker.getContainer(id).update(limits).catch(translateError);
      inspected.delete(id);
    },
    listContainers: async (filter) =>
      Promise.all((await listInspected("container", filter?.podUid)).map((info) => statusOf(info))),
    containerStatus: async (id) => statusOf(await inspect(id)),

    execSync: (id, command, timeoutMs) => runExec(docker.getContainer(id), command, timeoutMs),
    exec: (id, options) => openExec(docker.getContainer(id), options),
    attach: (id, options) => openAttach(docker.getContainer(id), options),
    logs: (id, options, signal) => openLogs(docker.getContainer(id), options, signal),
    portForward: async (sandboxId, port) => {
      const { pid } = await sandboxStatus(sandboxId);
      if (pid === 0) throw new RuntimeNotFound(`sandbox ${sandboxId} is not running`);
      return connectInNamespace({ pid, port });
    },

    events: async function* (signal) {
      inspected.clear();
      // The engine that was started anew may be another.
      recursiveReadOnly = undefined;
      for await (const event of engineEvents(docker, scope, signal)) {
        inspected.delete(event.containerId);
        yield event;
      }
    },

    stats: async () => {
      const label = [`${labelNames.scope}=${scope}`];
      const running = await docker.listContainers({ filters: { label } }).catch(translateError);
      const found = await Promise.all(
        running.map(async ({ Id }) => {
          const stats = await docker
            .getContainer(Id)
            .stats({ stream: false, "one-shot": true })
            .catch((error: unknown) => (statusCodeOf(error) === 404 ? undefined : translateError(error)));
          // It ended between the list and the question.
          return stats && containerFigures(Id, stats);
        }),
      );
      return found.filter((figures) => figures !== undefined);
    },

    containerDiskUsage: async (id) => {
      const info = inspected.get(id) ?? (await inspect(id));
      const layer = (info.GraphDriver?.Data as { UpperDir?: string } | null | undefined)?.UpperDir;
      const none = { bytes: 0, inodes: 0 };
      const [rootfs, logs] = await Promise.all([
        layer ? diskUsage(layer) : none,
        info.LogPath ? diskUsage(info.LogPath) : none,
      ]);
      return { rootfs, logs };
    },
    imageDirectory: async () => {
      const { DockerRootDir } = (await docker.info().catch(translateError)) as { DockerRootDir: string };
      return DockerRootDir;
    },
  };
}
