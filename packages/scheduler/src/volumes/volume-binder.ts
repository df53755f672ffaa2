// Keeps what the scheduler decides about volumes, writes it, and waits until the binder and the provisioner have done
// their part. Upstream's SchedulerVolumeBinder. Decides nothing itself.

import {
  type Node,
  nodes,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentvolumeclaims,
  persistentvolumes,
  pods,
} from "@picokube/api/core/v1";
import { isFullyBound, selectedNode, volumeBoundTo, volumeClass } from "@picokube/api/core/volume-claims";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { storageclasses } from "@picokube/api/storage/v1";
import type { Client } from "@picokube/client/client";
import type { InformerFactory } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import type { Clock } from "@picokube/component-base/clock";
import { LIVE_PODS } from "../event-handlers.js";
import type { PodInfo } from "../framework/pod-info.js";
import type { VolumeDecision, VolumeLookups } from "../framework/volume-lookups.js";
import { AssumeCache } from "./assume-cache.js";
import { volumeFitsNode } from "./volume-node-affinity.js";

const lookAgainMs = 1_000;

interface Assumed {
  readonly volumes: readonly PersistentVolume[];
  readonly claims: readonly PersistentVolumeClaim[];
  /** The claims that the volumes are for. */
  readonly bound: readonly PersistentVolumeClaim[];
}

interface BinderOptions {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly clock: Clock;
}

/** The one binder of a scheduler: all profiles must see each other's promises. */
export function createVolumeBinder({ client, informers, clock }: BinderOptions): VolumeLookups {
  const claimInformer = informers.for(persistentvolumeclaims);
  const volumeInformer = informers.for(persistentvolumes);
  const classInformer = informers.for(storageclasses);
  const podInformer = informers.for(pods, LIVE_PODS);
  const nodeInformer = informers.for(nodes);
  const claims = new AssumeCache(claimInformer);
  const volumes = new AssumeCache(volumeInformer);
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const look of waiting) look();
  };
  for (const informer of [claimInformer, volumeInformer, podInformer])
    informer.addHandler({ add: wake, update: wake, delete: wake });

  function assume({ bindings, provisions }: VolumeDecision, nodeName: string): Assumed {
    const assumed: Assumed = {
      volumes: bindings.map(({ volume, claim }) => volumeBoundTo(volume, claim)),
      bound: bindings.map(({ claim }) => claim),
      claims: provisions.map((claim) => ({
        ...claim,
        metadata: { ...claim.metadata, annotations: { ...claim.metadata.annotations, [selectedNode]: nodeName } },
      })),
    };
    for (const volume of assumed.volumes) volumes.assume(volume);
    for (const claim of assumed.claims) claims.assume(claim);
    return assumed;
  }

  /** Upstream's bindAPIUpdate: the binder and the provisioner take it from there. */
  async function write({ volumes, claims, bound }: Assumed): Promise<Assumed> {
    const saved: PersistentVolume[] = [];
    for (const volume of volumes) saved.push(await client.update(persistentvolumes, volume));
    const asked: PersistentVolumeClaim[] = [];
    for (const claim of claims) asked.push(await client.update(persistentvolumeclaims, claim));
    return { volumes: saved, claims: asked, bound };
  }

  /** Whether all is bound; throws when it never will be as decided. Upstream's checkBindings. */
  function check({ pod }: PodInfo, node: Node | undefined, { volumes, claims, bound }: Assumed): boolean {
    if (!node) throw new Error("the node is gone");
    const { name, uid } = pod.metadata;
    if (podInformer.get(keyOf(pod))?.metadata.uid !== uid)
      throw new Error(`pod does not exist any more: pod "${name}" not found`);
    const reserved = volumes.map((volume, index) => isReserved({ volume, claim: bound[index]!, node }));
    const provisioned = claims.map((claim) => isProvisioned(claim, node));
    return [...reserved, ...provisioned].every(Boolean);
  }

  function isReserved({
    volume,
    claim,
    node,
  }: {
    volume: PersistentVolume;
    claim: PersistentVolumeClaim;
    node: Node;
  }): boolean {
    const known = volumeInformer.get(keyOf(volume));
    const own = claimInformer.get(keyOf(claim));
    const missing = known ? own : volume;
    if (!known || !own) throw new Error(`failed to check binding: could not find "${keyOf(missing ?? claim)}"`);
    if (isOlder(known, volume)) return false;
    requireFit(known, node);
    if (!known.spec?.claimRef?.uid) throw new Error(`ClaimRef got reset for pv "${known.metadata.name}"`);
    return isFullyBound(own);
  }

  function isProvisioned(claim: PersistentVolumeClaim, node: Node): boolean {
    const known = claimInformer.get(keyOf(claim));
    if (!known) throw new Error(`failed to check provisioning pvc: could not find "${keyOf(claim)}"`);
    if (isOlder(known, claim)) return false;
    const { name, annotations } = known.metadata;
    if (!annotations) throw new Error(`selectedNode annotation reset for PVC "${name}"`);
    // A provisioner that cannot take the node says so by taking the annotation away.
    if (annotations[selectedNode] !== node.metadata.name) throw new Error(`provisioning failed for PVC "${name}"`);
    if (!known.spec?.volumeName) return false;
    const volume = volumeInformer.get(known.spec.volumeName);
    if (!volume) return false;
    requireFit(volume, node);
    return isFullyBound(known);
  }

  async function untilBound(
    pod: PodInfo,
    {
      nodeName,
      assumed,
      deadlineMs,
      signal,
    }: { nodeName: string; assumed: Assumed; deadlineMs: number; signal: AbortSignal },
  ): Promise<void> {
    while (!check(pod, nodeInformer.get(nodeName), assumed)) {
      signal.throwIfAborted();
      if (clock.now() >= deadlineMs) throw new Error("context deadline exceeded");
      await new Promise<void>((resolve) => {
        const look = () => {
          waiting.delete(look);
          timer.cancel();
          resolve();
        };
        const timer = clock.after(lookAgainMs, look);
        waiting.add(look);
      });
    }
  }

  return {
    claim: (namespace, name) => claims.get(`${namespace}/${name}`),
    volume: (name) => volumes.get(name),
    volumesOf: (storageClass) => volumes.list().filter((volume) => volumeClass(volume) === storageClass),
    storageClass: (name) => classInformer.get(name),
    reserve(pod, { nodeName, decision, timeoutMs }) {
      const assumed = assume(decision, nodeName);
      return {
        release() {
          for (const volume of assumed.volumes) volumes.restore(volume);
          for (const claim of assumed.claims) claims.restore(claim);
        },
        async complete(signal) {
          const deadlineMs = clock.now() + timeoutMs;
          const written = await write(assumed);
          await untilBound(pod, { nodeName, assumed: written, deadlineMs, signal }).catch((cause: Error) => {
            throw new Error(`binding volumes: ${cause.message}`, { cause });
          });
        },
      };
    },
  };
}

function isOlder(known: KubernetesObject, written: KubernetesObject): boolean {
  return BigInt(known.metadata.resourceVersion) < BigInt(written.metadata.resourceVersion);
}

function requireFit(volume: PersistentVolume, { metadata: { name, labels } }: Node): void {
  if (volumeFitsNode(volume, labels)) return;
  throw new Error(
    `pv "${volume.metadata.name}" node affinity doesn't match node "${name}": no matching NodeSelectorTerms`,
  );
}
