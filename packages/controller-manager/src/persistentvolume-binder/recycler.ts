// Empties volumes under the reclaim policy Recycle, a look at a time: a pod is made, waited for, read and removed.

import { readFileSync } from "node:fs";
import { type PersistentVolume, type Pod, pods } from "@picokube/api/core/v1";
import { isAlreadyExists } from "@picokube/api/errors";
import type { Client } from "@picokube/client/client";
import { ifThere } from "@picokube/client/if-there";
import type { Informer } from "@picokube/client/informer";
import type { Clock } from "@picokube/component-base/clock";
import { ConfigError } from "@picokube/component-base/config-error";
import { parseYamlDocuments } from "@picokube/component-base/config-file";
import type { ControllerManagerValues } from "../options.js";
import { defaultRecyclerSpec, recyclerNamespace, recyclerPod, recyclerPodName } from "./recycler-pod.js";

export type Recycled = { readonly done: false } | { readonly done: true; readonly failure?: string };

/** Upstream's recycleVolumeOperation without its wait: ask again when the pod has changed. */
export function createRecycler({
  client,
  informer,
  clock,
  options,
}: {
  client: Client;
  informer: Informer<Pod>;
  clock: Clock;
  options: ControllerManagerValues;
}): (volume: PersistentVolume) => Promise<Recycled> {
  const nfs = {
    spec: templateOf(options.pvRecyclerPodTemplateFilepathNfs),
    times: {
      minimumSeconds: options.pvRecyclerMinimumTimeoutNfs,
      perGibibyteSeconds: options.pvRecyclerIncrementTimeoutNfs,
    },
  };
  const hostPath = {
    spec: templateOf(options.pvRecyclerPodTemplateFilepathHostpath),
    times: {
      minimumSeconds: options.pvRecyclerMinimumTimeoutHostpath,
      perGibibyteSeconds: options.pvRecyclerTimeoutIncrementHostpath,
    },
  };
  // By the volume's uid: one that failed is tried again at the next look of the period, not when its pod has gone.
  const failedAtMs = new Map<string, number>();

  return async (volume) => {
    const { uid } = volume.metadata;
    const name = recyclerPodName(volume.metadata.name);
    const where = { namespace: recyclerNamespace, name };
    const pod = informer.get(`${recyclerNamespace}/${name}`);
    if (!pod) {
      const sinceMs = clock.now() - (failedAtMs.get(uid) ?? Number.NEGATIVE_INFINITY);
      if (sinceMs < options.pvclaimbinderSyncPeriod) return { done: false };
      await client.create(pods, recyclerPod(volume, volume.spec?.nfs ? nfs : hostPath)).catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
      return { done: false };
    }
    const { phase, message } = pod.status ?? {};
    if (pod.metadata.deletionTimestamp || (phase !== "Succeeded" && phase !== "Failed")) return { done: false };
    await ifThere(client.delete(pods, where, { preconditions: { uid: pod.metadata.uid } }));
    if (phase === "Succeeded") {
      failedAtMs.delete(uid);
      return { done: true };
    }
    failedAtMs.set(uid, clock.now());
    return { done: true, failure: message || "pod failed, pod.Status.Message unknown" };
  };
}

function templateOf(path: string): NonNullable<Pod["spec"]> {
  if (path === "") return defaultRecyclerSpec;
  const [pod] = parseYamlDocuments(readFileSync(path, "utf8"), { source: path }) as Pod[];
  if (!pod?.spec?.volumes?.length) throw new ConfigError(`${path}: a recycler pod needs a volume to empty`);
  return pod.spec;
}
