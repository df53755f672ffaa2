// Which of several classes is the default: the newest one marked so, then by name (upstream: GetDefaultClass). Pure.

import type { KubernetesObject } from "@picokube/api/meta/v1";

/** The default among classes by an annotation that must be "true". */
export function defaultClass<T extends KubernetesObject>(classes: readonly T[], annotation: string): T | undefined {
  const marked = classes.filter(({ metadata }) => metadata.annotations?.[annotation] === "true");
  return marked.sort((left, right) => {
    const byAge = (right.metadata.creationTimestamp ?? "").localeCompare(left.metadata.creationTimestamp ?? "");
    return byAge || left.metadata.name.localeCompare(right.metadata.name);
  })[0];
}
