// What is left of pods that nobody knows any more: containers, addresses, volumes, cgroups. Called only once the API
// has been heard.

import type { Pod } from "@picokube/api/core/v1";
import { removePodCgroup } from "../cgroups/pod-cgroup.js";
import { removePodFromRuntime } from "./collect-containers.js";
import { annotationNames } from "./container-spec.js";
import { killPod } from "./kill-container.js";
import { observe } from "./observe.js";
import type { PodContext } from "./pod-context.js";

const defaultGraceSeconds = 30;

/** Ends and removes everything of one pod that is in the runtime; its spec is gone, so its labels must do. */
async function removeOrphan(context: PodContext, podUid: string, signal: AbortSignal): Promise<void> {
  const state = await observe(context, { podUid, hostNetwork: false });
  const { podName, podNamespace } = state.sandboxes[0] ?? state.containers[0] ?? { podName: "", podNamespace: "" };
  context.logger.info("Removing an orphaned pod", { pod: `${podNamespace}/${podName}`, podUID: podUid });
  const graceSeconds = Math.max(
    0,
    ...state.containers.map(({ annotations }) =>
      Number(annotations[annotationNames.podGracePeriod] ?? defaultGraceSeconds),
    ),
  );
  const pod = {
    metadata: { name: podName, namespace: podNamespace, uid: podUid, resourceVersion: "", creationTimestamp: "" },
    spec: { containers: [] },
  } as Pod;
  const silent = { normal: () => {}, warning: () => {} };
  await killPod({ ...context, events: silent }, pod, state, { graceSeconds, signal });
  const left = await removePodFromRuntime(context.runtime, await observe(context, { podUid, hostNetwork: false }));
  if (left.length > 0) throw left[0]!.error;
  await context.logs.remove(podUid);
  context.states.delete(podUid);
}

/** Removes what belongs to no known pod. known must hold every pod that has a worker. */
export async function collectOrphans(
  context: PodContext,
  { known, inRuntime, signal }: { known: ReadonlySet<string>; inRuntime: readonly string[]; signal: AbortSignal },
): Promise<void> {
  const orphans = inRuntime.filter((uid) => !known.has(uid));
  await Promise.all(
    orphans.map((uid) =>
      removeOrphan(context, uid, signal).catch((err: unknown) =>
        context.logger.error("Cannot remove an orphaned pod yet", { podUID: uid, err }),
      ),
    ),
  );
  for (const owner of context.network.owners()) {
    const uid = owner.split("/")[0]!;
    if (!known.has(uid)) await context.network.detach(owner);
  }
  for (const uid of await context.volumes.podsOnDisk()) {
    if (known.has(uid)) continue;
    try {
      await context.volumes.release(uid);
      if (context.cgroups) removePodCgroup(uid, context.cgroups);
      await context.logs.remove(uid);
      context.files.remove(uid);
    } catch (err) {
      context.logger.error("Cannot remove what an orphaned pod left yet", { podUID: uid, err });
    }
  }
}
