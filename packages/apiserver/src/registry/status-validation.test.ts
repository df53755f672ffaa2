// Tests of what may be written to statuses, and of Jobs' policies, by table.

import type { FieldError } from "@picokube/api/errors";
import { test } from "tap";
import { validateDeploymentStatus, validateReplicaSetStatus } from "./apps/workload-status-validation.js";
import { validatePodFailurePolicy, validateSuccessPolicy } from "./batch/job-policy-validation.js";
import { validateJobStatus } from "./batch/job-status-validation.js";
import { validateApproval, validateSigning } from "./certificates/certificate-status-validation.js";
import { validateNodeUpdate } from "./core/node-validation.js";
import { validatePodStatus } from "./core/pod-status-validation.js";
import { validateNamespaceStatus, validateServiceStatus } from "./core/status-validation.js";
import { validatePodDisruptionBudgetStatus } from "./policy/pod-disruption-budget-validation.js";

type Validate = (object: never, old: never) => FieldError[];

const words = (faults: readonly FieldError[]) => faults.map(({ field, message }) => `${field}: ${message}`);
const ended = { name: "a", state: { terminated: { exitCode: 0 } } };
const running = { name: "a", state: { running: {} } };
const is = (...types: string[]) => types.map((type) => ({ type, status: "True" }));

const table: [Validate, string, { next: object; old?: object }, string[]][] = [
  [
    validateDeploymentStatus,
    "counts that do not fit, collisions forgotten",
    {
      next: { status: { replicas: 1, readyReplicas: 2, availableReplicas: -1 } },
      old: { status: { collisionCount: 1 } },
    },
    [
      "status.availableReplicas: Invalid value: -1: must be greater than or equal to 0",
      "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas",
      "status.collisionCount: Invalid value: 0: cannot be decremented",
    ],
  ],
  [
    validateReplicaSetStatus,
    "more available than ready",
    { next: { status: { replicas: 2, readyReplicas: 1, availableReplicas: 2 } } },
    ["status.availableReplicas: Invalid value: 2: cannot be greater than readyReplicas"],
  ],
  [
    validatePodStatus,
    "a container that comes back",
    {
      next: { spec: { restartPolicy: "Never" }, status: { containerStatuses: [running] } },
      old: { spec: { restartPolicy: "Never" }, status: { containerStatuses: [ended] } },
    },
    ["status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"],
  ],
  [
    validatePodStatus,
    "addresses of one family, another host",
    {
      next: {
        status: { hostIP: "10.0.0.1", hostIPs: [{ ip: "10.0.0.2" }], podIPs: [{ ip: "10.1.0.1" }, { ip: "10.1.0.2" }] },
      },
    },
    [
      'status.podIPs: Invalid value: [{"ip":"10.1.0.1"},{"ip":"10.1.0.2"}]: may specify no more than one IP for each IP family',
      'status.hostIPs[0].ip: Invalid value: "10.0.0.2": must be equal to `hostIP`',
    ],
  ],
  [
    validateServiceStatus,
    "an entry without a load balancer",
    { next: { spec: { type: "ClusterIP" }, status: { loadBalancer: { ingress: [{ ip: "10.0.0.1" }] } } } },
    ["status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'"],
  ],
  [
    validateNamespaceStatus,
    "terminating without a deletion",
    { next: { status: { phase: "Terminating" } } },
    [`status.Phase: Invalid value: "Terminating": may only be 'Active' if \`deletionTimestamp\` is empty`],
  ],
  [
    validateNodeUpdate,
    "an address twice, less than no memory",
    {
      next: {
        status: {
          capacity: { memory: "-1" },
          addresses: [
            { type: "InternalIP", address: "10.0.0.1" },
            { type: "InternalIP", address: "10.0.0.1" },
          ],
        },
      },
    },
    [
      'status.capacity.memory: Invalid value: "-1": must be greater than or equal to 0',
      'status.addresses[1]: Duplicate value: {"type":"InternalIP","address":"10.0.0.1"}',
    ],
  ],
  [
    validatePodDisruptionBudgetStatus,
    "half a condition",
    { next: { status: { disruptionsAllowed: -1, conditions: [{ type: "A", status: "Maybe" }] } } },
    [
      'status.conditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"',
      "status.conditions[0].lastTransitionTime: Required value: must be set",
      "status.conditions[0].reason: Required value: must be set",
      "status.disruptionsAllowed: Invalid value: -1: must be greater than or equal to 0",
    ],
  ],
  [
    validateApproval,
    "approved and denied",
    { next: { status: { conditions: is("Approved", "Denied") } } },
    ['status.conditions[1].type: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive'],
  ],
  [
    validateSigning,
    "a signer that approves, with no certificate",
    { next: { status: { conditions: is("Approved"), certificate: Buffer.from("x").toString("base64") } } },
    [
      'status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block',
      'status.conditions: Forbidden: updates may not add a condition of type "Approved"',
    ],
  ],
  [
    validateJobStatus,
    "complete without more",
    { next: { status: { conditions: is("Complete"), active: 1 } } },
    [
      "status.completionTime: Required value: completionTime is required for Complete jobs",
      "status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
      "status.active: Invalid value: 1: active>0 is invalid for finished job",
      "status.startTime: Required value: startTime is required for finished job",
    ],
  ],
  [
    validateJobStatus,
    "indexes that overlap, a counter that falls",
    {
      next: {
        spec: { completionMode: "Indexed", completions: 5, parallelism: 1, backoffLimitPerIndex: 1 },
        status: { completedIndexes: "0,2-3", failedIndexes: "3" },
      },
      old: { status: { failed: 2 } },
    },
    [
      'status.failedIndexes: Invalid value: "3": failedIndexes and completedIndexes overlap at index: 3',
      "status.failed: Invalid value: 0: cannot decrease the failed counter",
    ],
  ],
  [
    validateJobStatus,
    "a start time that changes while the Job runs",
    { next: { status: { startTime: "2026-01-02T00:00:00Z" } }, old: { status: { startTime: "2026-01-01T00:00:00Z" } } },
    ["status.startTime: Required value: startTime cannot be removed for unsuspended job"],
  ],
  [
    validateJobStatus,
    "a start time that changes because the Job is resumed",
    {
      next: { status: { startTime: "2026-01-02T00:00:00Z", conditions: [{ type: "Suspended", status: "False" }] } },
      old: { status: { startTime: "2026-01-01T00:00:00Z", conditions: is("Suspended") } },
    },
    [],
  ],
];

