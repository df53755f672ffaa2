// Both protection controllers and the ephemeral volumes' controller against a real apiserver.

import { events, nodes, persistentvolumeclaims, persistentvolumes, pods, serviceaccounts } from "@picokube/api/core/v1";
import { ifThere } from "@picokube/client/if-there";
import { startApiServer } from "@picokube/testing/apiserver";
import { object, pod } from "@picokube/testing/builders";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { ephemeralVolumeController } from "../ephemeral-volume/ephemeral-volume-controller.js";
import { pvProtectionController } from "../pv-protection/pv-protection-controller.js";
import { runControllers } from "../run-controllers.testing.js";
import { pvcProtectionController, uses } from "./pvc-protection-controller.js";

const namespace = "default";
const patienceMs = 60_000;
const containers = [{ name: "main", image: "nginx" }];
const claimSpec = { accessModes: ["ReadWriteOnce" as const], resources: { requests: { storage: "1Gi" } } };

test("who uses a claim", (t) => {
  const ownerReferences = [{ apiVersion: "v1", kind: "Pod", name: "p", uid: pod("p").metadata.uid, controller: true }];
  const claim = (name: string, metadata = {}) => object(persistentvolumeclaims, name, { metadata });
  const named = { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }] };
  const ephemeral = { volumes: [{ name: "v", ephemeral: { volumeClaimTemplate: { spec: claimSpec } } }] };
  const gone = { deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 0 };
  const rows: [why: string, used: boolean, expected: boolean][] = [
    ["a pod on a node", uses(pod("p", { spec: { ...named, nodeName: "n" } }), claim("data")), true],
    ["a pod without a node", uses(pod("p", { spec: named }), claim("data")), false],
    ["another claim", uses(pod("p", { spec: { ...named, nodeName: "n" } }), claim("other")), false],
    [
      "a finished pod",
      uses(pod("p", { spec: { ...named, nodeName: "n" }, status: { phase: "Succeeded" } }), claim("data")),
      true,
    ],
    ["its own", uses(pod("p", { spec: { ...ephemeral, nodeName: "n" } }), claim("p-v", { ownerReferences })), true],
    ["one that only has the name", uses(pod("p", { spec: { ...ephemeral, nodeName: "n" } }), claim("p-v")), false],
    [
      "its own, but the kubelet is done",
      uses(pod("p", { metadata: gone, spec: { ...ephemeral, nodeName: "n" } }), claim("p-v", { ownerReferences })),
      false,
    ],
  ];
  for (const [why, used, expected] of rows) t.equal(used, expected, why);
  t.end();
});

test("claims and volumes in use stay; ephemeral volumes get their claims", async (t) => {
  const { client } = await startApiServer(t);
  runControllers(t, { client, create: [pvcProtectionController, pvProtectionController, ephemeralVolumeController] });
  await client.create(serviceaccounts, { metadata: { name: "default", namespace } });
  await client.create(nodes, { metadata: { name: "n" } });
  const later = <T>(what: string, look: () => Promise<T | undefined | false>) => eventually(what, look, patienceMs);
  const claimOf = (name: string) => ifThere(client.get(persistentvolumeclaims, { name, namespace }));

  await client.create(persistentvolumeclaims, { metadata: { name: "data", namespace }, spec: claimSpec });
  await later("the finalizer", async () => {
    return (await claimOf("data"))?.metadata.finalizers?.includes("kubernetes.io/pvc-protection");
  });
  const volumes = [{ name: "v", persistentVolumeClaim: { claimName: "data" } }];
  await client.create(pods, { metadata: { name: "user", namespace }, spec: { containers, nodeName: "n", volumes } });
  await client.delete(persistentvolumeclaims, { name: "data", namespace });
  // Another claim that nobody uses is gone by then: the controller has had its turn.
  await client.create(persistentvolumeclaims, { metadata: { name: "idle", namespace }, spec: claimSpec });
  await later("its finalizer", async () => (await claimOf("idle"))?.metadata.finalizers?.length === 1);
  await client.delete(persistentvolumeclaims, { name: "idle", namespace });
  await later("the idle claim is gone", async () => (await claimOf("idle")) === undefined);
  t.ok((await claimOf("data"))?.metadata.deletionTimestamp, "Terminating, but there");
  await client.delete(pods, { name: "user", namespace }, { gracePeriodSeconds: 0 });
  await later("the claim is gone", async () => (await claimOf("data")) === undefined);

  const volumeOf = () => ifThere(client.get(persistentvolumes, { name: "pv" }));
  await client.create(persistentvolumes, {
    metadata: { name: "pv" },
    spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, hostPath: { path: "/x" } },
  });
  await later("its finalizer", async () =>
    (await volumeOf())?.metadata.finalizers?.includes("kubernetes.io/pv-protection"),
  );
  const setPhase = (phase: string) =>
    client.patch(persistentvolumes, { name: "pv" }, { status: { phase } }, { type: "merge", subresource: "status" });
  await setPhase("Bound");
  await client.delete(persistentvolumes, { name: "pv" });
  t.ok((await volumeOf())?.metadata.deletionTimestamp);
  await setPhase("Released");
  await later("the volume is gone", async () => (await volumeOf()) === undefined);

  const template = { metadata: { labels: { kind: "scratch" } }, spec: claimSpec };
  const ephemeral = [{ name: "scratch", ephemeral: { volumeClaimTemplate: template } }];
  const worker = await client.create(pods, {
    metadata: { name: "worker", namespace },
    spec: { containers, volumes: ephemeral },
  });
  const scratch = await later("its claim", () => claimOf("worker-scratch"));
  t.equal(scratch.metadata.labels?.kind, "scratch");
  t.match(scratch.metadata.ownerReferences, [
    { kind: "Pod", name: "worker", uid: worker.metadata.uid, controller: true, blockOwnerDeletion: true },
  ]);
  await client.create(persistentvolumeclaims, { metadata: { name: "late-scratch", namespace }, spec: claimSpec });
  await client.create(pods, { metadata: { name: "late", namespace }, spec: { containers, volumes: ephemeral } });
  const told = await later("the name is taken", async () => {
    const fieldSelector = "involvedObject.name=late,reason=FailedBinding";
    return (await client.list(events, { namespace, fieldSelector })).items[0]?.message;
  });
  t.equal(
    told,
    "ephemeral volume scratch: PVC default/late-scratch was not created for pod default/late (pod is not owner)",
  );
});
