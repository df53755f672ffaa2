// Which StorageClass is the default one. Pure.

import type { StorageClass } from "./v1.js";

const marks = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
] as const;

/** The newest of the classes marked so, then by name. Upstream's GetDefaultClass. */
export function defaultStorageClass(classes: readonly StorageClass[]): StorageClass | undefined {
  return classes
    .filter(({ metadata }) => marks.some((mark) => metadata.annotations?.[mark] === "true"))
    .sort(({ metadata: a }, { metadata: b }) => {
      const byAge = b.creationTimestamp.localeCompare(a.creationTimestamp);
      return byAge || a.name.localeCompare(b.name);
    })[0];
}
