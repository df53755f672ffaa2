// Tests of the workloads' validation by table.

import { setDeploymentDefaults, setStatefulSetDefaults } from "@picokube/api/apps/defaults";
import type { Deployment, StatefulSet } from "@picokube/api/apps/v1";
import { setCronJobDefaults, setJobDefaults } from "@picokube/api/batch/defaults";
import type { CronJob, Job } from "@picokube/api/batch/v1";
import type { FieldError } from "@picokube/api/errors";
import { test } from "tap";
import { validateCronJob } from "../batch/cron-job-validation.js";
import { validateJob } from "../batch/job-validation.js";
import { validateDeployment, validateDeploymentUpdate } from "./deployment-validation.js";
import { validateStatefulSet, validateStatefulSetUpdate } from "./stateful-set-validation.js";

const words = (faults: readonly FieldError[]) => faults.map(({ field, message }) => `${field}: ${message}`);
const metadata = { name: "web", namespace: "default", uid: "u" };
const template = (more: object = {}) => ({
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "web", image: "nginx" }], ...more },
});
const selector = { matchLabels: { app: "web" } };

function deployment(spec: object): Deployment {
  const result = { metadata, spec: structuredClone(spec) } as unknown as Deployment;
  setDeploymentDefaults(result);
  return result;
}

const deployments: [string, object, string[]][] = [
  ["a plain one", { selector, template: template() }, []],
  ["no selector", { template: template() }, ["spec.selector: Required value"]],
  [
    "an empty selector",
    { selector: {}, template: template() },
    [
      "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is invalid for deployment",
    ],
  ],
  [
    "a selector of other pods",
    { selector: { matchLabels: { app: "x" } }, template: template() },
    [
      'spec.template.metadata.labels: Invalid value: map[string]string{"app":"web"}: `selector` does not match template `labels`',
    ],
  ],
  [
    "pods that end",
    { selector, template: template({ restartPolicy: "Never" }) },
    ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
  ],
  [
    "a roll-out that cannot move",
    { selector, template: template(), strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
    [
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: intstr.IntOrString{Type:0, IntVal:0, StrVal:""}: may not be 0 when `maxSurge` is 0',
    ],
  ],
  [
    "Recreate that rolls",
    { selector, template: template(), strategy: { type: "Recreate", rollingUpdate: {} } },
    ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
  ],
  [
    "fewer than none",
    { selector, template: template(), replicas: -1 },
    ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"],
  ],
];

for (const [name, spec, expected] of deployments) {
  test(`validateDeployment: ${name}`, (t) => {
    t.strictSame(words(validateDeployment(deployment(spec))), expected);
    t.end();
  });
}

test("a Deployment's selector is immutable", (t) => {
  const old = deployment({ selector: { matchLabels: { app: "x" } }, template: template() });
  t.strictSame(words(validateDeploymentUpdate(deployment({ selector, template: template() }), old)), [
    'spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"app":"web"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable',
  ]);
  t.end();
});

test("a StatefulSet may mount its claims, and may not change their templates", (t) => {
  const claim = { metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"] } };
  const set = (more: object): StatefulSet => {
    const containers = [{ name: "db", image: "postgres", volumeMounts: [{ name: "data", mountPath: "/d" }] }];
    const spec = { selector, template: template({ containers }), ...structuredClone(more) };
    const result = { metadata, spec } as unknown as StatefulSet;
    setStatefulSetDefaults(result);
    return result;
  };
  const old = set({ volumeClaimTemplates: [claim] });
  t.strictSame(words(validateStatefulSet(old)), []);
  t.strictSame(words(validateStatefulSetUpdate(set({ volumeClaimTemplates: [claim], replicas: 3 }), old)), []);
  t.match(words(validateStatefulSetUpdate(set({ volumeClaimTemplates: [claim], serviceName: "x" }), old)), [
    /^spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template'/,
  ]);
  t.end();
});

test("validateJob wants pods that end", (t) => {
  const job = (more: object): Job => {
    const labels = { "batch.kubernetes.io/controller-uid": "u" };
    const generated = { ...labels, "controller-uid": "u", "job-name": "web", "batch.kubernetes.io/job-name": "web" };
    const spec = {
      selector: { matchLabels: labels },
      template: { ...template(more), metadata: { labels: generated } },
    };
    const result = { metadata: { ...metadata }, spec } as unknown as Job;
    setJobDefaults(result);
    return result;
  };
  t.strictSame(words(validateJob(job({ restartPolicy: "Never" }))), []);
  t.strictSame(words(validateJob(job({}))), [
    'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ]);
  t.end();
});

const schedules: [string, string[]][] = [
  ["*/5 * * * *", []],
  ["@hourly", []],
  ["0 9-17 * JAN-MAR MON,FRI", []],
  ["", ["spec.schedule: Required value"]],
  ["* * *", ['spec.schedule: Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]']],
  [
    "TZ=UTC * * * * *",
    [
      'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
    ],
  ],
];

for (const [schedule, expected] of schedules) {
  test(`validateCronJob: schedule ${JSON.stringify(schedule)}`, (t) => {
    const spec = { schedule, jobTemplate: { spec: { template: template({ restartPolicy: "OnFailure" }) } } };
    const cronJob = { metadata, spec } as unknown as CronJob;
    setCronJobDefaults(cronJob);
    t.strictSame(words(validateCronJob(cronJob)), expected);
    t.end();
  });
}
