// Tests of the validation of ResourceQuotas, LimitRanges, volumes and claims by table.

import {
  setLimitRangeDefaults,
  setPersistentVolumeClaimDefaults,
  setPersistentVolumeDefaults,
} from "@picokube/api/core/defaults";
import type { LimitRange, PersistentVolume, PersistentVolumeClaim, ResourceQuota } from "@picokube/api/core/v1";
import type { FieldError } from "@picokube/api/errors";
import { test } from "tap";
import { validatePersistentVolumeClaim, validatePersistentVolumeClaimUpdate } from "./claim-validation.js";
import { validateLimitRange } from "./limit-range-validation.js";
import { validatePersistentVolume, validatePersistentVolumeUpdate } from "./persistent-volume-validation.js";
import { validateResourceQuota, validateResourceQuotaUpdate } from "./quota-validation.js";

const words = (faults: readonly FieldError[]) => faults.map(({ field, message }) => `${field}: ${message}`);
const metadata = { name: "a", namespace: "default" };
const quota = (spec: object) => ({ metadata, spec }) as unknown as ResourceQuota;
const amount = (value: number, scale: number, format = "DecimalSI") =>
  `resource.Quantity{i:resource.int64Amount{value:${value}, scale:${scale}}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"", Format:"${format}"}`;

const quotas: [string, object, string[]][] = [
  [
    "everything that may be limited",
    {
      hard: {
        pods: "1",
        "requests.cpu": "1",
        "hugepages-2Mi": "2Mi",
        "requests.nvidia.com/gpu": "1",
        "count/deployments.apps": "1",
        "gold.storageclass.storage.k8s.io/requests.storage": "1Gi",
      },
    },
    [],
  ],
  [
    "what may not",
    { hard: { storage: "1", disk: "1", pods: "1500m", "requests.cpu": "-1" } },
    [
      'spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota',
      'spec.hard[disk]: Invalid value: "disk": must be a standard resource type or fully qualified',
      'spec.hard[disk]: Invalid value: "disk": must be a standard resource for quota',
      `spec.hard[pods]: Invalid value: ${amount(1500, -3)}: must be an integer`,
      'spec.hard[requests.cpu]: Invalid value: "-1": must be greater than or equal to 0',
    ],
  ],
  [
    "scopes in conflict",
    { hard: { pods: "1", services: "1" }, scopes: ["Terminating", "NotTerminating", "Other"] },
    [
      'spec.scopes: Invalid value: []core.ResourceQuotaScope{"Terminating", "NotTerminating", "Other"}: unsupported scope applied to resource',
      'spec.scopes: Invalid value: []core.ResourceQuotaScope{"Terminating", "NotTerminating", "Other"}: unsupported scope applied to resource',
      'spec.scopes: Invalid value: []core.ResourceQuotaScope{"Terminating", "NotTerminating", "Other"}: unsupported scope',
      'spec.scopes: Invalid value: []core.ResourceQuotaScope{"Terminating", "NotTerminating", "Other"}: conflicting scopes',
    ],
  ],
  [
    "a selector of scopes",
    {
      hard: { pods: "1" },
      scopeSelector: {
        matchExpressions: [
          { scopeName: "PriorityClass", operator: "In" },
          { scopeName: "BestEffort", operator: "In", values: ["a"] },
          { scopeName: "PriorityClass", operator: "Exists", values: ["a"] },
        ],
      },
    },
    [
      "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
      "spec.scopeSelector.matchExpressions.operator: Invalid value: \"In\": must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
      "spec.scopeSelector.matchExpressions.values: Invalid value: []string{\"a\"}: must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
    ],
  ],
];

for (const [name, spec, expected] of quotas) {
  test(`validateResourceQuota: ${name}`, (t) => {
    t.strictSame(words(validateResourceQuota(quota(spec))), expected);
    t.end();
  });
}

test("a quota's scopes stay, in whatever order", (t) => {
  const old = quota({ scopes: ["BestEffort", "Terminating"] });
  t.strictSame(validateResourceQuotaUpdate(quota({ scopes: ["Terminating", "BestEffort"] }), old), []);
  t.strictSame(words(validateResourceQuotaUpdate(quota({}), old)), [
    "spec.scopes: Invalid value: []core.ResourceQuotaScope(nil): field is immutable",
  ]);
  t.end();
});

