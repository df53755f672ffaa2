// NodeAffinity: nodeSelector and node affinity, required and preferred.

import { requiredNodeAffinityMatches, termMatchesNode } from "@picokube/api/core/node-affinity";
import type { NodeSelectorTerm, Pod } from "@picokube/api/core/v1";
import { isNodeEvent, normalizeByMaximum, type Plugin } from "../framework/plugin.js";

const REASON = "node(s) didn't match Pod's node affinity/selector";
const CONFLICT = "pod affinity terms conflict";

const requiredTerms = ({ spec }: Pod): readonly NodeSelectorTerm[] | undefined =>
  spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;

/** The nodes that every term names by metadata.name, as the pods of a DaemonSet do; undefined when one names none. */
function namedNodes(terms: readonly NodeSelectorTerm[] | undefined): Set<string> | undefined {
  if (!terms?.length) return undefined;
  const all = new Set<string>();
  for (const { matchFields } of terms) {
    const lists = (matchFields ?? [])
      .filter(({ key, operator }) => key === "metadata.name" && operator === "In")
      .map(({ values = [] }) => values);
    if (lists.length === 0) return undefined;
    for (const name of lists[0]!) if (lists.every((list) => list.includes(name))) all.add(name);
  }
  return all;
}

export const nodeAffinity: Plugin<undefined, undefined> = {
  name: "NodeAffinity",
  preFilter({ pod }) {
    const terms = requiredTerms(pod);
    if (!terms && !pod.spec?.nodeSelector) return "skip";
    const nodeNames = namedNodes(terms);
    if (nodeNames?.size === 0) return { reject: { reasons: [CONFLICT], unresolvable: true } };
    return { state: undefined, nodeNames };
  },
  filter: ({ pod }, node) =>
    requiredNodeAffinityMatches(pod, node) ? undefined : { reasons: [REASON], unresolvable: true },
  preScore: ({ pod }) =>
    pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.length
      ? { state: undefined }
      : "skip",
  score({ pod }, node) {
    const preferred = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    return preferred
      .filter(({ preference, weight }) => {
        const empty = !preference.matchExpressions?.length && !preference.matchFields?.length;
        return weight !== 0 && !empty && termMatchesNode(preference, node);
      })
      .reduce((sum, { weight }) => sum + weight, 0);
  },
  normalize: (scores) => normalizeByMaximum(scores),
  mayHelp: ({ pod }, event) =>
    isNodeEvent(event) &&
    requiredNodeAffinityMatches(pod, {
      name: event.current.metadata.name,
      labels: event.current.metadata.labels ?? {},
    }),
};
