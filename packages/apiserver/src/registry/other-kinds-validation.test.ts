// Tests of the smaller kinds' validation by table: each kind's validator with one object a row.

import type { FieldError } from "@picokube/api/errors";
import { test } from "tap";
import { validateApiService } from "./apiregistration/api-service-validation.js";
import { validateControllerRevision } from "./apps/controller-revision-validation.js";
import { validateHorizontalPodAutoscaler } from "./autoscaling/horizontal-pod-autoscaler-validation.js";
import { validateCertificateSigningRequest } from "./certificates/certificate-signing-request-validation.js";
import { validateLease } from "./coordination/lease-validation.js";
import { validateFlowSchema } from "./flowcontrol/flow-schema-validation.js";
import { validatePriorityLevelConfiguration } from "./flowcontrol/priority-level-configuration-validation.js";
import { validateIngressClass } from "./networking/ingress-class-validation.js";
import { validateIpAddress } from "./networking/ip-address-validation.js";
import { validateServiceCidr, validateServiceCidrUpdate } from "./networking/service-cidr-validation.js";
import { validateRuntimeClass } from "./node/runtime-class-validation.js";
import { validateCsiDriver } from "./storage/csi-driver-validation.js";
import { validateCsiNode } from "./storage/csi-node-validation.js";
import { validateCsiStorageCapacity } from "./storage/csi-storage-capacity-validation.js";
import { validateVolumeAttachment } from "./storage/volume-attachment-validation.js";

type Validate = (object: never) => FieldError[];

const words = (faults: readonly FieldError[]) => faults.map(({ field, message }) => `${field}: ${message}`);
const level = (queuing: object) => ({
  spec: {
    type: "Limited",
    limited: { limitResponse: { type: "Queue", queuing: { queueLengthLimit: 1, ...queuing } } },
  },
});
const flow = (rule: object, more: object = {}) => ({
  spec: { matchingPrecedence: 5, priorityLevelConfiguration: { name: "a" }, rules: [rule], ...more },
});
const anybody = [{ kind: "Group", group: { name: "system:authenticated" } }];
const scaler = (more: object) => ({
  spec: { maxReplicas: 3, scaleTargetRef: { kind: "Deployment", name: "a" }, ...more },
});
const pem = Buffer.from("-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n").toString(
  "base64",
);
const csr = (more: object) => ({
  spec: { request: pem, usages: ["client auth"], signerName: "example.com/a", ...more },
});

