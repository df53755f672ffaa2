// VolumeBinding: a pod goes where its volumes are, or where they can come to be.

import { findVolume } from "@picokube/api/core/find-volume";
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "@picokube/api/core/v1";
import {
  claimClass,
  claimNameOf,
  foreignClaim,
  isFullyBound,
  noProvisioner,
  requestedSize,
  selectedNode,
} from "@picokube/api/core/volume-claims";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import type { StorageClass } from "@picokube/api/storage/v1";
import type { NodeInfo } from "../framework/node-info.js";
import type { Plugin } from "../framework/plugin.js";
import type { VolumeDecision, VolumeLookups } from "../framework/volume-lookups.js";
import { volumeFitsNode } from "../volumes/volume-node-affinity.js";

const BIND_CONFLICT = "node(s) didn't find available persistent volumes to bind";
const NODE_CONFLICT = "node(s) had volume node affinity conflict";
const NO_VOLUME = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";
const UNBOUND_IMMEDIATE = "pod has unbound immediate PersistentVolumeClaims";

interface PodClaims {
  readonly bound: readonly PersistentVolumeClaim[];
  /** Those that wait for the pod's node. */
  readonly delayed: readonly PersistentVolumeClaim[];
}

type NodeLike = Pick<NodeInfo, "name" | "labels">;

/** The claims of a pod's volumes, or why none of them can be used anywhere yet. Upstream's podHasPVCs. */
function claimsOf(pod: Pod, lookups: VolumeLookups): PersistentVolumeClaim[] | string {
  const claims: PersistentVolumeClaim[] = [];
  for (const volume of pod.spec?.volumes ?? []) {
    const name = claimNameOf(pod, volume);
    if (name === undefined) continue;
    const claim = lookups.claim(pod.metadata.namespace ?? "", name);
    if (!claim) {
      return volume.ephemeral
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
        : `persistentvolumeclaim "${name}" not found`;
    }
    if (claim.status?.phase === "Lost") {
      return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec?.volumeName}"`;
    }
    if (claim.metadata.deletionTimestamp) return `persistentvolumeclaim "${name}" is being deleted`;
    const objection = volume.ephemeral && foreignClaim(pod, claim);
    if (objection) return objection;
    claims.push(claim);
  }
  return claims;
}

function isDelayed(claim: PersistentVolumeClaim, lookups: VolumeLookups): boolean {
  const { volumeBindingMode } = lookups.storageClass(claimClass(claim)) ?? {};
  return volumeBindingMode === "WaitForFirstConsumer" && !claim.spec?.volumeName;
}

/** Upstream's MatchTopologySelectorTerms. */
function isAllowed({ allowedTopologies }: StorageClass, { labels }: NodeLike): boolean {
  if (!allowedTopologies?.length) return true;
  return allowedTopologies.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) => values.includes(labels[key] ?? "")),
  );
}

function canProvision(claim: PersistentVolumeClaim, node: NodeLike, lookups: VolumeLookups): boolean {
  const storageClass = lookups.storageClass(claimClass(claim));
  return !!storageClass?.provisioner && storageClass.provisioner !== noProvisioner && isAllowed(storageClass, node);
}

/** What the pod's volumes take on a node, or why it will not do. Upstream's FindPodVolumes. */
export function decide(
  { bound, delayed }: PodClaims,
  node: NodeLike,
  lookups: VolumeLookups,
): { decision: VolumeDecision } | { reasons: string[] } {
  const reasons = [boundReason(bound, node, lookups)].filter((reason) => reason !== undefined);
  const bindings: { claim: PersistentVolumeClaim; volume: PersistentVolume }[] = [];
  const provisions: PersistentVolumeClaim[] = [];
  const chosen = new Set<string>();
  const fitsNode = (volume: PersistentVolume) => volumeFitsNode(volume, node.labels);
  const bySize = [...delayed].sort((a, b) => requestedSize(a).compare(requestedSize(b)));
  for (const claim of bySize) {
    const selected = claim.metadata.annotations?.[selectedNode];
    const volumes = selected === undefined ? lookups.volumesOf(claimClass(claim)) : [];
    const volume = findVolume(claim, { volumes, fitsNode, excluded: chosen });
    if (volume) {
      chosen.add(volume.metadata.name);
      bindings.push({ claim, volume });
    } else if ((selected === undefined || selected === node.name) && canProvision(claim, node, lookups)) {
      provisions.push(claim);
    } else {
      reasons.push(BIND_CONFLICT);
      break;
    }
  }
  return reasons.length > 0 ? { reasons } : { decision: { bindings, provisions } };
}

function boundReason(bound: PodClaims["bound"], node: NodeLike, lookups: VolumeLookups): string | undefined {
  for (const claim of bound) {
    const volume = lookups.volume(claim.spec!.volumeName!);
    if (!volume) return NO_VOLUME;
    if (!volumeFitsNode(volume, node.labels)) return NODE_CONFLICT;
  }
  return undefined;
}

/** Upstream's default of VolumeBindingArgs. */
const defaultBindTimeoutMs = 600_000;

export function volumeBinding(
  lookups: VolumeLookups,
  { bindTimeoutMs = defaultBindTimeoutMs }: { bindTimeoutMs?: number | undefined } = {},
): Plugin<PodClaims> {
  return {
    name: "VolumeBinding",
    preFilter({ pod }) {
      const claims = claimsOf(pod, lookups);
      if (typeof claims === "string") return { reject: { reasons: [claims], unresolvable: true } };
      if (claims.length === 0) return "skip";
      const bound = claims.filter(isFullyBound);
      const delayed = claims.filter((claim) => !isFullyBound(claim) && isDelayed(claim, lookups));
      if (bound.length + delayed.length < claims.length) {
        return { reject: { reasons: [UNBOUND_IMMEDIATE], unresolvable: true } };
      }
      return { state: { bound, delayed } };
    },
    filter(_, node, state) {
      const verdict = decide(state, node, lookups);
      return "reasons" in verdict ? { reasons: verdict.reasons, unresolvable: true } : undefined;
    },
    reserve(pod, node, state) {
      if (state.delayed.length === 0) return undefined;
      const verdict = decide(state, node, lookups);
      if ("reasons" in verdict) throw new Error(verdict.reasons.join(", "));
      return lookups.reserve(pod, { nodeName: node.name, decision: verdict.decision, timeoutMs: bindTimeoutMs });
    },
    mayHelp({ pod }, event) {
      switch (event.resource) {
        case "node":
          return !event.previous || !semanticDeepEqual(event.previous.metadata.labels, event.current.metadata.labels);
        case "claim":
          return event.current !== undefined && usesClaim(pod, event.current);
        case "volume":
          return event.current !== undefined;
        case "storageClass": {
          const { previous, current } = event;
          if (!previous || !current) return current !== undefined;
          return !semanticDeepEqual(previous.allowedTopologies, current.allowedTopologies);
        }
        default:
          return false;
      }
    },
  };
}

/** Whether the claim is one of the pod's. */
export function usesClaim(pod: Pod, { metadata }: PersistentVolumeClaim): boolean {
  if (pod.metadata.namespace !== metadata.namespace) return false;
  return (pod.spec?.volumes ?? []).some((volume) => claimNameOf(pod, volume) === metadata.name);
}
