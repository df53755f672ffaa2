// The binder against a real apiserver: claims and volumes find each other, part, and say why not.

import {
  events,
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentvolumeclaims,
  persistentvolumes,
  pods,
} from "@picokube/api/core/v1";
import type { NewObject } from "@picokube/api/meta/v1";
import { storageclasses } from "@picokube/api/storage/v1";
import type { Client } from "@picokube/client/client";
import { ifThere } from "@picokube/client/if-there";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { pvProtectionController } from "../pv-protection/pv-protection-controller.js";
import { pvcProtectionController } from "../pvc-protection/pvc-protection-controller.js";
import { runControllers } from "../run-controllers.testing.js";
import { serviceAccountController } from "../serviceaccount/serviceaccount-controller.js";
import { persistentVolumeBinder } from "./persistentvolume-binder-controller.js";

const namespace = "default";
const patienceMs = 60_000;
const options = { pvclaimbinderSyncPeriod: 300 };
const protection = [pvcProtectionController, pvProtectionController];

/** tick comes before each look. */
function on(client: Client, tick: () => Promise<unknown> = async () => {}) {
  const claimOf = (name: string) => ifThere(client.get(persistentvolumeclaims, { name, namespace }));
  const volumeOf = (name: string) => ifThere(client.get(persistentvolumes, { name }));
  return {
    claimOf,
    volumeOf,
    async volume(name: string, spec: Partial<PersistentVolume["spec"]> = {}) {
      const base = {
        capacity: { storage: "1Gi" },
        accessModes: ["ReadWriteOnce"],
        storageClassName: "",
        hostPath: { path: "/srv/data" },
      };
      const object = { metadata: { name }, spec: { ...base, ...spec } } as NewObject<PersistentVolume>;
      return client.create(persistentvolumes, object);
    },
    async claim(name: string, spec: Partial<PersistentVolumeClaim["spec"]> = {}) {
      const base = {
        resources: { requests: { storage: "1Gi" } },
        accessModes: ["ReadWriteOnce"],
        storageClassName: "",
      };
      const object = { metadata: { name, namespace }, spec: { ...base, ...spec } } as NewObject<PersistentVolumeClaim>;
      return client.create(persistentvolumeclaims, object);
    },
    remove: (name: string) => client.delete(persistentvolumeclaims, { name, namespace }),
    bound: (name: string, volume: string) =>
      eventually(
        `${name} is bound to ${volume}`,
        async () => {
          await tick();
          const found = await claimOf(name);
          return found?.status?.phase === "Bound" && found.spec?.volumeName === volume && found;
        },
        patienceMs,
      ),
    phase: (volume: string, phase: string) =>
      eventually(
        `${volume} is ${phase}`,
        async () => {
          await tick();
          const found = await volumeOf(volume);
          return found?.status?.phase === phase && found;
        },
        patienceMs,
      ),
    told: (name: string, reason: string) =>
      eventually(
        `${reason} of ${name}`,
        async () => {
          await tick();
          const fieldSelector = `involvedObject.name=${name},reason=${reason}`;
          return (await client.list(events, { namespace, fieldSelector })).items[0]?.message;
        },
        patienceMs,
      ),
  };
}

