// Brings what informers hear to the cache and the queue (upstream: eventhandlers.go). Decides nothing.

import { nodes, type Pod, persistentvolumeclaims, persistentvolumes, pods } from "@picokube/api/core/v1";
import { storageclasses } from "@picokube/api/storage/v1";
import type { InformerFactory } from "@picokube/client/informer";
import type { SchedulerCache } from "./cache.js";
import type { ClusterEvent } from "./framework/plugin.js";
import type { SchedulingQueue } from "./queue.js";

/** Finished pods take no room and are of no interest. */
export const LIVE_PODS = { fieldSelector: "status.phase!=Succeeded,status.phase!=Failed" };

/** Wires the informers; isOurs says whether a profile of this scheduler is named by the pod. */
export function addEventHandlers({
  informers,
  cache,
  queue,
  isOurs,
}: {
  informers: InformerFactory;
  cache: SchedulerCache;
  queue: SchedulingQueue;
  isOurs: (pod: Pod) => boolean;
}): void {
  const isAssigned = (pod: Pod) => !!pod.spec?.nodeName;

  informers.for(nodes).addHandler({
    add(node) {
      cache.setNode(node);
      queue.move({ resource: "node", previous: undefined, current: node });
    },
    update(previous, current) {
      cache.setNode(current);
      queue.move({ resource: "node", previous, current });
    },
    delete(node) {
      cache.removeNode(node.metadata.name);
      queue.move({ resource: "nodeGone", previous: node });
    },
  });

  for (const [resource, informer] of [
    ["claim", informers.for(persistentvolumeclaims)],
    ["volume", informers.for(persistentvolumes)],
    ["storageClass", informers.for(storageclasses)],
  ] as const) {
    const tell = (previous: unknown, current: unknown) => queue.move({ resource, previous, current } as ClusterEvent);
    informer.addHandler({
      add: (current: unknown) => tell(undefined, current),
      update: tell,
      delete: (last: unknown) => tell(last, undefined),
    });
  }

  informers.for(pods, LIVE_PODS).addHandler({
    add(pod) {
      if (isAssigned(pod)) {
        cache.addPod(pod);
        queue.move({ resource: "assignedPod", previous: undefined, current: pod });
      } else if (isOurs(pod)) queue.add(pod);
    },
    update(previous, current) {
      if (isAssigned(current)) {
        cache.addPod(current);
        if (!isAssigned(previous)) queue.delete(current.metadata.uid);
        const before = isAssigned(previous) ? previous : undefined;
        queue.move({ resource: "assignedPod", previous: before, current });
      } else if (isOurs(current) && !cache.isAssumed(current.metadata.uid)) queue.update(previous, current);
    },
    delete(pod) {
      queue.delete(pod.metadata.uid);
      // After a watch was lost the last known state may be older than the binding.
      if (!isAssigned(pod) && !cache.isAssumed(pod.metadata.uid)) return;
      cache.removePod(pod.metadata.uid);
      queue.move({ resource: "assignedPod", previous: pod, current: undefined });
    },
  });
}
