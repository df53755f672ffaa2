// The volume plugins in whole cycles, by table: where a pod with volumes goes, or upstream's words for why nowhere.

import {
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  persistentvolumeclaims,
  persistentvolumes,
} from "@picokube/api/core/v1";
import { type StorageClass, storageclasses } from "@picokube/api/storage/v1";
import { node, object, pod } from "@picokube/testing/builders";
import { test } from "tap";
import { SchedulerCache } from "../cache.js";
import { runCycle } from "../cycle.js";
import { fitErrorMessage, preemptionMessage } from "../framework/fit-error.js";
import type { ClusterEvent, Plugin } from "../framework/plugin.js";
import { podInfoOf } from "../framework/pod-info.js";
import { noVolumes, type VolumeLookups } from "../framework/volume-lookups.js";
import { defaultPlugins } from "./index.js";
import { decide, volumeBinding } from "./volume-binding.js";
import { disksConflict, volumeRestrictions } from "./volume-restrictions.js";
import { volumeZone } from "./volume-zone.js";

const bound = { annotations: { "pv.kubernetes.io/bind-completed": "yes" } };

const claim = (name: string, spec: object = {}, more: object = {}): PersistentVolumeClaim =>
  object(persistentvolumeclaims, name, {
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      storageClassName: "late",
      ...spec,
    },
    ...more,
  });
const volume = (name: string, spec: object = {}, labels: Record<string, string> = {}): PersistentVolume =>
  object(persistentvolumes, name, {
    metadata: { labels },
    spec: { accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" }, storageClassName: "late", ...spec },
    status: { phase: "Available" },
  });
const at = (...values: string[]) => ({
  nodeAffinity: {
    required: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In" as const, values }] }],
    },
  },
});
const storageClass = (name: string, more: Partial<StorageClass> = {}): StorageClass =>
  object(storageclasses, name, {
    provisioner: "example.com/disk",
    volumeBindingMode: "WaitForFirstConsumer",
    ...more,
  } as never);
const classes = [
  storageClass("late"),
  storageClass("now", { volumeBindingMode: "Immediate" }),
  storageClass("manual", { provisioner: "kubernetes.io/no-provisioner" }),
  storageClass("zoned", { allowedTopologies: [{ matchLabelExpressions: [{ key: "zone", values: ["b"] }] }] }),
];

function lookupsOf(claims: readonly PersistentVolumeClaim[], volumes: readonly PersistentVolume[]): VolumeLookups {
  return {
    ...noVolumes,
    claim: (namespace, name) =>
      claims.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace),
    volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
    volumesOf: (name) => volumes.filter(({ spec }) => spec?.storageClassName === name),
    storageClass: (name) => classes.find(({ metadata }) => metadata.name === name),
  };
}

const using = (...names: string[]): Pod =>
  pod("p", {
    spec: { volumes: names.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })) },
  });
const scratch = pod("p", {
  spec: { volumes: [{ name: "v", ephemeral: { volumeClaimTemplate: { spec: claim("x").spec! } } }] },
});

interface World {
  claims?: PersistentVolumeClaim[];
  volumes?: PersistentVolume[];
  nodes?: ReturnType<typeof node>[];
  standing?: Pod[];
}

function schedule(incoming: Pod, { claims = [], volumes = [], nodes = [node("a"), node("b")], standing = [] }: World) {
  const cache = new SchedulerCache();
  for (const each of nodes) cache.setNode(each);
  for (const each of standing) cache.addPod(each);
  const plugins = defaultPlugins({
    namespaceLabels: () => ({}),
    siblingSelector: () => undefined,
    volumes: lookupsOf(claims, volumes),
  });
  const verdict = runCycle(podInfoOf(incoming), { plugins, snapshot: cache, random: () => 0 });
  if (verdict.kind === "scheduled") return verdict.node;
  return fitErrorMessage(verdict.diagnosis, preemptionMessage(verdict.diagnosis, { never: false }));
}

