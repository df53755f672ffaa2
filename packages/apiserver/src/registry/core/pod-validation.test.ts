// Tests of pod validation by table: the words that kubectl's users know.

import { setPodDefaults } from "@picokube/api/core/pod-defaults";
import type { Pod } from "@picokube/api/core/v1";
import { test } from "tap";
import { validatePod, validatePodUpdate } from "./pod-validation.js";

function pod(spec: unknown): Pod {
  const result = { metadata: { name: "web", namespace: "default" }, spec: structuredClone(spec) } as Pod;
  setPodDefaults(result);
  return result;
}

const container = { name: "web", image: "nginx" };
const one = (more: object) => ({ containers: [{ ...container, ...more }] });

const cases: [string, unknown, string[]][] = [
  ["a plain pod", one({}), []],
  ["no containers", {}, ["spec.containers: Required value"]],
  ["no image", one({ image: undefined }), ["spec.containers[0].image: Required value"]],
  [
    "a bad name",
    one({ name: "Web" }),
    [
      'spec.containers[0].name: Invalid value: "Web": a lowercase RFC 1123 label must consist of lower case alphanumeric ' +
        "characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex " +
        "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    ],
  ],
  ["two of one name", { containers: [container, container] }, ['spec.containers[1].name: Duplicate value: "web"']],
  [
    "a mount of nothing",
    one({ volumeMounts: [{ name: "data", mountPath: "/d" }] }),
    ['spec.containers[0].volumeMounts[0].name: Not found: "data"'],
  ],
  [
    "a port out of range",
    one({ ports: [{ containerPort: 70000 }] }),
    ["spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"],
  ],
  [
    "an unknown protocol",
    one({ ports: [{ containerPort: 80, protocol: "HTTP" }] }),
    ['spec.containers[0].ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"'],
  ],
  [
    "a request above its limit",
    one({ resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } }),
    ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
  ],
  [
    "a probe without a handler",
    one({ livenessProbe: {} }),
    ["spec.containers[0].livenessProbe: Required value: must specify a handler type"],
  ],
  [
    "a liveness probe that must succeed twice",
    one({ livenessProbe: { tcpSocket: { port: 80 }, successThreshold: 2 } }),
    ["spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"],
  ],
  [
    "a variable of two minds",
    one({ env: [{ name: "A", value: "b", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] }),
    ['spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
  ],
  [
    "an unknown field of the pod",
    one({ env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "spec.foo" } } }] }),
    [
      'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.foo": ' +
        "error converting fieldPath: field label not supported: spec.foo",
    ],
  ],
  [
    "an unknown restart policy",
    { ...one({}), restartPolicy: "Sometimes" },
    ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
  ],
  [
    "two volume types in one",
    { ...one({}), volumes: [{ name: "v", emptyDir: {}, hostPath: { path: "/x" } }] },
    ["spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"],
  ],
  [
    "a probe on an init container",
    { ...one({}), initContainers: [{ name: "i", image: "b", readinessProbe: { tcpSocket: { port: 1 } } }] },
    [
      "spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
    ],
  ],
  [
    "a toleration of every key that equals",
    { ...one({}), tolerations: [{ operator: "Equal" }] },
    [
      'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means ' +
        '"match all values and all keys"',
    ],
  ],
];

for (const [name, spec, expected] of cases) {
  test(`validatePod: ${name}`, (t) => {
    t.strictSame(
      validatePod(pod(spec)).map(({ field, message }) => `${field}: ${message}`),
      expected,
    );
    t.end();
  });
}

test("validatePodUpdate lets the image change and tolerations be added", (t) => {
  const old = pod({ ...one({}), nodeName: "n" });
  const next = pod({ ...one({ image: "nginx:2" }), nodeName: "n", tolerations: [{ operator: "Exists" }] });
  next.spec!.containers[0]!.imagePullPolicy = old.spec!.containers[0]!.imagePullPolicy;
  t.strictSame(validatePodUpdate(next, old), []);
  t.end();
});

test("validatePodUpdate refuses all else, in upstream's words", (t) => {
  const old = pod(one({}));
  const faults = validatePodUpdate(pod({ ...one({}), nodeName: "n" }), old);
  t.equal(faults.length, 1);
  t.equal(faults[0]?.field, "spec");
  t.match(
    faults[0]?.message,
    /^Forbidden: pod updates may not change fields other than `spec.containers\[\*\].image`,`spec.initContainers\[\*\].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` \(only additions to existing tolerations\),`spec.terminationGracePeriodSeconds` \(allow it to be set to 1 if it was previously negative\)\n/,
  );
  t.match(validatePodUpdate(pod({ containers: [container, { name: "b", image: "b" }] }), old), [
    { field: "spec.containers", message: "Forbidden: pod updates may not add or remove containers" },
  ]);
  t.end();
});
