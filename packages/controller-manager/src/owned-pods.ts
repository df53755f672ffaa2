// The pods of a controller's objects: looked up by owner, and watched so that the owner hears of each change. Decides
// nothing about them.

import type { Pod } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { controllerOf } from "@picokube/api/owner";
import { isPodReady } from "@picokube/api/pod";
import type { Selector } from "@picokube/api/selectors/labels";
import type { WatchSource } from "@picokube/client/controller";
import type { Expectations } from "@picokube/client/expectations";
import type { Informer, ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";

const byOwner = "controllerUidOrOrphan";
const orphansOf = (namespace: string | undefined) => `orphans of ${namespace}`;

/** Lets claimable find an owner's objects without a look at the whole namespace. */
export function indexByOwner<T extends KubernetesObject>(informer: Informer<T>): void {
  informer.addIndex(byOwner, (object) => [controllerOf(object)?.uid ?? orphansOf(object.metadata.namespace)]);
}

/** What the owner has and what nobody has: all that it could claim. Upstream's FilterPodsByOwner. */
export function claimable<T extends KubernetesObject>(informer: Informer<T>, { metadata }: KubernetesObject): T[] {
  return [...informer.byIndex(byOwner, metadata.uid), ...informer.byIndex(byOwner, orphansOf(metadata.namespace))];
}

/** All that this controller owns, by its uid. */
export function ownedBy<T extends KubernetesObject>(informer: Informer<T>, uid: string): T[] {
  return informer.byIndex(byOwner, uid);
}

/** Enqueues the owner of each pod that changes, and for an orphan whoever selects it. */
export function ownedPods<Owner extends KubernetesObject>({
  podInformer,
  ownerInformer,
  selectorOf,
  expectations,
}: {
  podInformer: Informer<Pod>;
  ownerInformer: Informer<Owner>;
  selectorOf: (owner: Owner) => Selector;
  expectations?: Expectations;
}): WatchSource {
  const { kind } = ownerInformer.resource;
  const ownerKey = (pod: Pod): ObjectKey | undefined => {
    const owner = controllerOf(pod);
    if (owner?.kind !== kind) return undefined;
    const key = `${pod.metadata.namespace}/${owner.name}`;
    return ownerInformer.get(key)?.metadata.uid === owner.uid ? key : undefined;
  };
  return {
    informer: podInformer,
    handler(enqueue) {
      const gone = (pod: Pod) => {
        const key = ownerKey(pod);
        if (!key) return;
        expectations?.deletionObserved(key, keyOf(pod));
        enqueue(key);
      };
      const orphan = (pod: Pod) => {
        for (const owner of ownerInformer.list(pod.metadata.namespace))
          if (selects(selectorOf, owner, pod)) enqueue(keyOf(owner));
      };
      return {
        add(pod: Pod) {
          if (pod.metadata.deletionTimestamp) return gone(pod);
          const key = ownerKey(pod);
          if (key) {
            expectations?.creationObserved(key);
            enqueue(key);
          } else if (!controllerOf(pod)) orphan(pod);
        },
        update(previous: Pod, pod: Pod) {
          if (previous.metadata.resourceVersion === pod.metadata.resourceVersion) return;
          const handedOver = controllerOf(previous)?.uid !== controllerOf(pod)?.uid;
          if (pod.metadata.deletionTimestamp) {
            gone(pod);
            if (handedOver) gone(previous);
            return;
          }
          const before = handedOver ? ownerKey(previous) : undefined;
          if (before) enqueue(before);
          const key = ownerKey(pod);
          if (key) {
            enqueue(key);
            const delayMs = availableInMs(ownerInformer.get(key)!, previous, pod);
            if (delayMs > 0) enqueue(key, delayMs);
          } else if (!controllerOf(pod)) {
            if (handedOver || !semanticDeepEqual(previous.metadata.labels, pod.metadata.labels)) orphan(pod);
          }
        },
        delete: gone,
      };
    },
  };
}

// A pod that has just become ready is available only later, and nothing but time will say so.
function availableInMs(owner: KubernetesObject, previous: Pod, pod: Pod): number {
  const { minReadySeconds = 0 } = (owner as { spec?: { minReadySeconds?: number } }).spec ?? {};
  return minReadySeconds > 0 && !isPodReady(previous) && isPodReady(pod) ? minReadySeconds * 1000 + 1000 : 0;
}

// An owner whose selector cannot be read selects nothing; the others must still hear of the pod.
function selects<Owner>(selectorOf: (owner: Owner) => Selector, owner: Owner, pod: Pod): boolean {
  try {
    return selectorOf(owner).matches(pod.metadata.labels);
  } catch {
    return false;
  }
}
