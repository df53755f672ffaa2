// The provisioner with the binder and the protection controllers against a real apiserver. The test plays the kubelet's
// and the scheduler's part.

import {
  events,
  nodes,
  type PersistentVolumeClaim,
  persistentvolumeclaims,
  persistentvolumes,
} from "@picokube/api/core/v1";
import type { NewObject } from "@picokube/api/meta/v1";
import { localPathRoot, removalOf, removed } from "@picokube/api/storage/local-path";
import { type StorageClass, storageclasses } from "@picokube/api/storage/v1";
import type { Client } from "@picokube/client/client";
import { ifThere } from "@picokube/client/if-there";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { type Test, test } from "tap";
import { persistentVolumeBinder } from "../persistentvolume-binder/persistentvolume-binder-controller.js";
import { persistentVolumeExpander } from "../persistentvolume-expander/persistentvolume-expander-controller.js";
import { pvProtectionController } from "../pv-protection/pv-protection-controller.js";
import { pvcProtectionController } from "../pvc-protection/pvc-protection-controller.js";
import { runControllers } from "../run-controllers.testing.js";
import { localPathProvisionerController } from "./local-path-provisioner-controller.js";

const namespace = "default";
const patienceMs = 60_000;
const merge = { type: "merge" } as const;

async function start(t: Test) {
  const { client } = await startApiServer(t);
  runControllers(t, {
    client,
    create: [
      persistentVolumeBinder,
      persistentVolumeExpander,
      pvcProtectionController,
      pvProtectionController,
      localPathProvisionerController,
    ],
    workers: 1,
    options: { pvclaimbinderSyncPeriod: 300 },
  });
  await addNode(client, "home");
  return {
    client,
    ...on(client),
    addClass: (name: string, more: Partial<StorageClass> = {}) =>
      client.create(storageclasses, { metadata: { name }, provisioner: "picokube.io/local-path", ...more }),
  };
}

async function addNode(client: Client, name: string): Promise<void> {
  const annotations = { [localPathRoot]: `/var/${name}` };
  await client.create(nodes, { metadata: { name, annotations, labels: { "kubernetes.io/hostname": name } } });
  const status = { conditions: [{ type: "Ready", status: "True" }] };
  await client.patch(nodes, { name }, { status }, { ...merge, subresource: "status" });
}

function on(client: Client) {
  const claimOf = (name: string) => ifThere(client.get(persistentvolumeclaims, { name, namespace }));
  const later = <T>(what: string, look: () => Promise<T | undefined | false>) => eventually(what, look, patienceMs);
  return {
    claimOf,
    later,
    nodeOf: (name: string) => client.get(nodes, { name }),
    claim(name: string, storageClassName: string, spec: Partial<PersistentVolumeClaim["spec"]> = {}) {
      const base = { resources: { requests: { storage: "1Gi" } }, accessModes: ["ReadWriteOnce"], storageClassName };
      const object = { metadata: { name, namespace }, spec: { ...base, ...spec } } as NewObject<PersistentVolumeClaim>;
      return client.create(persistentvolumeclaims, object);
    },
    select: (name: string, node: string) =>
      client.patch(
        persistentvolumeclaims,
        { name, namespace },
        { metadata: { annotations: { "volume.kubernetes.io/selected-node": node } } },
        merge,
      ),
    bound: (name: string) =>
      later(`${name} is bound`, async () => {
        const found = await claimOf(name);
        return found?.status?.phase === "Bound" && client.get(persistentvolumes, { name: found.spec!.volumeName! });
      }),
    told: (name: string, reason: string) =>
      later(`${reason} of ${name}`, async () => {
        const fieldSelector = `involvedObject.name=${name},reason=${reason}`;
        return (await client.list(events, { namespace, fieldSelector })).items[0]?.message;
      }),
  };
}

