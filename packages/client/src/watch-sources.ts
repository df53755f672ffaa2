// The ways in which an informer's changes become keys of a controller's queue.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { WatchSource } from "./controller.js";
import type { Informer, ObjectKey } from "./informer.js";
import { keyOf } from "./object-key.js";

/** The object's own key, at every change. */
export function self<T extends KubernetesObject>(informer: Informer<T>): WatchSource {
  return mapped(informer, (object) => [keyOf(object)]);
}

/** Whatever keys fn names; on an update those of the object before and after. delayMs lets what follows at once join in. */
export function mapped<T extends KubernetesObject>(
  informer: Informer<T>,
  fn: (object: T) => readonly ObjectKey[],
  { delayMs = 0 } = {},
): WatchSource {
  return {
    informer,
    handler: (enqueue) => {
      const all = (keys: Iterable<ObjectKey>) => {
        for (const key of keys) enqueue(key, delayMs);
      };
      return {
        add: (object: T) => all(fn(object)),
        update: (previous: T, current: T) => all(new Set([...fn(previous), ...fn(current)])),
        delete: (last: T) => all(fn(last)),
      };
    },
  };
}
