// What claims and volumes need next, by table.

import { persistentvolumeclaims, persistentvolumes } from "@picokube/api/core/v1";
import { type StorageClass, storageclasses } from "@picokube/api/storage/v1";
import { object } from "@picokube/testing/builders";
import { test } from "tap";
import { planClaim } from "./claim-plan.js";
import { planVolume } from "./volume-plan.js";

const volume = (name: string, spec: object = {}, metadata: object = {}) =>
  object(persistentvolumes, name, {
    metadata,
    spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], storageClassName: "", ...spec },
    status: { phase: "Available" },
  });
const claim = (spec: object = {}, metadata: object = {}) =>
  object(persistentvolumeclaims, "data", {
    metadata,
    spec: {
      resources: { requests: { storage: "1Gi" } },
      accessModes: ["ReadWriteOnce"],
      storageClassName: "",
      ...spec,
    },
  });
const storageClass = (name: string, more: Partial<StorageClass> = {}) =>
  object(storageclasses, name, { provisioner: "example.com/disk", volumeBindingMode: "Immediate", ...more } as never);
const own = { kind: "PersistentVolumeClaim", namespace: "default", name: "data", uid: claim().metadata.uid };
const other = { ...own, name: "other", uid: "uid-other" };
const completed = { annotations: { "pv.kubernetes.io/bind-completed": "yes" } };

test("claims", (t) => {
  const classes = [
    storageClass("fast"),
    storageClass("late", { volumeBindingMode: "WaitForFirstConsumer" }),
    storageClass("manual", { provisioner: "kubernetes.io/no-provisioner" }),
  ];
  const plan = (
    subject: ReturnType<typeof claim>,
    volumes: ReturnType<typeof volume>[] = [],
    { waitingPods = [] as string[], defaultClass }: { waitingPods?: string[]; defaultClass?: StorageClass } = {},
  ) =>
    planClaim(subject, {
      volumes,
      volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
      storageClass: (name) => classes.find(({ metadata }) => metadata.name === name),
      defaultClass,
      waitingPods,
    });
  const event = (type: string, reason: string, message: string) => ({ event: { type, reason, message } });
  const late = claim({ storageClassName: "late" });
  const unset = claim({ storageClassName: undefined });
  const named = claim({ volumeName: "pv" });
  const rows: [why: string, planned: object, expected: object][] = [
    ["a volume fits", plan(claim(), [volume("pv")]), { kind: "bind", volume: { metadata: { name: "pv" } } }],
    [
      "no class, no volume",
      plan(claim()),
      event("Normal", "FailedBinding", "no persistent volumes available for this claim and no storage class is set"),
    ],
    [
      "the default class comes late",
      plan(unset, [], { defaultClass: classes[0]! }),
      { kind: "assignClass", storageClass: "fast" },
    ],
    ['"" wants no default', plan(claim(), [], { defaultClass: classes[0]! }), { kind: "wait" }],
    [
      "a volume without class goes before the default class",
      plan(unset, [volume("pv")], { defaultClass: classes[0]! }),
      { kind: "bind" },
    ],
    ["immediate", plan(claim({ storageClassName: "fast" })), { kind: "provision", provisioner: "example.com/disk" }],
    [
      "no such class",
      plan(claim({ storageClassName: "none" })),
      event("Warning", "ProvisioningFailed", 'storageclass.storage.k8s.io "none" not found'),
    ],
    [
      "volumes made by hand",
      plan(claim({ storageClassName: "manual" })),
      event("Warning", "ProvisioningFailed", "no volume plugin matched name: kubernetes.io/no-provisioner"),
    ],
    [
      "no consumer yet",
      plan(late),
      event("Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding"),
    ],
    [
      "a consumer without a node",
      plan(late, [], { waitingPods: ["a"] }),
      event("Normal", "WaitForPodScheduled", "waiting for pod a to be scheduled"),
    ],
    [
      "two of them",
      plan(late, [], { waitingPods: ["a", "b"] }),
      event("Normal", "WaitForPodScheduled", "waiting for pods a,b to be scheduled"),
    ],
    [
      "the scheduler's choice of volume is left to it",
      plan(late, [volume("pv", { storageClassName: "late" })]),
      { kind: "wait" },
    ],
    [
      "what the scheduler reserved",
      plan(late, [volume("pv", { storageClassName: "late", claimRef: own })]),
      { kind: "bind" },
    ],
    [
      "the scheduler has chosen a node",
      plan(claim({ storageClassName: "late" }, { annotations: { "volume.kubernetes.io/selected-node": "n" } })),
      { kind: "provision" },
    ],
    ["the volume it names is not there", plan(named), { kind: "wait", event: undefined }],
    ["it is free", plan(named, [volume("pv")]), { kind: "bind" }],
    [
      "too small",
      plan(named, [volume("pv", { capacity: { storage: "1Mi" } })]),
      event("Warning", "VolumeMismatch", 'Cannot bind to requested volume "pv": requested PV is too small'),
    ],
    [
      "of a class",
      plan(named, [volume("pv", { storageClassName: "fast" })]),
      event("Warning", "VolumeMismatch", 'Cannot bind to requested volume "pv": storageClassName does not match'),
    ],
    [
      "a block device",
      plan(named, [volume("pv", { volumeMode: "Block" })]),
      event("Warning", "VolumeMismatch", 'Cannot bind to requested volume "pv": incompatible volumeMode'),
    ],
    [
      "read by many",
      plan(named, [volume("pv", { accessModes: ["ReadOnlyMany"] })]),
      event("Warning", "VolumeMismatch", 'Cannot bind to requested volume "pv": incompatible accessMode'),
    ],
    [
      "somebody else's",
      plan(named, [volume("pv", { claimRef: other })]),
      event("Warning", "FailedBinding", 'volume "pv" already bound to a different claim.'),
    ],
    ["reserved for it", plan(named, [volume("pv", { claimRef: { ...own, uid: undefined } })]), { kind: "bind" }],
    [
      "bound once, its volume gone",
      plan(claim({ volumeName: "pv" }, completed)),
      {
        kind: "lose",
        ...event("Warning", "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!"),
      },
    ],
    [
      "bound once, its reference gone",
      plan(claim({}, completed)),
      event("Warning", "ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!"),
    ],
    [
      "two on one volume",
      plan(claim({ volumeName: "pv" }, completed), [volume("pv", { claimRef: other })]),
      event("Warning", "ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly"),
    ],
    [
      "bound and well",
      plan(claim({ volumeName: "pv" }, completed), [volume("pv", { claimRef: own })]),
      { kind: "bind" },
    ],
  ];
  for (const [why, planned, expected] of rows) t.match(planned, expected, why);
  t.end();
});

