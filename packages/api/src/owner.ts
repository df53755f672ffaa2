// Owner references: who controls an object and how a controller signs what it makes. Reads and builds metadata only.

import type { KubernetesObject, OwnerReference } from "./meta/v1.js";
import { apiVersionOf, type GroupVersionKind } from "./resource.js";

/** The reference marked as controller (upstream: metav1.GetControllerOf). */
export function controllerOf(object: {
  readonly metadata?: { readonly ownerReferences?: readonly OwnerReference[] };
}): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((reference) => reference.controller === true);
}

/** A controller's reference to itself, as upstream's NewControllerRef: it blocks foreground deletion. */
export function controllerRef(owner: KubernetesObject, kind: GroupVersionKind): OwnerReference {
  return { ...ownerRef(owner, kind), controller: true, blockOwnerDeletion: true };
}

/** A plain owner's reference. */
export function ownerRef(owner: KubernetesObject, kind: GroupVersionKind): OwnerReference {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, name: owner.metadata.name, uid: owner.metadata.uid };
}
