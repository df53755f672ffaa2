// Tests of pod defaults by table.

import { test } from "tap";
import { imageTag, setPodDefaults, setPodTemplateDefaults } from "./pod-defaults.js";
import type { Pod, PodTemplateSpec } from "./v1.js";

const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const tags: [string, string][] = [
  ["nginx", "latest"],
  ["nginx:latest", "latest"],
  ["nginx:1.27", "1.27"],
  ["localhost:5000/nginx", "latest"],
  ["localhost:5000/nginx:1", "1"],
  [`nginx@${digest}`, ""],
  [`nginx:1@${digest}`, "1"],
  ["", ""],
];

for (const [image, tag] of tags) {
  test(`imageTag of ${JSON.stringify(image)}`, (t) => {
    t.equal(imageTag(image), tag);
    t.end();
  });
}

function podOf(spec: object): Pod {
  return { metadata: { name: "web" }, spec: structuredClone(spec) } as unknown as Pod;
}

test("a bare pod gets upstream's defaults, and none anew the second time", (t) => {
  const pod = podOf({
    containers: [
      { name: "web", image: "nginx", ports: [{ containerPort: 80 }], livenessProbe: { httpGet: { port: 80 } } },
    ],
  });
  setPodDefaults(pod);
  t.match(pod.spec, {
    dnsPolicy: "ClusterFirst",
    restartPolicy: "Always",
    schedulerName: "default-scheduler",
    securityContext: {},
    terminationGracePeriodSeconds: 30,
    enableServiceLinks: true,
    containers: [
      {
        imagePullPolicy: "Always",
        terminationMessagePath: "/dev/termination-log",
        terminationMessagePolicy: "File",
        ports: [{ containerPort: 80, protocol: "TCP" }],
        livenessProbe: {
          httpGet: { path: "/", port: 80, scheme: "HTTP" },
          timeoutSeconds: 1,
          periodSeconds: 10,
          successThreshold: 1,
          failureThreshold: 3,
        },
      },
    ],
  });
  const once = structuredClone(pod);
  setPodDefaults(pod);
  t.strictSame(pod, once);
  t.end();
});

test("requests come from limits, quantities become canonical", (t) => {
  const resources = { limits: { cpu: "0.5", memory: "128Mi" }, requests: { cpu: "100m" } };
  const pod = podOf({ containers: [{ name: "a", image: "a:1", resources }] });
  setPodDefaults(pod);
  t.strictSame(pod.spec?.containers[0]?.resources, {
    limits: { cpu: "500m", memory: "128Mi" },
    requests: { cpu: "100m", memory: "128Mi" },
  });
  t.end();
});

test("a template gets no defaults that only a pod has", (t) => {
  const template = { spec: { containers: [{ name: "a", image: "a:1", resources: { limits: { cpu: "1" } } }] } };
  setPodTemplateDefaults(template as PodTemplateSpec);
  t.equal((template.spec as { enableServiceLinks?: boolean }).enableServiceLinks, undefined);
  t.strictSame(template.spec.containers[0]?.resources, { limits: { cpu: "1" } });
  t.end();
});

test("volumes and host ports", (t) => {
  const sources = [{ serviceAccountToken: { path: "token" } }];
  const pod = podOf({
    hostNetwork: true,
    serviceAccountName: "robot",
    containers: [{ name: "a", image: "a:1", ports: [{ containerPort: 80 }] }],
    volumes: [
      { name: "none" },
      { name: "secret", secret: { secretName: "s" } },
      { name: "host", hostPath: { path: "/x" } },
      { name: "token", projected: { sources } },
    ],
  });
  setPodDefaults(pod);
  t.equal(pod.spec?.containers[0]?.ports?.[0]?.hostPort, 80);
  t.equal(pod.spec?.serviceAccount, "robot");
  t.match(pod.spec?.volumes, [
    { emptyDir: {} },
    { secret: { defaultMode: 420 } },
    { hostPath: { type: "" } },
    { projected: { defaultMode: 420, sources: [{ serviceAccountToken: { expirationSeconds: 3600 } }] } },
  ]);
  t.end();
});
