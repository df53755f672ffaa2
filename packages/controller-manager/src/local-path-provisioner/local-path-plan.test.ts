// Where a directory comes to lie and how its volume looks, by table.

import { persistentvolumeclaims } from "@picokube/api/core/v1";
import { localPathRoot } from "@picokube/api/storage/local-path";
import { type StorageClass, storageclasses } from "@picokube/api/storage/v1";
import { node, object } from "@picokube/testing/builders";
import { test } from "tap";
import { chooseNode, newVolume, refusal } from "./local-path-plan.js";

const claim = (spec: object = {}) =>
  object(persistentvolumeclaims, "data", {
    metadata: { uid: "9c1b0d6e-0f2b-4a54-9a53-0d6c3b1f7e11" },
    spec: { resources: { requests: { storage: "1Gi" } }, accessModes: ["ReadWriteOnce"], ...spec },
  });
const storageClass = (more: Partial<StorageClass> = {}) =>
  object(storageclasses, "local-path", { reclaimPolicy: "Delete", ...more } as never);
const offering = (name: string, labels: Record<string, string> = {}, spec: object = {}) =>
  node(name, {
    metadata: { labels: { "kubernetes.io/hostname": name, ...labels }, annotations: { [localPathRoot]: "/data" } },
    spec,
  });

test("what no directory can be", (t) => {
  const rows: [spec: object, expected: RegExp | undefined][] = [
    [{}, undefined],
    [{ accessModes: ["ReadWriteOncePod"] }, undefined],
    [{ accessModes: ["ReadWriteOnce", "ReadWriteMany"] }, /^access mode ReadWriteMany is not supported/],
    [{ volumeMode: "Block" }, /no block device/],
    [{ selector: { matchLabels: { a: "b" } } }, /Selector is not supported/],
    [{ dataSource: { kind: "PersistentVolumeClaim", name: "other" } }, /data source/],
  ];
  for (const [spec, expected] of rows)
    if (expected) t.match(refusal(claim(spec)), expected);
    else t.equal(refusal(claim(spec)), undefined);
  t.end();
});

test("the node for a claim that nobody waits for", (t) => {
  const zone = (values: string[]) => [{ matchLabelExpressions: [{ key: "zone", values }] }];
  const notReady = node("down", {
    metadata: { annotations: { [localPathRoot]: "/data" } },
    status: { conditions: [] },
  });
  const counts: Record<string, number> = { a: 2, b: 1, c: 1 };
  const choose = (nodes: ReturnType<typeof node>[], more: Partial<StorageClass> = {}) =>
    chooseNode(nodes, { storageClass: storageClass(more), volumesOn: ({ metadata }) => counts[metadata.name] ?? 0 })
      ?.metadata.name;
  t.equal(choose([offering("a"), offering("c"), offering("b")]), "b", "the fewest volumes, then by name");
  t.equal(choose([offering("b", {}, { unschedulable: true }), offering("a")]), "a", "not a cordoned one");
  t.equal(choose([notReady, node("plain")]), undefined, "ready, and with a directory to offer");
  const zoned = [offering("a", { zone: "east" }), offering("b", { zone: "west" })];
  t.equal(choose(zoned, { allowedTopologies: zone(["east"]) }), "a");
  t.equal(choose(zoned, { allowedTopologies: zone(["north"]) }), undefined);
  t.end();
});

test("the volume", (t) => {
  const volume = newVolume(claim(), { node: offering("a"), storageClass: storageClass() });
  t.match(volume.metadata, {
    name: "pvc-9c1b0d6e-0f2b-4a54-9a53-0d6c3b1f7e11",
    annotations: { "pv.kubernetes.io/provisioned-by": "picokube.io/local-path" },
    finalizers: ["external-provisioner.volume.kubernetes.io/finalizer"],
  });
  t.match(volume.spec, {
    capacity: { storage: "1Gi" },
    storageClassName: "local-path",
    persistentVolumeReclaimPolicy: "Delete",
    claimRef: { name: "data", namespace: "default", uid: "9c1b0d6e-0f2b-4a54-9a53-0d6c3b1f7e11" },
    local: { path: "/data/pvc-9c1b0d6e-0f2b-4a54-9a53-0d6c3b1f7e11_default_data" },
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["a"] }] }],
      },
    },
  });
  const kept = newVolume(claim(), { node: offering("a"), storageClass: storageClass({ reclaimPolicy: "Retain" }) });
  t.equal(kept.metadata?.finalizers, undefined, "what is kept waits for nobody");
  t.end();
});
