// The bundled provisioner: gives claims of its classes a directory on a node, as a local PersistentVolume, and has that
// node's kubelet remove it in the end. Decides and writes objects only; it touches no disk.
// Watches: PersistentVolumeClaims, PersistentVolumes, StorageClasses, Nodes. Writes: volumes, the claims' selected node
// and capacity, annotations of Nodes.

import {
  type Node,
  nodes,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentvolumeclaims,
  persistentvolumes,
} from "@picokube/api/core/v1";
import {
  capacityOf,
  claimClass,
  provisionedBy,
  requestedSize,
  selectedNode,
  storageProvisioner,
} from "@picokube/api/core/volume-claims";
import { isAlreadyExists } from "@picokube/api/errors";
import { parseQuantity } from "@picokube/api/quantity";
import {
  localPathPlace,
  localPathProvisioner,
  localPathRoot,
  removalOf,
  removalsOn,
  removed,
} from "@picokube/api/storage/local-path";
import { type StorageClass, storageclasses } from "@picokube/api/storage/v1";
import type { Controller, Result } from "@picokube/client/controller";
import { ifThere } from "@picokube/client/if-there";
import type { ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import { mapped, self } from "@picokube/client/watch-sources";
import type { Dependencies } from "../dependencies.js";
import { chooseNode, hostnameOf, newVolume, provisionerFinalizer, refusal, volumeNameOf } from "./local-path-plan.js";

const again: Result = { requeueAfterMs: 15_000 };

/** In the shape of upstream's external provisioners (sig-storage-lib-external-provisioner). Keys of claims have a namespace. */
export function localPathProvisionerController({
  client,
  informers,
  logger,
  recorder: recorderOf,
}: Dependencies): Controller {
  const claimInformer = informers.for(persistentvolumeclaims);
  const volumeInformer = informers.for(persistentvolumes);
  const classInformer = informers.for(storageclasses);
  const nodeInformer = informers.for(nodes);
  const recorder = recorderOf(localPathProvisioner);

  const isOurs = ({ metadata }: PersistentVolume) => metadata.annotations?.[provisionedBy] === localPathProvisioner;

  async function reconcile(key: ObjectKey): Promise<Result> {
    if (!key.includes("/")) return reconcileVolume(key);
    const claim = claimInformer.get(key);
    if (!claim || claim.metadata.deletionTimestamp) return;
    if (claim.spec?.volumeName) return expand(claim);
    if (claim.metadata.annotations?.[storageProvisioner] === localPathProvisioner) return provision(claim);
  }

  async function provision(claim: PersistentVolumeClaim): Promise<Result> {
    const storageClass = classInformer.get(claimClass(claim));
    if (!storageClass || volumeInformer.get(volumeNameOf(claim))) return;
    const chosen = claim.metadata.annotations?.[selectedNode];
    if (storageClass.volumeBindingMode === "WaitForFirstConsumer" && chosen === undefined) return;
    const message = `External provisioner is provisioning volume for claim "${keyOf(claim)}"`;
    recorder.record(claim, { type: "Normal", reason: "Provisioning", message });
    const place = placeFor(claim, { storageClass, chosen });
    if (typeof place === "string") return refuse(claim, { storageClass, why: place });
    const volume = newVolume(claim, { node: place, storageClass });
    await client.create(persistentvolumes, volume).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
    });
    const words = `Successfully provisioned volume ${volume.metadata!.name}`;
    recorder.record(claim, { type: "Normal", reason: "ProvisioningSucceeded", message: words });
  }

  /** A node, or why there is none. */
  function placeFor(
    claim: PersistentVolumeClaim,
    { storageClass, chosen }: { storageClass: StorageClass; chosen: string | undefined },
  ): Node | string {
    const objection = refusal(claim);
    if (objection) return objection;
    if (chosen === undefined)
      return (
        chooseNode(nodeInformer.list(), { storageClass, volumesOn }) ?? "no node is ready that offers a local directory"
      );
    const node = nodeInformer.get(chosen);
    if (!node) return `failed to get target node: node "${chosen}" not found`;
    if (node.metadata.annotations?.[localPathRoot] === undefined) return `node "${chosen}" offers no local directory`;
    return node;
  }

  const volumesOn = (node: Node) =>
    volumeInformer.list().filter((volume) => isOurs(volume) && localPathPlace(volume)?.hostname === hostnameOf(node))
      .length;

  /** Without its selected node the claim is the scheduler's again, which may choose another. */
  async function refuse(
    claim: PersistentVolumeClaim,
    { storageClass, why }: { storageClass: StorageClass; why: string },
  ): Promise<Result> {
    const message = `failed to provision volume with StorageClass "${storageClass.metadata.name}": ${why}`;
    recorder.record(claim, { type: "Warning", reason: "ProvisioningFailed", message });
    const { [selectedNode]: chosen, ...annotations } = claim.metadata.annotations ?? {};
    if (chosen === undefined) return again;
    await client.update(persistentvolumeclaims, { ...claim, metadata: { ...claim.metadata, annotations } });
  }

  // A directory has no size of its own: to grow is to say so. Admission has asked the class whether it may.
  async function expand(claim: PersistentVolumeClaim): Promise<void> {
    const volume = volumeInformer.get(claim.spec!.volumeName!);
    if (!volume || !isOurs(volume) || claim.status?.phase !== "Bound") return;
    const { name } = volume.metadata;
    const grows = capacityOf(volume).compare(requestedSize(claim)) < 0;
    const size = grows ? requestedSize(claim) : capacityOf(volume);
    const capacity = { storage: size.toString() };
    if (grows) {
      const message = `External resizer is resizing volume ${name}`;
      recorder.record(claim, { type: "Normal", reason: "Resizing", message });
      await client.patch(persistentvolumes, { name }, { spec: { capacity } }, { type: "merge" });
    }
    if (parseQuantity(claim.status.capacity?.storage ?? "0").equals(size)) return;
    const where = { name: claim.metadata.name, namespace: claim.metadata.namespace! };
    const options = { type: "merge", subresource: "status" } as const;
    await client.patch(persistentvolumeclaims, where, { status: { capacity } }, options);
    recorder.record(claim, { type: "Normal", reason: "VolumeResizeSuccessful", message: "Resize volume succeeded" });
  }

  async function reconcileVolume(name: string): Promise<void> {
    const volume = volumeInformer.get(name);
    if (!volume) return forget(name);
    if (!isOurs(volume)) return;
    if (!isReleased(volume)) return keepFinalizer(volume);
    const place = localPathPlace(volume);
    const node = place && nodeInformer.list().find((each) => hostnameOf(each) === place.hostname);
    if (!node) {
      // With its node the directory is gone, or out of anybody's reach.
      logger.warn("The node of a released volume is gone, nothing is left to remove", { volume: name });
      return finish(volume);
    }
    const answer = removalsOn(node.metadata.annotations).get(name);
    if (answer === removed) return finish(volume);
    if (answer !== place.directory) await annotate(node, { [removalOf(name)]: place.directory });
  }

  /** The policy may change while the volume is in use. */
  async function keepFinalizer(volume: PersistentVolume): Promise<void> {
    const { finalizers = [], deletionTimestamp } = volume.metadata;
    const wanted = volume.spec?.persistentVolumeReclaimPolicy === "Delete";
    if (wanted === finalizers.includes(provisionerFinalizer) || (wanted && deletionTimestamp)) return;
    const next = wanted
      ? [...finalizers, provisionerFinalizer]
      : finalizers.filter((each) => each !== provisionerFinalizer);
    await client.update(persistentvolumes, { ...volume, metadata: { ...volume.metadata, finalizers: next } });
  }

  async function finish(volume: PersistentVolume): Promise<void> {
    const { name, uid, finalizers = [] } = volume.metadata;
    const left = finalizers.filter((each) => each !== provisionerFinalizer);
    if (left.length < finalizers.length)
      await client.update(persistentvolumes, { ...volume, metadata: { ...volume.metadata, finalizers: left } });
    if (!volume.metadata.deletionTimestamp)
      await ifThere(client.delete(persistentvolumes, { name }, { preconditions: { uid } }));
  }

  /** The volume is gone: what was said about it on a node goes too. */
  async function forget(name: string): Promise<void> {
    for (const node of nodeInformer.list())
      if (removalsOn(node.metadata.annotations).has(name)) await annotate(node, { [removalOf(name)]: null });
  }

  async function annotate({ metadata: { name } }: Node, annotations: Record<string, string | null>): Promise<void> {
    await ifThere(client.patch(nodes, { name }, { metadata: { annotations } }, { type: "merge" }));
  }

  return {
    name: "local-path-provisioner",
    watches: [
      self(claimInformer),
      self(volumeInformer),
      mapped(classInformer, ({ metadata }) =>
        claimInformer
          .list()
          .filter((claim) => !claim.spec?.volumeName && claimClass(claim) === metadata.name)
          .map(keyOf),
      ),
      mapped(nodeInformer, ({ metadata }) => [...removalsOn(metadata.annotations).keys()]),
    ],
    reconcile,
  };
}

// Upstream's shouldDelete: an object that somebody deletes too early waits for its claim by the finalizer.
function isReleased({ metadata, spec, status }: PersistentVolume): boolean {
  if (metadata.deletionTimestamp && !metadata.finalizers?.includes(provisionerFinalizer)) return false;
  return status?.phase === "Released" && spec?.persistentVolumeReclaimPolicy === "Delete";
}