test("where a pod with volumes goes", (t) => {
  const helpless = "preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.";
  const nowhere = (reason: string) => `0/2 nodes are available: ${reason}. ${helpless}`;
  const own = { kind: "PersistentVolumeClaim", namespace: "default", name: "data" };
  const bindConflict = nowhere("2 node(s) didn't find available persistent volumes to bind");
  const done = claim("data", { volumeName: "pv" }, { metadata: bound });
  const exclusive = claim("data", { volumeName: "pv", accessModes: ["ReadWriteOncePod"] }, { metadata: bound });
  const gone = { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } };
  const chosen = (nodeName: string) => ({
    metadata: { annotations: { "volume.kubernetes.io/selected-node": nodeName } },
  });
  const zoned = (name: string, zone: string) =>
    node(name, { metadata: { labels: { "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone, zone } } });
  const rows: [why: string, said: string, expected: string][] = [
    ["no such claim", schedule(using("data"), {}), nowhere('persistentvolumeclaim "data" not found')],
    [
      "immediate and unbound",
      schedule(using("data"), { claims: [claim("data", { storageClassName: "now" })] }),
      nowhere("pod has unbound immediate PersistentVolumeClaims"),
    ],
    [
      "of no class at all",
      schedule(using("data"), { claims: [claim("data", { storageClassName: "" })] }),
      nowhere("pod has unbound immediate PersistentVolumeClaims"),
    ],
    [
      "being deleted",
      schedule(using("data"), { claims: [claim("data", {}, gone)] }),
      nowhere('persistentvolumeclaim "data" is being deleted'),
    ],
    [
      "lost",
      schedule(using("data"), { claims: [claim("data", { volumeName: "pv" }, { status: { phase: "Lost" } })] }),
      nowhere('persistentvolumeclaim "data" bound to non-existent persistentvolume "pv"'),
    ],
    [
      "an ephemeral volume's claim is not there yet",
      schedule(scratch, {}),
      nowhere('waiting for ephemeral volume controller to create the persistentvolumeclaim "p-v"'),
    ],
    [
      "it is another pod's",
      schedule(scratch, { claims: [claim("p-v")] }),
      nowhere("PVC default/p-v was not created for pod default/p (pod is not owner)"),
    ],
    ["bound, on one node", schedule(using("data"), { claims: [done], volumes: [volume("pv", at("b"))] }), "b"],
    [
      "bound, on a node that is not there",
      schedule(using("data"), { claims: [done], volumes: [volume("pv", at("c"))] }),
      nowhere("2 node(s) had volume node affinity conflict"),
    ],
    [
      "bound, the volume gone",
      schedule(using("data"), { claims: [done] }),
      // VolumeZone says so before any node is looked at.
      nowhere('persistentvolume "pv" not found'),
    ],
    [
      "a free volume, on one node",
      schedule(using("data"), {
        claims: [claim("data", { storageClassName: "manual" })],
        volumes: [volume("pv", { ...at("b"), storageClassName: "manual" })],
      }),
      "b",
    ],
    [
      "none, and nobody makes one",
      schedule(using("data"), { claims: [claim("data", { storageClassName: "manual" })] }),
      bindConflict,
    ],
    [
      "one volume for two claims",
      schedule(using("data", "more"), {
        claims: [claim("data", { storageClassName: "manual" }), claim("more", { storageClassName: "manual" })],
        volumes: [volume("pv", { ...at("b"), storageClassName: "manual" })],
      }),
      bindConflict,
    ],
    [
      "reserved elsewhere",
      schedule(using("data"), {
        claims: [claim("data", { storageClassName: "manual" })],
        volumes: [volume("pv", { ...at("c"), storageClassName: "manual", claimRef: own })],
      }),
      bindConflict,
    ],
    ["a provisioner makes one", schedule(using("data"), { claims: [claim("data")], nodes: [node("a")] }), "a"],
    [
      "only in one zone",
      schedule(using("data"), {
        claims: [claim("data", { storageClassName: "zoned" })],
        nodes: [zoned("a", "a"), zoned("b", "b")],
      }),
      "b",
    ],
    ["the node was chosen before", schedule(using("data"), { claims: [claim("data", {}, chosen("b"))] }), "b"],
    ["and is not there", schedule(using("data"), { claims: [claim("data", {}, chosen("c"))] }), bindConflict],
    [
      "a volume of a zone",
      schedule(using("data"), {
        claims: [done],
        volumes: [volume("pv", {}, { "failure-domain.beta.kubernetes.io/zone": "b__c" })],
        nodes: [zoned("a", "a"), zoned("b", "b")],
      }),
      "b",
    ],
    [
      "no node of the zone",
      schedule(using("data"), {
        claims: [done],
        volumes: [volume("pv", {}, { "topology.kubernetes.io/zone": "c" })],
        nodes: [zoned("a", "a"), zoned("b", "b")],
      }),
      nowhere("2 node(s) had no available volume zone"),
    ],
    [
      "a claim for one pod, in use",
      schedule(using("data"), {
        claims: [exclusive],
        volumes: [volume("pv")],
        standing: [pod("first", { spec: { ...using("data").spec!, nodeName: "a" } })],
      }),
      "0/2 nodes are available: 2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode. " +
        "preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.",
    ],
    [
      "a claim for one pod, free",
      schedule(using("data"), { claims: [exclusive], volumes: [volume("pv", at("a"))] }),
      "a",
    ],
  ];
  for (const [why, said, expected] of rows) t.equal(said, expected, why);
  t.end();
});

test("the smallest volume for the smallest claim", (t) => {
  const manual = { storageClassName: "manual" };
  const [large, small] = [
    claim("large", { ...manual, resources: { requests: { storage: "5Gi" } } }),
    claim("small", manual),
  ];
  const volumes = [
    volume("ten", { ...manual, capacity: { storage: "10Gi" } }),
    volume("two", { ...manual, capacity: { storage: "2Gi" } }),
  ];
  const verdict = decide({ bound: [], delayed: [large, small] }, { name: "a", labels: {} }, lookupsOf([], volumes));
  t.ok("decision" in verdict);
  if (!("decision" in verdict)) return t.end();
  const pairs = verdict.decision.bindings.map((binding) => [binding.claim.metadata.name, binding.volume.metadata.name]);
  t.strictSame(pairs, [
    ["small", "two"],
    ["large", "ten"],
  ]);
  t.end();
});

test("disks that cannot be shared", (t) => {
  const gce = (pdName: string, readOnly = false) => ({ name: "v", gcePersistentDisk: { pdName, readOnly } });
  const rbd = (monitors: string[], readOnly = false) => ({
    name: "v",
    rbd: { monitors, image: "i", pool: "p", readOnly },
  });
  t.ok(disksConflict(gce("a"), gce("a", true)));
  t.notOk(disksConflict(gce("a", true), gce("a", true)));
  t.notOk(disksConflict(gce("a"), gce("b")));
  t.ok(disksConflict(rbd(["x", "y"]), rbd(["y", "z"])));
  t.notOk(disksConflict(rbd(["x"]), rbd(["z"])));
  t.notOk(disksConflict(rbd(["x"]), gce("a")));
  t.end();
});

test("what may help a pod that was rejected", (t) => {
  const lookups = lookupsOf([], []);
  const incoming = podInfoOf(using("data"));
  const helps = (plugin: Plugin, event: ClusterEvent) => plugin.mayHelp!(incoming, event);
  const binding = volumeBinding(lookups);
  const came = <T>(current: T) => ({ previous: undefined, current });
  const rows: [why: string, helps: boolean, expected: boolean][] = [
    ["its claim", helps(binding, { resource: "claim", ...came(claim("data")) }), true],
    ["another claim", helps(binding, { resource: "claim", ...came(claim("other")) }), false],
    ["any volume", helps(binding, { resource: "volume", ...came(volume("pv")) }), true],
    ["a volume that goes", helps(binding, { resource: "volume", previous: volume("pv"), current: undefined }), false],
    ["a new class", helps(binding, { resource: "storageClass", ...came(classes[0]!) }), true],
    [
      "a class that stays as it is",
      helps(binding, { resource: "storageClass", previous: classes[0]!, current: classes[0]! }),
      false,
    ],
    ["a new node", helps(binding, { resource: "node", ...came(node("c")) }), true],
    ["a node's heartbeat", helps(binding, { resource: "node", previous: node("c"), current: node("c") }), false],
    [
      "a pod that goes",
      helps(binding, { resource: "assignedPod", previous: using("data"), current: undefined }),
      false,
    ],
    [
      "a pod that lets go of the claim",
      helps(volumeRestrictions(lookups), { resource: "assignedPod", previous: using("data"), current: undefined }),
      true,
    ],
    [
      "a pod that lets go of another",
      helps(volumeRestrictions(lookups), { resource: "assignedPod", previous: using("other"), current: undefined }),
      false,
    ],
    ["a volume, for zones", helps(volumeZone(lookups), { resource: "volume", ...came(volume("pv")) }), true],
  ];
  for (const [why, said, expected] of rows) t.equal(said, expected, why);
  t.end();
});
