// Sets up, refreshes and tears down the volumes of pods under <root-dir>/pods/<uid>. Knows pods by what prepare was
// given; never removes what it did not make.

import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Container, EphemeralContainer, Pod, Volume } from "@picokube/api/core/v1";
import type { Client } from "@picokube/client/client";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import { type ObjectSource, VolumeError, type VolumeManager } from "../parts.js";
import { allContainers } from "../pods/container-spec.js";
import { configMapPlugin } from "./config-map.js";
import { containerMounts } from "./container-mounts.js";
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
  /** Whether the runtime has them. */
  recursiveReadOnlyMounts?: boolean;
}

interface Prepared {
  pod: Pod;
  paths: Map<string, string>;
  /** Serialises what touches the pod's directory. */
  work: Promise<unknown>;
  /** A kubelet before this one set its volumes up, and this one could not take them over yet. */
  isStranger?: boolean;
}

function pluginOf(volume: Volume): VolumePlugin | undefined {
  return plugins.find(({ field }) => volume[field] !== undefined);
}

/** The volumes that a container mounts; upstream leaves the others alone. */
function mountedVolumes(pod: Pod): Volume[] {
  const used = new Set(
    allContainers(pod).flatMap(({ volumeMounts, volumeDevices }) =>
      [...(volumeMounts ?? []), ...(volumeDevices ?? [])].map(({ name }) => name),
    ),
  );
  return (pod.spec?.volumes ?? []).filter(({ name }) => used.has(name));
}

/** Upstream's words for one volume that failed. */
function mountError(volume: Volume, error: unknown): VolumeError {
  if (error instanceof VolumeError) return error;
  const words = (error as Error).message;
  return new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${words}`, { cause: error });
}

const tellsOfPod = ({ downwardAPI, projected }: Volume): boolean =>
  downwardAPI !== undefined || projected?.sources?.some((source) => source.downwardAPI !== undefined) === true;

/** Makes the one VolumeManager of a kubelet. */
export function createVolumeManager(options: VolumeManagerOptions): VolumeManager {
  const { rootDir, objects, client, clock, logger, environment, recursiveReadOnlyMounts = false } = options;
  const tokens = createServiceAccountTokens({ client, clock });
  const sources: VolumeSources = { objects, client, tokens, clock, localRoot: localPathDirectoryOf(rootDir) };
  const podsDir = join(rootDir, "pods");
  const prepared = new Map<string, Prepared>();
  const running = new AbortController();

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
    const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason as Error] : []));
    if (failures.length > 1) throw new AggregateError(failures, failures.map(({ message }) => message).join(", "));
    if (failures[0]) throw failures[0];
  }

  /** From now on the pod's files follow what they are made of. */
  async function adopt(pod: Pod): Promise<void> {
    const following = mountedVolumes(pod).filter((volume) => pluginOf(volume)?.refreshes);
    const adopted = serially(pod.metadata.uid, pod, (entry) => setUpAll(entry, following, running.signal));
    const entry = prepared.get(pod.metadata.uid)!;
    entry.pod = pod;
    entry.isStranger = false;
    await adopted.catch((err: unknown) => {
      entry.isStranger = true;
      logger.v(2).info("Cannot follow the pod's volumes yet", { pod: pod.metadata.name, err });
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
        await setUpAll(entry, mountedVolumes(pod), signal);
        return {
          mountsFor: (container) =>
            containerMounts(container, {
              pod: entry.pod,
              paths: entry.paths,
              subPathsDir: join(podsDir, pod.metadata.uid, "volume-subpaths"),
              environment: async () => (await environment?.(entry.pod, container)) ?? [],
              recursiveReadOnlyMounts,
              logger,
            }),
        };
      });
    },
    update(pod) {
      const entry = prepared.get(pod.metadata.uid);
      if (!entry || entry.isStranger) return void adopt(pod);
      const { labels, annotations } = entry.pod.metadata;
      entry.pod = pod;
      if (isDeepStrictEqual([labels, annotations], [pod.metadata.labels, pod.metadata.annotations])) return;
      void refresh((volume, { metadata }) => metadata.uid === pod.metadata.uid && tellsOfPod(volume), running.signal);
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
        // The directory itself stays until nothing is left of the pod: it is how the next kubelet knows of it.
        for (const own of ["volumes", "volume-subpaths"]) await rm(join(podDir, own), { recursive: true, force: true });
        prepared.delete(podUid);
      });
    },
    async podsOnDisk() {
      return readdir(podsDir).catch(() => []);
    },
    async run(signal) {
      signal.addEventListener("abort", () => running.abort(signal.reason), { once: true });
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
