// Sets up, refreshes and tears down the volumes of pods under <root-dir>/pods/<uid>. Knows pods by what prepare was
// given; never removes what it did not make.

import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Container, EphemeralContainer, Pod, Volume, VolumeMount } from "@picokube/api/core/v1";
import type { Client } from "@picokube/client/client";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { Mount } from "../cri/runtime.js";
import { environmentMap, expand } from "../env/expand.js";
import { ContainerConfigError, type ObjectSource, VolumeError, type VolumeManager } from "../parts.js";
import { configMapPlugin } from "./config-map.js";
import { downwardApiPlugin } from "./downward-api.js";
import { emptyDirPlugin } from "./empty-dir.js";
import { hostPathPlugin } from "./host-path.js";
import { localPathDirectoryOf } from "./local-path-agent.js";
import { mountedBelow, unmount } from "./mounter.js";
import { nfsPlugin } from "./nfs.js";
import { ephemeralPlugin, persistentVolumeClaimPlugin } from "./persistent-volume-claim.js";
import { projectedPlugin } from "./projected.js";
import { secretPlugin } from "./secret.js";
import { createServiceAccountTokens } from "./service-account-tokens.js";
import { bindSubPath } from "./sub-path.js";
import type { VolumePlugin, VolumeSources } from "./volume-plugin.js";

const plugins: readonly VolumePlugin[] = [
  emptyDirPlugin,
  hostPathPlugin,
  configMapPlugin,
  secretPlugin,
  projectedPlugin,
  downwardApiPlugin,
  persistentVolumeClaimPlugin,
  ephemeralPlugin,
  nfsPlugin,
];

const refreshIntervalMs = 60_000;
const changeDelayMs = 100;

export interface VolumeManagerOptions {
  rootDir: string;
  /** onChange, where the source has it, makes volumes follow at once; without it once a minute. */
  objects: ObjectSource & { onChange?(listener: (changed: { namespace: string; name: string }) => void): () => void };
  client: Client;
  clock: Clock;
  logger: Logger;
  /** NAME=value lines for subPathExpr. */
  environment?: (pod: Pod, container: Container | EphemeralContainer) => Promise<string[]>;
}

interface Prepared {
  pod: Pod;
  paths: Map<string, string>;
  /** Serialises what touches the pod's directory. */
  work: Promise<unknown>;
}

function pluginOf(volume: Volume): VolumePlugin | undefined {
  return plugins.find(({ field }) => volume[field] !== undefined);
}

