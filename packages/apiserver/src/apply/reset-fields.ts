// Which fields nobody comes to own through a resource or one of its subresources, because the write leaves them as they
// were (upstream: the strategies' GetResetFields and GetResetFieldsFilter). Data, and the filter made of it.

import type { GroupVersionKind } from "@picokube/api/resource";
import { type FieldSet, parseFieldSet, recursiveDifference, within } from "./field-set.js";

/** What of a set of paths can be owned. */
export type FieldFilter = (set: FieldSet) => FieldSet;

type GroupKind = Pick<GroupVersionKind, "group" | "kind">;

const STATUS = { "f:status": {} };
const SPEC = { "f:spec": {} };
const containerResources = { "*": { "f:resources": {}, "f:resizePolicy": {} } };

/** Metadata that a write of the status leaves alone; all of it where "all" stands. Kinds that are not named keep none. */
const KEPT_BY_STATUS: { readonly [kind: string]: readonly string[] | "all" } = {
  "APIService.apiregistration.k8s.io": "all",
  "CustomResourceDefinition.apiextensions.k8s.io": "all",
  "Deployment.apps": ["labels"],
  "FlowSchema.flowcontrol.apiserver.k8s.io": "all",
  "Pod.": ["deletionTimestamp", "ownerReferences"],
  "PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io": "all",
  "ValidatingAdmissionPolicy.admissionregistration.k8s.io": "all",
  "VolumeAttachment.storage.k8s.io": "all",
};

/** Subresources besides status: what they leave alone, or the only fields that they change. */
const SUBRESOURCES: { readonly [name: string]: { readonly leaves?: object; readonly changes?: object } } = {
  "Pod./ephemeralcontainers": { changes: { "f:spec": { "f:ephemeralContainers": {} } } },
  "Pod./resize": {
    changes: { "f:spec": { "f:containers": containerResources, "f:initContainers": containerResources } },
  },
  "CertificateSigningRequest.certificates.k8s.io/approval": {
    leaves: { ...SPEC, "f:status": { "f:certificate": {} } },
  },
  "Namespace./finalize": { leaves: STATUS },
};

/** The fields of metadata that a write of the status leaves as they were. */
export function metadataKeptByStatus({ group, kind }: GroupKind): readonly string[] {
  const kept = KEPT_BY_STATUS[`${kind}.${group}`] ?? [];
  return kept === "all" ? ["labels", "annotations", "finalizers", "ownerReferences"] : kept;
}

/** What a writer through the subresource ("" is the resource itself) can own. */
export function ownedThrough(
  kind: GroupKind,
  { subresource, hasStatus, isCustom = false }: { subresource: string; hasStatus: boolean; isCustom?: boolean },
): FieldFilter {
  const name = `${kind.kind}.${kind.group}`;
  if (subresource === "") {
    // Requests for certificates are wiped whole by the server.
    if (name === "CertificateSigningRequest.certificates.k8s.io") return leaving({ ...SPEC, ...STATUS });
    return hasStatus ? leaving(STATUS) : (set) => set;
  }
  if (subresource === "status") {
    if (isCustom || KEPT_BY_STATUS[name] === "all") return leaving({ ...SPEC, "f:metadata": {} });
    const kept = metadataKeptByStatus(kind).map((field) => [`f:${field}`, {}]);
    return leaving(kept.length > 0 ? { ...SPEC, "f:metadata": Object.fromEntries(kept) } : SPEC);
  }
  const { leaves, changes } = SUBRESOURCES[`${name}/${subresource}`] ?? {};
  if (changes) {
    const prefixes = changes as FieldSet;
    return (set) => within(set, prefixes);
  }
  return leaves ? leaving(leaves) : (set) => set;
}

function leaving(fields: object): FieldFilter {
  const left = parseFieldSet(fields);
  return (set) => recursiveDifference(set, left);
}
