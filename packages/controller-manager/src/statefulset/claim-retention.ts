// Whether a StatefulSet's claims outlive their pods and the set: said by owner references, which the garbage collector
// heeds. Pure (upstream: stateful_set_utils.go; KEP-1847).

import { type StatefulSet, statefulsets } from "@picokube/api/apps/v1";
import { type PersistentVolumeClaim, pods } from "@picokube/api/core/v1";
import type { KubernetesObject, OwnerReference } from "@picokube/api/meta/v1";
import { controllerRef } from "@picokube/api/owner";
import { apiVersionOf, type GroupVersionKind } from "@picokube/api/resource";
import { inRange } from "./identity.js";

type Claim = Pick<PersistentVolumeClaim, "metadata">;

/** The pod may be one that is yet to be made: then it has no uid. */
export interface ClaimOwners {
  readonly set: StatefulSet;
  readonly pod: { readonly metadata: { name: string; uid?: string } };
}

const ownersOf = ({ metadata }: Claim): readonly OwnerReference[] => metadata.ownerReferences ?? [];

function policyOf({ spec }: StatefulSet) {
  const { whenDeleted, whenScaled } = spec?.persistentVolumeClaimRetentionPolicy ?? {};
  return { onDelete: whenDeleted === "Delete", onScale: whenScaled === "Delete" };
}

function names(reference: OwnerReference, { metadata }: ClaimOwners["pod"], kind: GroupVersionKind): boolean {
  return (
    reference.apiVersion === apiVersionOf(kind) && reference.kind === kind.kind && reference.name === metadata.name
  );
}

const namesSet = (reference: OwnerReference, { set }: ClaimOwners) => names(reference, set, statefulsets);
const namesPod = (reference: OwnerReference, { pod }: ClaimOwners) => names(reference, pod, pods);

/** The claim belongs to a pod of this name that is gone: it is about to be collected. Upstream's hasStaleOwnerRef. */
export function belongsToFormerPod(claim: Claim, owners: ClaimOwners): boolean {
  return ownersOf(claim).some((each) => namesPod(each, owners) && each.uid !== owners.pod.metadata.uid);
}

function belongsToFormerSet(claim: Claim, owners: ClaimOwners): boolean {
  return ownersOf(claim).some((each) => namesSet(each, owners) && each.uid !== owners.set.metadata.uid);
}

function hasForeignController(claim: Claim, owners: ClaimOwners): boolean {
  const { onDelete, onScale } = policyOf(owners.set);
  if (!onDelete && !onScale) return false;
  return ownersOf(claim).some((each) => !namesSet(each, owners) && !namesPod(each, owners) && each.controller);
}

/** Whether the pod's claims must be waited for: they go with a pod that is gone. Upstream's PodClaimIsStale. */
export function isStale(claim: Claim, owners: ClaimOwners): boolean {
  return policyOf(owners.set).onScale && belongsToFormerPod(claim, owners);
}

/** Upstream's isClaimOwnerUpToDate. Claims of former owners are left to the garbage collector. */
export function ownersAreUpToDate(claim: Claim, owners: ClaimOwners): boolean {
  if (belongsToFormerSet(claim, owners) || belongsToFormerPod(claim, owners)) return true;
  const uids = [owners.set.metadata.uid, owners.pod.metadata.uid];
  const ours = ownersOf(claim).filter(({ uid }) => uids.includes(uid));
  if (hasForeignController(claim, owners)) return ours.length === 0;
  if (ours.some(({ controller }) => !controller)) return false;
  const wanted = wantedOwner(owners)?.uid;
  return wanted === undefined ? ours.length === 0 : ours.length === 1 && ours[0]!.uid === wanted;
}

/** The claim's owners as the policy wants them, others kept. Upstream's updateClaimOwnerRefForSetAndPod. */
export function ownersByPolicy(claim: Claim, owners: ClaimOwners): OwnerReference[] {
  const others = ownersOf(claim).filter((each) => !namesSet(each, owners) && !namesPod(each, owners));
  const wanted = hasForeignController(claim, owners) ? undefined : wantedOwner(owners);
  return wanted ? [...others, wanted] : others;
}

// A pod that is scaled away takes its claim along; until then the claim lives as long as the set.
function wantedOwner({ set, pod }: ClaimOwners): OwnerReference | undefined {
  const { onDelete, onScale } = policyOf(set);
  if (onScale && !inRange(set, pod)) return controllerRef(pod as KubernetesObject, pods);
  return onDelete ? controllerRef(set, statefulsets) : undefined;
}
