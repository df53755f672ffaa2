// One owner reference for each owner, the rest dropped with a warning (apiserver pkg/endpoints/handlers:
// dedupOwnerReferencesAndAddWarning).

import { semanticDeepEqual } from "@picokube/api/deep-equal";
import type { KubernetesObject, OwnerReference } from "@picokube/api/meta/v1";

/** Drops references that stand twice, in place; afterAdmission tells which of upstream's two warnings is due. */
export function dropRepeatedOwners(
  { metadata }: KubernetesObject,
  { afterAdmission, warn }: { afterAdmission: boolean; warn(message: string): void },
): void {
  const references = metadata.ownerReferences;
  if (references === undefined || references.length < 2) return;
  const repeated: string[] = [];
  const kept: OwnerReference[] = [];
  for (const reference of references) {
    const isKnown = kept.some((known) => known.uid === reference.uid && semanticDeepEqual(known, reference));
    if (isKnown) repeated.push(reference.uid);
    else kept.push(reference);
  }
  if (repeated.length === 0) return;
  metadata.ownerReferences = kept;
  const when = afterAdmission ? " after mutating admission happens" : "";
  warn(
    `.metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${repeated.join(", ")}`,
  );
}