for (const [validate, name, { next, old }, expected] of table) {
  test(`${validate.name}: ${name}`, (t) => {
    const metadata = { name: "a" };
    t.strictSame(words(validate({ metadata, ...next } as never, { metadata, ...old } as never)), expected);
    t.end();
  });
}

test("validatePodFailurePolicy", (t) => {
  const rules = [
    { action: "Panic", onExitCodes: { operator: "In", values: [3, 0, 3], containerName: "x" } },
    { action: "FailIndex" },
  ];
  t.strictSame(words(validatePodFailurePolicy({ podFailurePolicy: { rules } } as never, "p")), [
    'p.rules[0].action: Unsupported value: "Panic": supported values: "Count", "FailIndex", "FailJob", "Ignore"',
    'p.rules[0].onExitCodes.containerName: Invalid value: "x": must be one of the container or initContainer names in the pod template',
    "p.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator",
    "p.rules[0].onExitCodes.values[2]: Duplicate value: 3",
    "p.rules[0].onExitCodes.values: Invalid value: []int32{3, 0, 3}: must be ordered",
    'p.rules[1].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
    "p.rules[1]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
  ]);
  t.end();
});

test("validateSuccessPolicy", (t) => {
  const policy = (rule: object) =>
    words(
      validateSuccessPolicy(
        { completionMode: "Indexed", completions: 4, successPolicy: { rules: [rule] } } as never,
        "p",
      ),
    );
  t.strictSame(policy({ succeededIndexes: "0,2-3", succeededCount: 3 }), []);
  t.strictSame(policy({}), [
    "p.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified",
  ]);
  t.strictSame(policy({ succeededIndexes: "0,9" }), [
    'p.rules[0].succeededIndexes: Invalid value: "0,9": error parsing succeededIndexes: too large index: "9"',
  ]);
  t.strictSame(policy({ succeededIndexes: "1", succeededCount: 2 }), [
    "p.rules[0].succeededCount: Invalid value: 2: must be less than or equal to 1 (the number of indexes in the specified succeededIndexes field)",
  ]);
  t.end();
});