const table: [Validate, string, object, string[]][] = [
  [
    validateFlowSchema,
    "a plain one",
    flow({ subjects: anybody, nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/a/*"] }] }),
    [],
  ],
  [
    validateFlowSchema,
    "bad rules",
    flow(
      {
        subjects: [{ kind: "User", group: { name: "a" } }, { kind: "Robot" }],
        nonResourceRules: [{ verbs: ["*", "get"], nonResourceURLs: ["a"] }],
        resourceRules: [{ verbs: ["get"], apiGroups: ["*"], resources: ["*"] }],
      },
      { matchingPrecedence: 1 },
    ),
    [
      "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
      "spec.rules[0].subjects[0].user: Required value: user is required when subject kind is 'User'",
      "spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'",
      'spec.rules[0].subjects[1].kind: Unsupported value: "Robot": supported values: "Group", "ServiceAccount", "User"',
      "spec.rules[0].resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace",
      `spec.rules[0].nonResourceRules[0].verbs: Invalid value: []string{"*", "get"}: if '*' is present, must not specify other verbs`,
      'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "a": must start with slash',
    ],
  ],
  [validatePriorityLevelConfiguration, "a plain one", level({ queues: 64, handSize: 8 }), []],
  [
    validatePriorityLevelConfiguration,
    "too large a hand",
    level({ queues: 1024, handSize: 8 }),
    [
      "spec.limited.limitResponse.queuing.handSize: Invalid value: 8: required entropy bits of deckSize 1024 and handSize 8 should not be greater than 60",
    ],
  ],
  [
    validatePriorityLevelConfiguration,
    "exempt under another name",
    { spec: { type: "Exempt" } },
    [`spec.type: Invalid value: "Exempt": type must be 'Exempt' if and only if name is 'exempt'`],
  ],
  [
    validateApiService,
    "another name",
    { spec: { group: "b.c", version: "v1", groupPriorityMinimum: 1, versionPriority: 2000 } },
    [
      'metadata.name: Invalid value: "a": must be `spec.version+"."+spec.group`: "v1.b.c"',
      "spec.versionPriority: Invalid value: 2000: must be positive and less than 1000",
    ],
  ],
  [
    validateIpAddress,
    "no address, no parent",
    { spec: {} },
    [
      'metadata.name: Invalid value: "a": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      "spec.parentRef: Required value",
    ],
  ],
  [
    validateIpAddress,
    "another form",
    { metadata: { name: "2001:DB8:0::1" }, spec: { parentRef: { resource: "services", name: "a" } } },
    ['metadata.name: Invalid value: "2001:DB8:0::1": must be in canonical form ("2001:db8::1")'],
  ],
  [validateServiceCidr, "both families", { spec: { cidrs: ["10.0.0.0/24", "fd00::/64"] } }, []],
  [
    validateServiceCidr,
    "host bits and one family",
    { spec: { cidrs: ["10.0.0.1/24", "10.1.0.0/24"] } },
    [
      'spec.cidrs[0]: Invalid value: "10.0.0.1/24": must not have bits set beyond the prefix length',
      'spec.cidrs: Invalid value: []string{"10.0.0.1/24", "10.1.0.0/24"}: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
    ],
  ],
  [
    validateIngressClass,
    "a bare controller, half a namespace",
    { spec: { controller: "nginx", parameters: { kind: "a", name: "b", scope: "Namespace" } } },
    [
      'spec.controller: Invalid value: "nginx": must be a domain-prefixed path (such as "acme.io/foo")',
      "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
    ],
  ],
  [
    validateRuntimeClass,
    "overhead of nothing known",
    { handler: "runc", overhead: { podFixed: { "example.com/a": "-1" } } },
    ['overhead.limits[example.com/a]: Invalid value: "-1": must be greater than or equal to 0'],
  ],
  [
    validateCsiDriver,
    "short tokens",
    {
      spec: {
        attachRequired: true,
        podInfoOnMount: true,
        storageCapacity: true,
        seLinuxMount: false,
        tokenRequests: [{ audience: "a", expirationSeconds: 5 }, { audience: "a" }],
        volumeLifecycleModes: ["Forever"],
      },
    },
    [
      "spec.tokenRequests[0].expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes",
      'spec.tokenRequests[1].audience: Duplicate value: "a"',
      'spec.volumeLifecycleModes: Unsupported value: "Forever": supported values: "Persistent", "Ephemeral"',
    ],
  ],
  [
    validateCsiNode,
    "a driver twice",
    {
      spec: {
        drivers: [
          { name: "a", nodeID: "b" },
          { name: "a", nodeID: "" },
        ],
      },
    },
    ["spec.drivers[1].nodeID: Required value", 'spec.drivers[1].name: Duplicate value: "a"'],
  ],
  [
    validateCsiStorageCapacity,
    "less than nothing",
    { storageClassName: "a", capacity: "-1Gi" },
    ['capacity: Invalid value: "-1Gi": must be greater than or equal to 0'],
  ],
  [
    validateVolumeAttachment,
    "no source",
    { spec: { attacher: "a", nodeName: "n", source: {} } },
    ["spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName"],
  ],
  [
    validateLease,
    "no time, an unknown strategy",
    { spec: { leaseDurationSeconds: 0, strategy: "Newest" } },
    [
      "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
      'spec.strategy.strategy: Unsupported value: "Newest": supported values: "OldestEmulationVersion"',
    ],
  ],
  [
    validateControllerRevision,
    "no data",
    { revision: -1 },
    ["revision: Invalid value: -1: must be greater than or equal to 0", "data: Required value: data is mandatory"],
  ],
  [
    validateHorizontalPodAutoscaler,
    "bad metrics",
    scaler({
      metrics: [
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization" } } },
        { type: "Pods" },
        {
          type: "Object",
          object: {
            describedObject: { kind: "a", name: "b" },
            metric: { name: "c" },
            target: { type: "Value", value: "0" },
          },
        },
      ],
    }),
    [
      "spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization",
      "spec.metrics[1].pods: Required value: must populate information for the given metric source",
      'spec.metrics[2].object.target.value: Invalid value: "0": must be positive',
    ],
  ],
  [
    validateHorizontalPodAutoscaler,
    "bad behavior",
    scaler({
      behavior: {
        scaleUp: {
          stabilizationWindowSeconds: 4000,
          selectPolicy: "Avg",
          policies: [{ type: "Half", value: 0, periodSeconds: 2000 }],
        },
      },
    }),
    [
      "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 4000: must be less than or equal to 3600",
      'spec.behavior.scaleUp.selectPolicy: Unsupported value: "Avg": supported values: "Disabled", "Max", "Min"',
      'spec.behavior.scaleUp.policies[0].type: Unsupported value: "Half": supported values: "Percent", "Pods"',
      "spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero",
      "spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 2000: must be less than or equal to 1800",
    ],
  ],
  [validateCertificateSigningRequest, "a plain one", csr({}), []],
  [
    validateCertificateSigningRequest,
    "a bad signer and repeated usages",
    csr({ signerName: "example/a", usages: ["client auth", "client auth"] }),
    [
      'spec.usages[1]: Duplicate value: "client auth"',
      'spec.signerName: Invalid value: "example": should be a domain with at least two segments separated by dots',
    ],
  ],
];

for (const [validate, name, object, expected] of table) {
  test(`${validate.name}: ${name}`, (t) => {
    t.strictSame(words(validate({ metadata: { name: "a" }, ...object } as never)), expected);
    t.end();
  });
}

test("a ServiceCIDR may gain a family, and lose none", (t) => {
  const range = (...cidrs: string[]) => ({ spec: { cidrs } }) as never;
  t.strictSame(words(validateServiceCidrUpdate(range("10.0.0.0/24", "fd00::/64"), range("10.0.0.0/24"))), []);
  t.strictSame(words(validateServiceCidrUpdate(range("10.1.0.0/24"), range("10.0.0.0/24"))), [
    'spec.cidrs[0]: Invalid value: "10.1.0.0/24": field is immutable',
  ]);
  t.end();
});
