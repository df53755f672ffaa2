// Empties volumes under the reclaim policy Recycle, a look at a time: a pod is made, waited for, read and removed.

import { readFileSync } from "node:fs";
import { type PersistentVolume, type Pod, pods } from "@picokube/api/core/v1";
import { isAlreadyExists } from "@picokube/api/errors";
import type { Client } from "@picokube/client/client";
import { ifThere } from "@picokube/client/if-there";
import type { Informer } from "@picokube/client/informer";
import { ConfigError } from "@picokube/component-base/config-error";
import { parseYamlDocuments } from "@picokube/component-base/config-file";
import type { ControllerManagerValues } from "../options.js";
import { defaultRecyclerSpec, recyclerNamespace, recyclerPod, recyclerPodName } from "./recycler-pod.js";

export type Recycled = { readonly done: false } | { readonly done: true; readonly failure?: string };

/** Upstream's recycleVolumeOperation without its wait: ask again when the pod has changed. */
export function createRecycler({
  client,
  informer,
  options,
}: {
  client: Client;
  informer: Informer<Pod>;
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

  return async (volume) => {
    const name = recyclerPodName(volume.metadata.name);
    const where = { namespace: recyclerNamespace, name };
    const pod = informer.get(`${recyclerNamespace}/${name}`);
    if (!pod) {
      await client.create(pods, recyclerPod(volume, volume.spec?.nfs ? nfs : hostPath)).catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
      return { done: false };
    }
    const { phase, message } = pod.status ?? {};
    if (pod.metadata.deletionTimestamp || (phase !== "Succeeded" && phase !== "Failed")) return { done: false };
    await ifThere(client.delete(pods, where, { preconditions: { uid: pod.metadata.uid } }));
    if (phase === "Succeeded") return { done: true };
    return { done: true, failure: message || "pod failed, pod.Status.Message unknown" };
  };
}

function templateOf(path: string): NonNullable<Pod["spec"]> {
  if (path === "") return defaultRecyclerSpec;
  const [pod] = parseYamlDocuments(readFileSync(path, "utf8"), { source: path }) as Pod[];
  if (!pod?.spec?.volumes?.length) throw new ConfigError(`${path}: a recycler pod needs a volume to empty`);
  return pod.spec;
}