test("claims find volumes, and leave them", async (t) => {
  const { client } = await startApiServer(t);
  const { claim, volume, bound, phase, told, remove, claimOf, volumeOf } = on(client);
  runControllers(t, { client, create: [persistentVolumeBinder, ...protection], workers: 1, options });

  await volume("large", { capacity: { storage: "10Gi" } });
  await volume("small", { persistentVolumeReclaimPolicy: "Retain" });
  await phase("large", "Available");
  await phase("small", "Available");
  await claim("data");
  const data = await bound("data", "small");
  t.match(data.status, { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" } });
  t.match(data.metadata.annotations, {
    "pv.kubernetes.io/bind-completed": "yes",
    "pv.kubernetes.io/bound-by-controller": "yes",
  });
  const small = await phase("small", "Bound");
  t.match(small.spec?.claimRef, { kind: "PersistentVolumeClaim", name: "data", namespace, uid: data.metadata.uid });
  t.equal(small.metadata.annotations?.["pv.kubernetes.io/bound-by-controller"], "yes");
  t.equal((await volumeOf("large"))?.status?.phase, "Available");

  await claim("huge", { resources: { requests: { storage: "1Ti" } } });
  t.equal(
    await told("huge", "FailedBinding"),
    "no persistent volumes available for this claim and no storage class is set",
  );
  t.equal((await claimOf("huge"))?.status?.phase, "Pending");
  await volume("enough", { capacity: { storage: "2Ti" } });
  await bound("huge", "enough");

  await claim("picky", { volumeName: "large", accessModes: ["ReadWriteMany"] });
  t.equal(await told("picky", "VolumeMismatch"), 'Cannot bind to requested volume "large": incompatible accessMode');
  await claim("chosen", { volumeName: "large" });
  t.notOk((await bound("chosen", "large")).metadata.annotations?.["pv.kubernetes.io/bound-by-controller"]);

  await volume("kept", { claimRef: { namespace, name: "awaited" }, persistentVolumeReclaimPolicy: "Retain" });
  await phase("kept", "Available");
  await claim("other", { resources: { requests: { storage: "1Mi" } } });
  await told("other", "FailedBinding");
  await claim("awaited");
  await bound("awaited", "kept");

  await remove("data");
  t.equal((await phase("small", "Released")).spec?.claimRef?.name, "data", "a person frees it");
  await claim("data");
  await told("data", "FailedBinding");
  t.equal((await claimOf("data"))?.status?.phase, "Pending", "another claim of the name is not the old one");

  // Protected while it is bound: only somebody who takes the finalizer away loses the data.
  await client.delete(persistentvolumes, { name: "enough" });
  t.equal((await volumeOf("enough"))?.status?.phase, "Bound");
  await client.patch(persistentvolumes, { name: "enough" }, { metadata: { finalizers: null } }, { type: "merge" });
  t.equal(await told("huge", "ClaimLost"), "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  t.equal((await claimOf("huge"))?.status?.phase, "Lost");

  await volume("doomed", { persistentVolumeReclaimPolicy: "Delete", claimRef: { namespace, name: "brief" } });
  await claim("brief");
  await bound("brief", "doomed");
  await remove("brief");
  const words = "host_path deleter only supports /tmp/.+ but received provided /srv/data";
  t.equal((await phase("doomed", "Failed")).status?.message, words);
  t.equal(await told("doomed", "VolumeFailedDelete"), words);
});

test("classes", async (t) => {
  const { client } = await startApiServer(t);
  const { claim, volume, bound, told, claimOf, volumeOf } = on(client);
  runControllers(t, { client, create: [serviceAccountController, persistentVolumeBinder], workers: 1, options });
  await claim("early", { storageClassName: undefined });
  await claim("none", {});
  await told("early", "FailedBinding");
  const provisioner = "example.com/disk";
  const annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
  const volumeBindingMode = "WaitForFirstConsumer";
  await client.create(storageclasses, { metadata: { name: "late", annotations }, provisioner, volumeBindingMode });
  await eventually(
    "the default class comes late",
    async () => (await claimOf("early"))?.spec?.storageClassName === "late",
    patienceMs,
  );
  t.equal(await told("early", "WaitForFirstConsumer"), "waiting for first consumer to be created before binding");
  t.equal((await claimOf("none"))?.spec?.storageClassName, "");

  // The part of the scheduler.
  const early = (await claimOf("early"))!;
  const chosen = { "volume.kubernetes.io/selected-node": "n" };
  await client.patch(
    persistentvolumeclaims,
    { name: "early", namespace },
    { metadata: { annotations: chosen } },
    { type: "merge" },
  );
  t.match(
    await told("early", "ExternalProvisioning"),
    /^Waiting for a volume to be created either by the external provisioner 'example.com\/disk' or manually/,
  );
  t.match((await claimOf("early"))?.metadata.annotations, {
    "volume.kubernetes.io/storage-provisioner": provisioner,
    "volume.beta.kubernetes.io/storage-provisioner": provisioner,
  });
  // The part of the provisioner.
  const { uid } = early.metadata;
  await volume(`pvc-${uid}`, {
    storageClassName: "late",
    claimRef: { kind: "PersistentVolumeClaim", apiVersion: "v1", namespace, name: "early", uid },
  });
  await bound("early", `pvc-${uid}`);
  t.equal((await volumeOf(`pvc-${uid}`))?.metadata.annotations?.["pv.kubernetes.io/bound-by-controller"], undefined);
});

test("Recycle: a pod empties the volume, which is free again", async (t) => {
  const { client } = await startApiServer(t);
  const clock = steppingClock();
  // Far from the period of 15 s in all looks together.
  const tick = () => clock.advance(2);
  const { claim, volume, bound, phase, told, remove } = on(client, tick);
  runControllers(t, { client, create: [serviceAccountController, ...protection] });
  runControllers(t, { client, create: [persistentVolumeBinder], workers: 1, clock });
  await volume("reused", { persistentVolumeReclaimPolicy: "Recycle" });
  await claim("first");
  await bound("first", "reused");
  await remove("first");
  const scrubber = async () => {
    await tick();
    return ifThere(client.get(pods, { name: "recycler-for-reused", namespace }));
  };
  // The part of the kubelet.
  const ends = async (status: object) => {
    const pod = await eventually("the recycler pod", scrubber, patienceMs);
    await client.patch(
      pods,
      { name: pod.metadata.name, namespace },
      { status },
      { type: "merge", subresource: "status" },
    );
    await eventually("it is gone", async () => (await scrubber())?.metadata.uid !== pod.metadata.uid, patienceMs);
    return pod;
  };
  const pod = await ends({ phase: "Failed", message: "disk on fire" });
  t.match(pod.spec, {
    restartPolicy: "Never",
    activeDeadlineSeconds: 60,
    volumes: [{ name: "vol", hostPath: { path: "/srv/data" } }],
    containers: [{ name: "pv-recycler", volumeMounts: [{ name: "vol", mountPath: "/scrub" }] }],
  });
  t.equal(await told("reused", "VolumeFailedRecycle"), "Recycle failed: disk on fire");
  // Whatever else happens, the next try waits for the period.
  await volume("another", { capacity: { storage: "1Mi" } });
  await phase("another", "Available");
  t.equal(await scrubber(), undefined);
  // A look that was due before the failure comes too early: the one after it tries again.
  await clock.advance(15_000);
  await clock.advance(15_000);
  await ends({ phase: "Succeeded" });
  t.equal(await told("reused", "VolumeRecycled"), "Volume recycled");
  t.equal((await phase("reused", "Available")).spec?.claimRef, undefined);
  await claim("second");
  await bound("second", "reused");
});

test("many claims and many volumes at once: each gets one of its own", async (t) => {
  const { client } = await startApiServer(t);
  const { claim, volume, claimOf, phase } = on(client);
  const names = Array.from({ length: 12 }, (_, index) => index);
  const { log } = runControllers(t, { client, create: [persistentVolumeBinder, ...protection], workers: 1, options });
  await Promise.all(names.flatMap((index) => [volume(`v-${index}`), claim(`c-${index}`)]));
  const taken = await Promise.all(
    names.map((index) =>
      eventually(
        `c-${index} is bound`,
        async () => {
          const found = await claimOf(`c-${index}`);
          return found?.status?.phase === "Bound" && found.spec?.volumeName;
        },
        patienceMs,
      ),
    ),
  );
  t.equal(new Set(taken).size, names.length);
  for (const index of names) await phase(`v-${index}`, "Bound");
  t.notMatch(log(), /Reconcile failed/);
});