test("a directory comes with the claim's node, and goes with the claim", async (t) => {
  const { client, addClass, claim, select, bound, told, claimOf, nodeOf, later } = await start(t);
  await addClass("wait", { volumeBindingMode: "WaitForFirstConsumer", reclaimPolicy: "Delete" });
  await claim("data", "wait");
  await told("data", "WaitForFirstConsumer");
  t.strictSame((await client.list(persistentvolumes)).items, [], "nothing before a pod has a node");
  await select("data", "home");
  const volume = await bound("data");
  const { uid } = (await claimOf("data"))!.metadata;
  t.equal(volume.metadata.name, `pvc-${uid}`);
  t.equal(volume.spec?.local?.path, `/var/home/pvc-${uid}_default_data`);
  t.equal(await told("data", "Provisioning"), 'External provisioner is provisioning volume for claim "default/data"');
  t.equal(await told("data", "ProvisioningSucceeded"), `Successfully provisioned volume pvc-${uid}`);

  // Deleted before its claim: it stays until the claim has gone and the directory too.
  const { name } = volume.metadata;
  await client.delete(persistentvolumes, { name });
  t.equal((await bound("data")).metadata.name, name, "a bound volume is protected");
  await client.delete(persistentvolumeclaims, { name: "data", namespace });
  await later("the node is asked", async () => {
    const asked = (await nodeOf("home")).metadata.annotations?.[removalOf(name)];
    return asked === `pvc-${uid}_default_data`;
  });
  t.equal((await client.get(persistentvolumes, { name })).status?.phase, "Released");
  await client.patch(nodes, { name: "home" }, { metadata: { annotations: { [removalOf(name)]: removed } } }, merge);
  await later("the volume is gone", async () => (await ifThere(client.get(persistentvolumes, { name }))) === undefined);
  await later("and nothing is left on the node", async () => {
    const { annotations } = (await nodeOf("home")).metadata;
    return annotations?.[removalOf(name)] === undefined;
  });
});

test("Immediate, Retain, and a node that is gone", async (t) => {
  const { client, addClass, claim, bound, later } = await start(t);
  await addClass("now", { volumeBindingMode: "Immediate", reclaimPolicy: "Delete" });
  await addClass("keep", { volumeBindingMode: "Immediate", reclaimPolicy: "Retain" });
  await claim("now", "now");
  const first = await bound("now");
  await addNode(client, "second");
  await claim("keep", "keep");
  const kept = await bound("keep");
  t.match(kept.spec?.local?.path, /^\/var\/second\//, "volumes spread over nodes");
  await client.delete(persistentvolumeclaims, { name: "keep", namespace });
  await later("it is released", async () => {
    const found = await client.get(persistentvolumes, { name: kept.metadata.name });
    return found.status?.phase === "Released";
  });
  await client.delete(nodes, { name: "home" });
  await client.delete(persistentvolumeclaims, { name: "now", namespace });
  await later(
    "its volume goes without an answer",
    async () => (await ifThere(client.get(persistentvolumes, { name: first.metadata.name }))) === undefined,
  );
  const still = await client.get(persistentvolumes, { name: kept.metadata.name });
  t.equal(still.metadata.deletionTimestamp, undefined, "Retain keeps");
});

test("what cannot be is refused, and the scheduler is asked again", async (t) => {
  const { addClass, claim, select, told, claimOf, later } = await start(t);
  await addClass("wait", { volumeBindingMode: "WaitForFirstConsumer" });
  await claim("shared", "wait", { accessModes: ["ReadWriteMany"] });
  await select("shared", "home");
  t.match(
    await told("shared", "ProvisioningFailed"),
    /^failed to provision volume with StorageClass "wait": access mode ReadWriteMany is not supported/,
  );
  const unselected = async (name: string) =>
    (await claimOf(name))?.metadata.annotations?.["volume.kubernetes.io/selected-node"] === undefined;
  await later("its node is taken back", () => unselected("shared"));
  await claim("lost", "wait");
  await select("lost", "nowhere");
  t.match(await told("lost", "ProvisioningFailed"), /failed to get target node: node "nowhere" not found$/);
  await later("its node is taken back", () => unselected("lost"));
});

test("a claim grows where its class allows it", async (t) => {
  const { client, addClass, claim, bound, told, claimOf, later } = await start(t);
  await addClass("fixed", { volumeBindingMode: "Immediate" });
  await addClass("growing", { volumeBindingMode: "Immediate", allowVolumeExpansion: true });
  await claim("fixed", "fixed");
  await claim("growing", "growing");
  await bound("fixed");
  await bound("growing");
  const grow = (name: string) => {
    const patch = { spec: { resources: { requests: { storage: "5Gi" } } } };
    return client.patch(persistentvolumeclaims, { name, namespace }, patch, merge);
  };
  await t.rejects(grow("fixed"), {
    message:
      /only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize/,
  });
  await grow("growing");
  await later("its status says so", async () => (await claimOf("growing"))?.status?.capacity?.storage === "5Gi");
  t.equal((await bound("growing")).spec?.capacity?.storage, "5Gi");
  t.equal(await told("growing", "ExternalExpanding"), "waiting for an external controller to expand this PVC");
  t.equal(await told("growing", "VolumeResizeSuccessful"), "Resize volume succeeded");
});