/** Upstream's words for one volume that failed. */
function mountError(volume: Volume, error: unknown): VolumeError {
  if (error instanceof VolumeError) return error;
  const words = (error as Error).message;
  return new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${words}`, { cause: error });
}

/** Makes the one VolumeManager of a kubelet. */
export function createVolumeManager(options: VolumeManagerOptions): VolumeManager {
  const { rootDir, objects, client, clock, logger } = options;
  const tokens = createServiceAccountTokens({ client, clock });
  const sources: VolumeSources = { objects, client, tokens, clock, localRoot: localPathDirectoryOf(rootDir) };
  const podsDir = join(rootDir, "pods");
  const prepared = new Map<string, Prepared>();

  function serially<T>(uid: string, pod: Pod | undefined, task: (entry: Prepared) => Promise<T>): Promise<T> {
    const entry = prepared.get(uid) ?? { pod: pod!, paths: new Map(), work: Promise.resolve() };
    prepared.set(uid, entry);
    const result = entry.work.then(() => task(entry));
    entry.work = result.catch(() => undefined);
    return result;
  }

  async function setUp(entry: Prepared, volume: Volume, signal: AbortSignal): Promise<void> {
    const plugin = pluginOf(volume);
    if (!plugin) throw mountError(volume, new Error("no volume plugin matched"));
    if (entry.paths.has(volume.name) && !plugin.refreshes) return;
    try {
      const volumesDir = join(podsDir, entry.pod.metadata.uid, "volumes");
      const path = await plugin.setUp({ pod: entry.pod, volume, volumesDir, sources, signal });
      entry.paths.set(volume.name, path);
    } catch (error) {
      throw mountError(volume, error);
    }
  }

  async function setUpAll(entry: Prepared, volumes: readonly Volume[], signal: AbortSignal): Promise<void> {
    const results = await Promise.allSettled(volumes.map((volume) => setUp(entry, volume, signal)));
    const failed = results.find((result) => result.status === "rejected");
    if (failed) throw failed.reason;
  }

  async function mountOf(
    { pod, paths }: Prepared,
    container: Container | EphemeralContainer,
    mount: VolumeMount,
    index: number,
  ): Promise<Mount> {
    let hostPath = paths.get(mount.name);
    if (hostPath === undefined) {
      throw new ContainerConfigError(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
    }
    const subPath = mount.subPathExpr ? await expandSubPath(pod, container, mount.subPathExpr) : mount.subPath;
    if (subPath) {
      if (subPath.startsWith("/"))
        throw new ContainerConfigError(`error SubPath \`${subPath}\` must not be an absolute path`);
      if (subPath.split("/").includes("..")) {
        throw new ContainerConfigError(`unable to provision SubPath \`${subPath}\`: must not contain '..'`);
      }
      const subPaths = join(podsDir, pod.metadata.uid, "volume-subpaths");
      const target = join(subPaths, mount.name, container.name, String(index));
      try {
        await bindSubPath({ volumePath: hostPath, subPath, target });
      } catch (error) {
        logger.error("Failed to prepare subPath for volumeMount of the container", {
          container: container.name,
          volumeMount: mount.name,
          err: error,
        });
        throw new ContainerConfigError(
          `failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}"`,
          { cause: error },
        );
      }
      hostPath = target;
    }
    if (mount.recursiveReadOnly === "Enabled") {
      throw new ContainerConfigError(
        `failed to resolve recursive read-only mode: volume "${mount.name}" requested recursive read-only mode, but it is not supported by the runtime`,
      );
    }
    const claim = pod.spec?.volumes?.find(({ name }) => name === mount.name)?.persistentVolumeClaim;
    return {
      hostPath,
      containerPath: mount.mountPath.startsWith("/") ? mount.mountPath : `/${mount.mountPath}`,
      readOnly: mount.readOnly === true || claim?.readOnly === true,
      propagation: (mount.mountPropagation ?? "None") as Mount["propagation"],
    };
  }

  async function expandSubPath(
    pod: Pod,
    container: Container | EphemeralContainer,
    expression: string,
  ): Promise<string> {
    const variables = environmentMap((await options.environment?.(pod, container)) ?? []);
    return expand(expression, (name) => {
      const value = variables.get(name);
      if (value === undefined) throw new ContainerConfigError(`missing value for "${name}"`);
      return value;
    });
  }

  async function refresh(wanted: (volume: Volume, pod: Pod) => boolean, signal: AbortSignal): Promise<void> {
    for (const [uid, known] of [...prepared]) {
      const volumes = (known.pod?.spec?.volumes ?? []).filter(
        (volume) => pluginOf(volume)?.refreshes && known.paths.has(volume.name) && wanted(volume, known.pod),
      );
      if (volumes.length === 0 || signal.aborted) continue;
      await serially(uid, known.pod, async (entry) => {
        if (prepared.get(uid) === entry && entry.paths.size > 0) await setUpAll(entry, volumes, signal);
      }).catch((err: unknown) => logger.v(2).info("Refreshing volumes failed", { pod: known.pod.metadata.name, err }));
    }
  }

  return {
    prepare(pod, signal) {
      return serially(pod.metadata.uid, pod, async (entry) => {
        entry.pod = pod;
        await setUpAll(entry, pod.spec?.volumes ?? [], signal);
        return {
          async mountsFor(container) {
            const mounts: Mount[] = [];
            for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
              mounts.push(await mountOf(entry, container, mount, index));
            }
            return mounts;
          },
        };
      });
    },
    release(podUid) {
      return serially(podUid, undefined, async (entry) => {
        entry.paths.clear();
        tokens.forget(podUid);
        const podDir = join(podsDir, podUid);
        for (const mounted of await mountedBelow(podDir)) await unmount(mounted);
        // Whatever is still mounted there belongs to somebody: nothing may be deleted through it.
        const left = await mountedBelow(podDir);
        if (left.length > 0) throw new Error(`${left[0]} is still mounted`);
        await rm(podDir, { recursive: true, force: true });
        prepared.delete(podUid);
      });
    },
    async podsOnDisk() {
      return readdir(podsDir).catch(() => []);
    },
    async run(signal) {
      let changed = new Set<string>();
      const mentions = (volume: Volume, pod: Pod, what: Set<string>) => {
        const { configMap, secret, projected } = volume;
        const names = [configMap?.name, secret?.secretName];
        for (const source of projected?.sources ?? []) names.push(source.configMap?.name, source.secret?.name);
        return names.some((name) => name !== undefined && what.has(`${pod.metadata.namespace}/${name}`));
      };
      const stop = objects.onChange?.(({ namespace, name }) => {
        changed.add(`${namespace}/${name}`);
        if (changed.size > 1) return;
        clock.after(changeDelayMs, () => {
          const what = changed;
          changed = new Set();
          void refresh((volume, pod) => mentions(volume, pod, what), signal);
        });
      });
      while (!signal.aborted) {
        await clock.sleep(refreshIntervalMs * (0.9 + Math.random() * 0.2), signal).catch(() => undefined);
        await refresh(() => true, signal);
      }
      stop?.();
    },
  };
}
