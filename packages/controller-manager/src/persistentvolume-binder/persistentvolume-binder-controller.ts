// Binds PersistentVolumeClaims to PersistentVolumes and deals with volumes that nobody claims any more.
// Watches: PersistentVolumes, PersistentVolumeClaims, StorageClasses, Pods. Writes: volumes, claims, their status,
// recycler Pods. Makes and deletes no storage: provisioners do.

import {
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentvolumeclaims,
  persistentvolumes,
  pods,
} from "@picokube/api/core/v1";
import {
  betaStorageProvisioner,
  bindCompleted,
  claimClass,
  hasAnnotation,
  isBoundTo,
  storageProvisioner,
  volumeClass,
} from "@picokube/api/core/volume-claims";
import { isPodTerminal } from "@picokube/api/pod";
import { defaultStorageClass } from "@picokube/api/storage/default-class";
import { storageclasses } from "@picokube/api/storage/v1";
import type { Controller, Result, WatchSource } from "@picokube/client/controller";
import { ifThere } from "@picokube/client/if-there";
import type { Informer, ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import { mapped, self } from "@picokube/client/watch-sources";
import type { Dependencies } from "../dependencies.js";
import { podsByClaim } from "../pods-by-claim.js";
import { createBinding } from "./binding.js";
import { type EventWords, planClaim } from "./claim-plan.js";
import { createRecycler } from "./recycler.js";
import { recycledVolume } from "./recycler-pod.js";
import { planVolume, type ReclaimPlan } from "./volume-plan.js";
import { WrittenObjects } from "./written-objects.js";

const byClaim = "volumesByClaim";
const unbound = "unboundClaims";

/** Upstream's persistentvolume-binder-controller. Keys of claims have a namespace, keys of volumes none; one worker. */
export function persistentVolumeBinder({
  client,
  informers,
  clock,
  options,
  recorder: recorderOf,
}: Dependencies): Controller {
  const volumeInformer = informers.for(persistentvolumes);
  const claimInformer = informers.for(persistentvolumeclaims);
  const classInformer = informers.for(storageclasses);
  const podInformer = informers.for(pods);
  const podsOf = podsByClaim(podInformer);
  const volumes = new WrittenObjects(volumeInformer);
  const claims = new WrittenObjects(claimInformer);
  const recorder = recorderOf("persistentvolume-controller");
  const binding = createBinding({ client, volumes, claims });
  const recycle = createRecycler({ client, informer: podInformer, clock, options });
  const again: Result = { requeueAfterMs: options.pvclaimbinderSyncPeriod };
  volumeInformer.addIndex(byClaim, ({ spec }) =>
    spec?.claimRef ? [`${spec.claimRef.namespace}/${spec.claimRef.name}`] : [],
  );
  claimInformer.addIndex(unbound, (claim) => (hasAnnotation(claim, bindCompleted) ? [] : [unbound]));

  async function reconcile(key: ObjectKey): Promise<Result> {
    if (!key.includes("/")) return reconcileVolume(key);
    const claim = claims.get(key);
    return claim && reconcileClaim(key, claim);
  }

  async function reconcileClaim(key: ObjectKey, claim: PersistentVolumeClaim): Promise<Result> {
    const plan = planClaim(claim, {
      // Asked for by claims that look for one, and by no others.
      get volumes() {
        return volumes.list();
      },
      volume: (name) => volumes.get(name),
      storageClass: (name) => classInformer.get(name),
      defaultClass: defaultStorageClass(classInformer.list()),
      waitingPods: podsOf(key)
        .filter((pod) => !pod.spec?.nodeName && !isPodTerminal(pod))
        .map(({ metadata }) => metadata.name),
    });
    switch (plan.kind) {
      case "bind":
        return binding.bind(plan.volume, claim);
      case "assignClass":
        await binding.updateClaim({ ...claim, spec: { ...claim.spec, storageClassName: plan.storageClass } });
        return;
      case "provision":
        await askProvisioner(claim, plan.provisioner);
        return again;
      case "lose":
        if (await binding.setClaimPhase(claim, "Lost")) recorder.record(claim, plan.event);
        return;
      case "wait":
        if (plan.event) recorder.record(claim, plan.event);
        if (plan.error) throw new Error(plan.error);
        await binding.setClaimPhase(claim, "Pending");
        return again;
    }
  }

  // Upstream's provisionClaimOperationExternal.
  async function askProvisioner(claim: PersistentVolumeClaim, provisioner: string): Promise<void> {
    const { annotations } = claim.metadata;
    const wanted = { [betaStorageProvisioner]: provisioner, [storageProvisioner]: provisioner };
    if (Object.entries(wanted).some(([name, value]) => annotations?.[name] !== value))
      await binding.updateClaim({
        ...claim,
        metadata: { ...claim.metadata, annotations: { ...annotations, ...wanted } },
      });
    const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
    recorder.record(claim, { type: "Normal", reason: "ExternalProvisioning", message });
  }

  async function reconcileVolume(name: string): Promise<Result> {
    const volume = volumes.get(name);
    if (!volume) return;
    const claim = await claimOf(volume);
    const plan = planVolume(volume, claim);
    switch (plan.kind) {
      case "phase":
        await binding.setVolumePhase(volume, plan.phase);
        return;
      case "askClaim":
        return reconcileClaim(keyOf(claim!), claim!);
      case "mismatch":
        recorder.record(volume, plan.onVolume);
        recorder.record(claim!, plan.onClaim);
        return again;
      case "unbind":
        return binding.unbind(volume);
      case "reclaim":
        return reclaim(volume, plan.reclaim);
    }
  }

  /** The claim that the volume names, uid and all. The cache may be behind the binding: before it is released, the server is asked. */
  async function claimOf({ spec, status }: PersistentVolume): Promise<PersistentVolumeClaim | undefined> {
    const { namespace, name = "", uid } = spec?.claimRef ?? {};
    if (!uid) return undefined;
    const known = claims.get(`${namespace}/${name}`);
    if (known?.metadata.uid === uid) return known;
    if (status?.phase === "Released" || status?.phase === "Failed") return undefined;
    const where = { name, ...(namespace ? { namespace } : {}) };
    const found = await ifThere(client.get(persistentvolumeclaims, where));
    return found?.metadata.uid === uid ? found : undefined;
  }

  async function reclaim(volume: PersistentVolume, plan: ReclaimPlan): Promise<Result> {
    // A failure stays to be seen while the work is tried again.
    if (volume.status?.phase !== "Failed") await binding.setVolumePhase(volume, "Released");
    const released = volumes.get(volume.metadata.name) ?? volume;
    if (plan.kind === "leave") return;
    if (plan.kind === "fail") await fail(released, plan.event);
    else await recycleOne(released);
    return again;
  }

  async function recycleOne(volume: PersistentVolume): Promise<void> {
    const { claimRef } = volume.spec!;
    const key = `${claimRef!.namespace}/${claimRef!.name}`;
    const users = podsOf(key).filter((pod) => !isPodTerminal(pod));
    if (users.length > 0 && !claims.get(key)) {
      const names = users.map(keyOf).sort().join(",");
      const message = `Volume is used by pods: ${names}`;
      recorder.record(volume, { type: "Normal", reason: "VolumeFailedRecycle", message });
      return;
    }
    const recycled = await recycle(volume);
    if (!recycled.done) return;
    if (recycled.failure !== undefined) {
      const message = `Recycle failed: ${recycled.failure}`;
      return fail(volume, { type: "Warning", reason: "VolumeFailedRecycle", message });
    }
    recorder.record(volume, { type: "Normal", reason: "VolumeRecycled", message: "Volume recycled" });
    await binding.unbind(volume);
  }

  async function fail(volume: PersistentVolume, event: EventWords): Promise<void> {
    if (await binding.setVolumePhase(volume, "Failed", event.message)) recorder.record(volume, event);
  }

  const claimsFor = (volume: PersistentVolume): ObjectKey[] =>
    claimInformer
      .byIndex(unbound, unbound)
      .filter((claim) => {
        const { volumeName } = claim.spec ?? {};
        if (volumeName) return volumeName === volume.metadata.name;
        return isBoundTo(volume, claim) || volumeClass(volume) === claimClass(claim);
      })
      .map(keyOf);
  return {
    name: "persistentvolume-binder-controller",
    watches: [
      self(volumeInformer),
      self(claimInformer),
      offers(volumeInformer, claimsFor),
      mapped(claimInformer, (claim) => volumesNaming(claim).map(keyOf)),
      mapped(classInformer, () => claimInformer.byIndex(unbound, unbound).map(keyOf)),
      mapped(podInformer, (pod) => [recycledVolume(pod)].filter((name) => name !== undefined)),
    ],
    reconcile,
  };

  function volumesNaming(claim: PersistentVolumeClaim): PersistentVolume[] {
    return volumeInformer.byIndex(byClaim, keyOf(claim));
  }
}

/** Claims that a volume concerns: those it could serve when it is free, the one it served when it goes. */
function offers(
  informer: Informer<PersistentVolume>,
  claimsFor: (volume: PersistentVolume) => ObjectKey[],
): WatchSource {
  return {
    informer,
    handler(enqueue) {
      const offer = (volume: PersistentVolume) => {
        for (const key of claimsFor(volume)) enqueue(key);
      };
      return {
        add: offer,
        update: (_: PersistentVolume, volume: PersistentVolume) => offer(volume),
        delete({ spec }: PersistentVolume) {
          if (spec?.claimRef) enqueue(`${spec.claimRef.namespace}/${spec.claimRef.name}`);
        },
      };
    },
  };
}
