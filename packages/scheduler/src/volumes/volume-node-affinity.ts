// Whether a volume can be reached from a node. Pure: upstream's CheckNodeAffinity.

import { termMatchesNode } from "@picokube/api/core/node-affinity";
import type { PersistentVolume } from "@picokube/api/core/v1";
import type { Labels } from "@picokube/api/selectors/labels";

/** Only labels count; a volume that says nothing is reached from everywhere. */
export function volumeFitsNode({ spec }: PersistentVolume, labels: Labels): boolean {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms;
  return terms === undefined || terms.some((term) => termMatchesNode(term, { name: "", labels: labels ?? {} }));
}
