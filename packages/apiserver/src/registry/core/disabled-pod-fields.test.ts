// Fields that gates switch off, dropped from each kind that has a pod spec.

import { cronjobs } from "@picokube/api/batch/v1";
import type { PodSpec } from "@picokube/api/core/v1";
import { pods, podtemplates, services } from "@picokube/api/core/v1";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { test } from "tap";
import { dropDisabledPodFields, podSpecOf } from "./disabled-pod-fields.js";

const container = { name: "c", image: "i" };
const image = { name: "files", image: { reference: "registry.example.com/files:1" } };
const disk = { name: "disk", emptyDir: {} };
const mount = (name: string) => ({ name, mountPath: `/${name}` });
const bundle = { clusterTrustBundle: { path: "ca.pem", name: "ours" } };

const cases: [what: string, written: object, stored: object][] = [
  ["nothing", { containers: [container] }, { containers: [container] }],
  [
    "image volumes and their mounts",
    {
      volumes: [image, disk],
      containers: [{ ...container, volumeMounts: [mount("files"), mount("disk")] }],
      initContainers: [{ ...container, volumeMounts: [mount("files")] }],
    },
    {
      volumes: [disk],
      containers: [{ ...container, volumeMounts: [mount("disk")] }],
      initContainers: [{ ...container, volumeMounts: [] }],
    },
  ],
  [
    "cluster trust bundles",
    { containers: [container], volumes: [{ name: "v", projected: { sources: [bundle, { secret: { name: "s" } }] } }] },
    { containers: [container], volumes: [{ name: "v", projected: { sources: [{}, { secret: { name: "s" } }] } }] },
  ],
  [
    "dynamic resources",
    {
      resourceClaims: [{ name: "gpu", resourceClaimName: "gpu" }],
      containers: [{ ...container, resources: { claims: [{ name: "gpu" }], limits: { cpu: "1" } } }],
    },
    { containers: [{ ...container, resources: { limits: { cpu: "1" } } }] },
  ],
  [
    "pod-level resources",
    { resources: { limits: { cpu: "1" } }, containers: [container] },
    { containers: [container] },
  ],
  [
    "stop signals",
    {
      containers: [
        { ...container, lifecycle: { stopSignal: "SIGUSR1" } },
        { ...container, lifecycle: { stopSignal: "SIGUSR1", preStop: { sleep: { seconds: 1 } } } },
      ],
    },
    { containers: [container, { ...container, lifecycle: { preStop: { sleep: { seconds: 1 } } } }] },
  ],
];

for (const [what, written, stored] of cases) {
  test(what, (t) => {
    const spec = structuredClone(written) as PodSpec;
    dropDisabledPodFields(spec);
    t.same(spec, stored, "are dropped");
    const kept = structuredClone(written) as PodSpec;
    dropDisabledPodFields(kept, structuredClone(written) as PodSpec);
    t.same(kept, written, "stay where they were before");
    t.end();
  });
}

test("where kinds have their pod spec", (t) => {
  const spec: PodSpec = { containers: [container] };
  const object = (more: object) => ({ metadata: { name: "x" }, ...more }) as unknown as KubernetesObject;
  const template = { spec };
  t.equal(podSpecOf(pods)?.(object({ spec })), spec);
  t.equal(podSpecOf(podtemplates)?.(object({ template })), spec);
  t.equal(podSpecOf({ group: "apps", resource: "deployments" })?.(object({ spec: { template } })), spec);
  t.equal(podSpecOf(cronjobs)?.(object({ spec: { jobTemplate: { spec: { template } } } })), spec);
  t.equal(podSpecOf(pods)?.(object({})), undefined);
  t.equal(podSpecOf(services), undefined);
  t.equal(podSpecOf({ group: "example.com", resource: "jobs" }), undefined, "somebody else's");
  t.end();
});
