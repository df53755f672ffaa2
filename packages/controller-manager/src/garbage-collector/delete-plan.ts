// What becomes of an object, once it is known how its owners fare. Pure: upstream's attemptToDeleteItem.

import type { ObjectMeta, OwnerReference } from "@picokube/api/meta/v1";

/** How the owner that a reference names fares: "waiting" is being deleted in the foreground. */
export type OwnerState = "solid" | "dangling" | "waiting";

export type Verdict =
  | { readonly act: "keep" }
  | { readonly act: "dropOwners"; readonly uids: readonly string[] }
  | {
      readonly act: "delete";
      readonly policy: "Background" | "Foreground" | "Orphan";
      /** Two that wait for each other would wait for ever: its references must first stop blocking. */
      readonly unblock: boolean;
    };

/** One living owner keeps the object; otherwise it goes, in the manner that its finalizers or its owners ask for. */
export function judge({
  finalizers = [],
  owners,
  dependents,
}: {
  finalizers?: readonly string[] | undefined;
  owners: readonly { readonly uid: string; readonly state: OwnerState }[];
  dependents: readonly { readonly deletingDependents: boolean }[];
}): Verdict {
  const lost = owners.filter(({ state }) => state !== "solid");
  if (lost.length === 0) return { act: "keep" };
  if (lost.length < owners.length) return { act: "dropOwners", uids: lost.map(({ uid }) => uid) };
  if (lost.some(({ state }) => state === "waiting") && dependents.length > 0) {
    const unblock = dependents.some(({ deletingDependents }) => deletingDependents);
    return { act: "delete", policy: "Foreground", unblock };
  }
  if (finalizers.includes("orphan")) return { act: "delete", policy: "Orphan", unblock: false };
  if (finalizers.includes("foregroundDeletion")) return { act: "delete", policy: "Foreground", unblock: false };
  return { act: "delete", policy: "Background", unblock: false };
}

/** What a live owner's metadata says of it. */
export function stateOfOwner(owner: Pick<ObjectMeta, "deletionTimestamp" | "finalizers">): OwnerState {
  const foreground = owner.finalizers?.includes("foregroundDeletion");
  return owner.deletionTimestamp !== undefined && foreground ? "waiting" : "solid";
}

/** Whether the references changed between two reads of an object. */
export function sameOwners(
  left: readonly OwnerReference[] | undefined,
  right: readonly OwnerReference[] | undefined,
): boolean {
  const text = (references: readonly OwnerReference[] = []) =>
    JSON.stringify(references.map(({ uid, blockOwnerDeletion, controller }) => [uid, blockOwnerDeletion, controller]));
  return text(left) === text(right);
}