test("volumes", (t) => {
  const ours = { annotations: { "pv.kubernetes.io/bound-by-controller": "yes" } };
  const provisioned = { annotations: { "pv.kubernetes.io/provisioned-by": "example.com/disk" } };
  const gone = (spec: object, metadata = {}) =>
    planVolume(volume("pv", { claimRef: own, ...spec }, metadata), undefined);
  const fails = (reason: string, message: string) => ({
    reclaim: { kind: "fail", event: { type: "Warning", reason, message } },
  });
  const bound = claim({ volumeName: "pv" });
  const rows: [why: string, planned: object, expected: object][] = [
    ["free", planVolume(volume("pv"), undefined), { kind: "phase", phase: "Available" }],
    ["reserved", planVolume(volume("pv", { claimRef: { ...own, uid: undefined } }), undefined), { phase: "Available" }],
    ["bound", planVolume(volume("pv", { claimRef: own }), bound), { kind: "phase", phase: "Bound" }],
    ["half bound", planVolume(volume("pv", { claimRef: own }, ours), claim()), { kind: "askClaim" }],
    [
      "reserved for a claim of another mode",
      planVolume(volume("pv", { claimRef: own, volumeMode: "Block" }), claim()),
      {
        kind: "mismatch",
        onClaim: {
          message:
            'Cannot bind PersistentVolume "pv" to requested PersistentVolumeClaim due to incompatible volumeMode.',
        },
      },
    ],
    [
      "the claim took another",
      planVolume(volume("pv", { claimRef: own }, ours), claim({ volumeName: "x" })),
      { kind: "unbind" },
    ],
    [
      "made for a claim that took another",
      planVolume(
        volume("pv", { claimRef: own, persistentVolumeReclaimPolicy: "Delete" }, provisioned),
        claim({ volumeName: "x" }),
      ),
      { kind: "reclaim", reclaim: { kind: "leave" } },
    ],
    ["kept", gone({ persistentVolumeReclaimPolicy: "Retain" }), { kind: "reclaim", reclaim: { kind: "leave" } }],
    [
      "its provisioner deletes it",
      gone({ persistentVolumeReclaimPolicy: "Delete" }, provisioned),
      { reclaim: { kind: "leave" } },
    ],
    [
      "nobody can delete it",
      gone({ persistentVolumeReclaimPolicy: "Delete", local: { path: "/mnt" } }),
      fails(
        "VolumeFailedDelete",
        'error getting deleter volume plugin for volume "pv": no deletable volume plugin matched',
      ),
    ],
    [
      "a host's path",
      gone({ persistentVolumeReclaimPolicy: "Delete", hostPath: { path: "/srv/x" } }),
      fails("VolumeFailedDelete", "host_path deleter only supports /tmp/.+ but received provided /srv/x"),
    ],
    [
      "recycled",
      gone({ persistentVolumeReclaimPolicy: "Recycle", nfs: { server: "s", path: "/" } }),
      { reclaim: { kind: "recycle" } },
    ],
    [
      "nobody can recycle it",
      gone({ persistentVolumeReclaimPolicy: "Recycle", local: { path: "/mnt" } }),
      fails("VolumeFailedRecycle", "No recycler plugin found for the volume!"),
    ],
  ];
  for (const [why, planned, expected] of rows) t.match(planned, expected, why);
  t.end();
});