const ranges: [string, object[], string[]][] = [
  ["a plain one", [{ type: "Container", min: { cpu: "1m" }, max: { cpu: "1" } }], []],
  [
    "types and names that there are not",
    [{ type: "Disk" }, { type: "Container", max: { storage: "1" } }, { type: "Container" }],
    [
      'spec.limits[0].type: Invalid value: "Disk": must be a standard limit type or fully qualified',
      'spec.limits[1].max[storage]: Invalid value: "storage": must be a standard resource for containers',
      'spec.limits[1].default[storage]: Invalid value: "storage": must be a standard resource for containers',
      'spec.limits[1].defaultRequest[storage]: Invalid value: "storage": must be a standard resource for containers',
      'spec.limits[2].type: Duplicate value: "Container"',
    ],
  ],
  [
    "a pod's defaults and a claim without bounds",
    [{ type: "Pod", default: { cpu: "1" } }, { type: "PersistentVolumeClaim" }],
    [
      "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
      "spec.limits[1].limits: Required value: either minimum or maximum storage value is required, but neither was provided",
    ],
  ],
  [
    "bounds in the wrong order",
    [{ type: "Container", min: { cpu: "2" }, max: { cpu: "1" }, default: { cpu: "1" }, defaultRequest: { cpu: "2" } }],
    [
      `spec.limits[0].min[cpu]: Invalid value: ${amount(2, 0)}: min value 2 is greater than max value 1`,
      `spec.limits[0].defaultRequest[cpu]: Invalid value: ${amount(2, 0)}: default request value 2 is greater than max value 1`,
      `spec.limits[0].defaultRequest[cpu]: Invalid value: ${amount(2, 0)}: default request value 2 is greater than default limit value 1`,
      `spec.limits[0].default[cpu]: Invalid value: ${amount(2, 0)}: min value 2 is greater than default value 1`,
    ],
  ],
  [
    "ratios that cannot be",
    [{ type: "Pod", min: { cpu: "1" }, max: { cpu: "2" }, maxLimitRequestRatio: { cpu: "3", memory: "500m" } }],
    [
      `spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: ${amount(3, 0)}: ratio 3 is greater than max/min = 2.000000`,
      `spec.limits[0].maxLimitRequestRatio[memory]: Invalid value: ${amount(500, -3)}: ratio 500m is less than 1`,
    ],
  ],
];

for (const [name, limits, expected] of ranges) {
  test(`validateLimitRange: ${name}`, (t) => {
    const range = { metadata, spec: { limits: structuredClone(limits) } } as unknown as LimitRange;
    setLimitRangeDefaults(range);
    t.strictSame(words(validateLimitRange(range)), expected);
    t.end();
  });
}

const claim = (more: object, status?: object): PersistentVolumeClaim => {
  const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...more };
  const result = { metadata, spec: structuredClone(spec), status } as unknown as PersistentVolumeClaim;
  setPersistentVolumeClaimDefaults(result);
  return result;
};

test("validatePersistentVolumeClaim", (t) => {
  t.strictSame(validatePersistentVolumeClaim(claim({})), []);
  const bad = {
    accessModes: ["ReadWriteOncePod", "ReadWriteOnce", "Often"],
    resources: { requests: { storage: "0" } },
    dataSource: { kind: "Snapshot", name: "s" },
    dataSourceRef: { kind: "PersistentVolumeClaim", name: "s" },
  };
  t.strictSame(words(validatePersistentVolumeClaim(claim(bad))), [
    'spec.accessModes: Unsupported value: "Often": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
    "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes",
    'spec.resources[storage]: Invalid value: "0": must be greater than zero',
    "spec.dataSource: Invalid value: \"Snapshot\": must be 'PersistentVolumeClaim' when referencing the default apiGroup",
    'spec: Invalid value: "spec.dataSource": must match dataSourceRef',
  ]);
  t.strictSame(words(validatePersistentVolumeClaim({ metadata, spec: {} } as PersistentVolumeClaim)), [
    "spec.accessModes: Required value: at least 1 access mode is required",
    "spec.resources[storage]: Required value",
  ]);
  t.end();
});

