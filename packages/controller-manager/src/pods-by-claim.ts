// Pods by the claims their volumes lead to: an index that several controllers of storage read.

import type { Pod } from "@picokube/api/core/v1";
import { claimKeysOf } from "@picokube/api/core/volume-claims";
import type { Informer, ObjectKey } from "@picokube/client/informer";

const index = "podsByClaim";

/** Adds the index and returns the function that reads it. Upstream's PodPVCIndex. */
export function podsByClaim(informer: Informer<Pod>): (claim: ObjectKey) => Pod[] {
  informer.addIndex(index, claimKeysOf);
  return (claim) => informer.byIndex(index, claim);
}
