// Short forms in which the default roles are written down: words separated by spaces. Holds no rule itself.

import type { PolicyRule } from "@picokube/api/rbac/v1";

const words = (text: string): string[] => text.split(" ");

/** The group's name for "core"; all others stand for themselves. */
const groupOf = (name: string): string => (name === "core" ? "" : name);

/** A rule over resources: verbs, groups ("core" is the legacy group), resources, and names where only some are meant. */
export function rule(verbs: string, groups: string, resources: string, names?: string): PolicyRule {
  return {
    verbs: words(verbs),
    apiGroups: words(groups).map(groupOf),
    resources: words(resources),
    ...(names === undefined ? {} : { resourceNames: words(names) }),
  };
}

/** A rule over paths. */
export function urls(verbs: string, paths: string): PolicyRule {
  return { verbs: words(verbs), nonResourceURLs: words(paths) };
}

export const READ = "get list watch";
export const WRITE = "create delete deletecollection patch update";

/** Writing Events, which nearly every component may do. */
export const eventsRule: PolicyRule = rule("create patch update", "core events.k8s.io", "events");