test("a claim is bound once, gets a class once, grows once it is bound", (t) => {
  const bound = { phase: "Bound", capacity: { storage: "1Gi" } };
  const sized = (storage: string) => ({ resources: { requests: { storage } } });
  t.strictSame(validatePersistentVolumeClaimUpdate(claim({ volumeName: "v", storageClassName: "s" }), claim({})), []);
  t.strictSame(validatePersistentVolumeClaimUpdate(claim(sized("2Gi"), bound), claim({}, bound)), []);
  t.match(words(validatePersistentVolumeClaimUpdate(claim(sized("2Gi")), claim({}))), [
    /^spec: Forbidden: spec is immutable after creation except resources\.requests and volumeAttributesClassName for bound claims\n-spec\.resources\.requests\.storage: "1Gi"\n\+spec\.resources\.requests\.storage: "2Gi"\n$/,
  ]);
  t.strictSame(words(validatePersistentVolumeClaimUpdate(claim(sized("1Gi"), bound), claim(sized("2Gi"), bound))), [
    "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity",
  ]);
  t.match(words(validatePersistentVolumeClaimUpdate(claim({ volumeMode: "Block" }), claim({}))), [
    /^spec: Forbidden/,
    'volumeMode: Invalid value: "Block": field is immutable',
  ]);
  t.end();
});

const volume = (spec: object): PersistentVolume => {
  const result = { metadata: { name: "v" }, spec: structuredClone(spec) } as unknown as PersistentVolume;
  setPersistentVolumeDefaults(result);
  return result;
};
const plain = { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/d" } };

const volumes: [string, object, string[]][] = [
  ["a plain one", plain, []],
  [
    "nothing",
    {},
    [
      "spec.accessModes: Required value",
      "spec.capacity: Required value",
      'spec.capacity: Unsupported value: core.ResourceList(nil): supported values: "storage"',
      "spec: Required value: must specify a volume type",
    ],
  ],
  [
    "two sources, the whole disk to be wiped",
    { ...plain, hostPath: { path: "/" }, nfs: { server: "s", path: "/" }, persistentVolumeReclaimPolicy: "Recycle" },
    [
      "spec.nfs: Forbidden: may not specify more than 1 volume type",
      "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
    ],
  ],
  [
    "a local path anywhere",
    { ...plain, hostPath: undefined, local: { path: "/a/../b" } },
    [
      `spec.local.path: Invalid value: "/a/../b": must not contain '..'`,
      "spec.nodeAffinity: Required value: Local volume requires node affinity",
    ],
  ],
  [
    "a driver's secrets",
    { ...plain, hostPath: undefined, csi: { driver: "d", volumeHandle: "", nodePublishSecretRef: { name: "s" } } },
    ["spec.csi.volumeHandle: Required value", "spec.csi.nodePublishSecretRef.namespace: Required value"],
  ],
];

for (const [name, spec, expected] of volumes) {
  test(`validatePersistentVolume: ${name}`, (t) => {
    t.strictSame(words(validatePersistentVolume(volume(spec))), expected);
    t.end();
  });
}

test("a volume's source stays, and its node affinity but for newer names of its labels", (t) => {
  const at = (key: string, value: string) => ({
    nodeAffinity: {
      required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: "In", values: [value] }] }] },
    },
  });
  const old = volume({ ...plain, ...at("beta.kubernetes.io/os", "linux") });
  t.strictSame(validatePersistentVolumeUpdate(volume({ ...plain, ...at("kubernetes.io/os", "linux") }), old), []);
  t.match(words(validatePersistentVolumeUpdate(volume({ ...plain, hostPath: { path: "/e" } }), old)), [
    /^spec\.persistentvolumesource: Forbidden: spec\.persistentvolumesource is immutable after creation\n-spec\.hostPath\.path: "\/d"\n\+spec\.hostPath\.path: "\/e"\n$/,
    'nodeAffinity: Invalid value: "null": field is immutable, except for updating from beta label to GA',
  ]);
  t.end();
});
