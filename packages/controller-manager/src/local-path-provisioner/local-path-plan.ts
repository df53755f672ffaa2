// Where a claim's directory comes to lie and what its PersistentVolume looks like. Pure.

import type { Node, PersistentVolume, PersistentVolumeClaim } from "@picokube/api/core/v1";
import { provisionedBy } from "@picokube/api/core/volume-claims";
import type { NewObject } from "@picokube/api/meta/v1";
import { localPathDirectory, localPathProvisioner, localPathRoot } from "@picokube/api/storage/local-path";
import type { StorageClass } from "@picokube/api/storage/v1";
import { findCondition } from "../conditions.js";

/** Keeps a volume object until its directory is gone: upstream's finalizer of external provisioners. */
export const provisionerFinalizer = "external-provisioner.volume.kubernetes.io/finalizer";

const supportedModes = new Set(["ReadWriteOnce", "ReadWriteOncePod"]);

/** Why no directory can serve this claim. */
export function refusal({ spec }: PersistentVolumeClaim): string | undefined {
  const unsupported = (spec?.accessModes ?? []).find((mode) => !supportedModes.has(mode));
  if (unsupported)
    return `access mode ${unsupported} is not supported: a directory of one node serves ReadWriteOnce and ReadWriteOncePod`;
  if (spec?.volumeMode === "Block") return "volume mode Block is not supported: a directory is no block device";
  if (spec?.selector) return "claim.Spec.Selector is not supported";
  if (spec?.dataSource || spec?.dataSourceRef) return "a data source is not supported";
  return undefined;
}

/** The node for a claim that no pod waits for: ready, open, allowed by the class, and with the fewest volumes so far. */
export function chooseNode(
  nodes: readonly Node[],
  { storageClass, volumesOn }: { storageClass: StorageClass; volumesOn: (node: Node) => number },
): Node | undefined {
  return nodes
    .filter((node) => {
      const ready = findCondition(node.status?.conditions, "Ready")?.status === "True";
      const offers = node.metadata.annotations?.[localPathRoot] !== undefined;
      return ready && offers && !node.spec?.unschedulable && isAllowed(node, storageClass.allowedTopologies);
    })
    .sort((a, b) => volumesOn(a) - volumesOn(b) || a.metadata.name.localeCompare(b.metadata.name))[0];
}

// Upstream's MatchTopologySelectorTerms.
function isAllowed({ metadata }: Node, terms: StorageClass["allowedTopologies"]): boolean {
  if (!terms?.length) return true;
  return terms.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) => values.includes(metadata.labels?.[key] ?? "")),
  );
}

/** The label value by which volumes name their node. */
export const hostnameOf = ({ metadata }: Node): string => metadata.labels?.["kubernetes.io/hostname"] ?? metadata.name;

/** The volume for a claim, on a node that offers a directory. */
export function newVolume(
  claim: PersistentVolumeClaim,
  { node, storageClass }: { node: Node; storageClass: StorageClass },
): NewObject<PersistentVolume> {
  const { name, namespace, uid, resourceVersion } = claim.metadata;
  const volumeName = volumeNameOf(claim);
  const hostname = { key: "kubernetes.io/hostname", operator: "In" as const, values: [hostnameOf(node)] };
  const policy = storageClass.reclaimPolicy ?? "Delete";
  return {
    metadata: {
      name: volumeName,
      annotations: { [provisionedBy]: localPathProvisioner },
      ...(policy === "Delete" ? { finalizers: [provisionerFinalizer] } : {}),
    },
    spec: {
      capacity: { storage: claim.spec!.resources!.requests!.storage! },
      accessModes: claim.spec!.accessModes!,
      volumeMode: "Filesystem",
      storageClassName: storageClass.metadata.name,
      persistentVolumeReclaimPolicy: policy as "Delete" | "Retain",
      claimRef: {
        kind: "PersistentVolumeClaim",
        apiVersion: "v1",
        namespace: namespace!,
        name,
        uid,
        resourceVersion,
      },
      local: { path: `${node.metadata.annotations![localPathRoot]}/${localPathDirectory(volumeName, claim)}` },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [hostname] }] } },
    },
  };
}

/** One name for one claim, so that a second try finds the first. Upstream's getProvisionedVolumeNameForClaim. */
export const volumeNameOf = ({ metadata }: PersistentVolumeClaim): string => `pvc-${metadata.uid}`;
