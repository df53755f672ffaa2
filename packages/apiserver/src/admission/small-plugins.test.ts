// The plugins of few lines, by table: classes, tolerations, node selectors, owners, claims that grow.

import {
  configmaps,
  namespaces,
  nodes,
  persistentvolumeclaims,
  persistentvolumes,
  pods,
  serviceaccounts,
} from "@picokube/api/core/v1";
import { ingressclasses, ingresses } from "@picokube/api/networking/v1";
import { runtimeclasses } from "@picokube/api/node/v1";
import type { Resource } from "@picokube/api/resource";
import { priorityclasses } from "@picokube/api/scheduling/v1";
import { storageclasses } from "@picokube/api/storage/v1";
import { test } from "tap";
import type { Attributes, Authorizer } from "../authz/authorizer.js";
import { attributesOf, podOf } from "../testing/admission-attributes.js";
import { plainStorage } from "../testing/plain-storage.js";
import { defaultIngressClass } from "./default-ingress-class.js";
import { defaultStorageClass } from "./default-storage-class.js";
import { extendedResourceToleration } from "./extended-resource-toleration.js";
import { ownerReferencesPermissionEnforcement } from "./owner-references-permission-enforcement.js";
import { persistentVolumeClaimResize } from "./persistent-volume-claim-resize.js";
import { podNodeSelector, readPodNodeSelectors } from "./pod-node-selector.js";
import { priority } from "./priority.js";
import { runtimeClass } from "./runtime-class.js";
import { serviceAccount } from "./service-account.js";
import { storageObjectInUseProtection } from "./storage-object-in-use-protection.js";
import { taintNodesByCondition } from "./taint-nodes-by-condition.js";

const ofPods = pods as Resource;
const ofClaims = persistentvolumeclaims as Resource;

const classNamed = (name: string, annotation: string, creationTimestamp: string) => ({
  metadata: { name, creationTimestamp, annotations: { [annotation]: "true" } },
});

test("DefaultStorageClass: the newest default; none where one is named, even an empty one", async (t) => {
  const annotation = "storageclass.kubernetes.io/is-default-class";
  const plugin = defaultStorageClass(
    plainStorage([
      storageclasses as Resource,
      classNamed("old", annotation, "2026-01-01T00:00:00Z"),
      classNamed("new", annotation, "2026-01-02T00:00:00Z"),
      { metadata: { name: "other" } },
    ]),
  );
  const chosen = (spec: object, annotations: object = {}) => {
    const object = { metadata: { name: "c", annotations }, spec: { ...spec } as { storageClassName?: string } };
    plugin.admit!(attributesOf(ofClaims, { object }));
    return object.spec.storageClassName;
  };
  t.equal(chosen({}), "new");
  t.equal(chosen({ storageClassName: "" }), "");
  t.equal(chosen({ storageClassName: "other" }), "other");
  t.equal(chosen({}, { "volume.beta.kubernetes.io/storage-class": "old" }), undefined);
});

test("DefaultIngressClass", async (t) => {
  const annotation = "ingressclass.kubernetes.io/is-default-class";
  const plugin = defaultIngressClass(
    plainStorage([ingressclasses as Resource, classNamed("usual", annotation, "2026-01-01T00:00:00Z")]),
  );
  const chosen = (spec: object, annotations: object = {}) => {
    const object = { metadata: { name: "i", annotations }, spec: { ...spec } as { ingressClassName?: string } };
    plugin.admit!(attributesOf(ingresses as Resource, { object }));
    return object.spec.ingressClassName;
  };
  t.equal(chosen({}), "usual");
  t.equal(chosen({ ingressClassName: "mine" }), "mine");
  t.equal(chosen({}, { "kubernetes.io/ingress.class": "mine" }), undefined);
});

test("StorageObjectInUseProtection and TaintNodesByCondition mark what is new, once", async (t) => {
  const marked = (resource: Resource, finalizers: string[]) => {
    const object = { metadata: { name: "x", finalizers } };
    storageObjectInUseProtection().admit!(attributesOf(resource, { object }));
    return object.metadata.finalizers;
  };
  t.same(marked(ofClaims, []), ["kubernetes.io/pvc-protection"]);
  t.same(marked(ofClaims, ["kubernetes.io/pvc-protection"]), ["kubernetes.io/pvc-protection"]);
  t.same(marked(persistentvolumes as Resource, []), ["kubernetes.io/pv-protection"]);
  const node = { metadata: { name: "n" }, spec: { taints: [{ key: "a", effect: "NoExecute" }] } };
  for (let i = 0; i < 2; i++) taintNodesByCondition().admit!(attributesOf(nodes as Resource, { object: node }));
  t.same(node.spec.taints, [
    { key: "a", effect: "NoExecute" },
    { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" },
  ]);
});

test("ExtendedResourceToleration", async (t) => {
  const object = podOf({
    containers: [{ name: "c", resources: { requests: { cpu: "1", "example.com/gpu": "1", "a.org/nic": "1" } } }],
    initContainers: [{ name: "i", resources: { requests: { "example.com/gpu": "1", "hugepages-2Mi": "2Mi" } } }],
  });
  for (let i = 0; i < 2; i++) extendedResourceToleration().admit!(attributesOf(ofPods, { object }));
  t.same(object.spec?.tolerations, [
    { key: "a.org/nic", operator: "Exists" },
    { key: "example.com/gpu", operator: "Exists" },
  ]);
});

test("PodNodeSelector", async (t) => {
  const selectors = readPodNodeSelectors({
    podNodeSelectorPluginConfig: { clusterDefaultNodeSelector: "disk=ssd", dev: "env=dev,zone=a" },
  });
  const annotated = {
    metadata: { name: "dev", annotations: { "scheduler.alpha.kubernetes.io/node-selector": "env=dev" } },
  };
  const plugin = podNodeSelector(
    plainStorage([namespaces as Resource, annotated, { metadata: { name: "bare" } }]),
    selectors,
  );
  const run = (namespace: string, nodeSelector?: object) => {
    const object = podOf(nodeSelector ? { nodeSelector } : {});
    const attributes = attributesOf(ofPods, { object, namespace });
    plugin.admit!(attributes);
    plugin.validate!(attributes);
    return object.spec?.nodeSelector;
  };
  t.same(run("dev"), { env: "dev" });
  t.same(run("dev", { zone: "a" }), { env: "dev", zone: "a" });
  t.same(run("bare"), { disk: "ssd" });
  t.throws(() => run("dev", { env: "prod" }), {
    message: 'pods "web" is forbidden: pod node label selector conflicts with its namespace node label selector',
  });
  t.throws(() => run("dev", { zone: "b" }), {
    message: 'pods "web" is forbidden: pod node label selector labels conflict with its namespace whitelist',
  });
  t.throws(() => readPodNodeSelectors({ podNodeSelectorPluginConfig: { dev: "env" } }), { name: "ConfigError" });
});

test("PersistentVolumeClaimResize", async (t) => {
  const plugin = persistentVolumeClaimResize(
    plainStorage([
      storageclasses as Resource,
      { metadata: { name: "fast" }, allowVolumeExpansion: true },
      { metadata: { name: "fixed" } },
    ]),
  );
  const claim = (storage: string, storageClassName: string, phase = "Bound") => ({
    metadata: { name: "data", namespace: "dev" },
    spec: { storageClassName, resources: { requests: { storage } } },
    status: { phase },
  });
  const resize = (old: object, object: object) => () =>
    plugin.validate!(attributesOf(ofClaims, { operation: "UPDATE", object, oldObject: old }));
  const refused = 'persistentvolumeclaims "data" is forbidden: ';
  t.doesNotThrow(resize(claim("1Gi", "fast"), claim("2Gi", "fast")));
  t.doesNotThrow(resize(claim("1Gi", "fixed"), claim("1Gi", "fixed")));
  t.throws(resize(claim("1Gi", "fast", "Pending"), claim("2Gi", "fast")), {
    message: `${refused}Only bound persistent volume claims can be expanded`,
  });
  for (const name of ["fixed", "", "gone"]) {
    t.throws(resize(claim("1Gi", name), claim("2Gi", name)), {
      message: `${refused}only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize`,
    });
  }
});

test("OwnerReferencesPermissionEnforcement", async (t) => {
  const asked: string[] = [];
  const allowing = (allow: (attributes: Attributes) => boolean): Authorizer => ({
    name: "",
    authorize(attributes) {
      const { resource, subresource, name } = attributes.resource!;
      asked.push(`${attributes.verb} ${resource}/${subresource} ${name}`);
      return allow(attributes) ? { decision: "Allow", reason: "" } : { decision: "NoOpinion", reason: "because" };
    },
    rulesFor: () => ({ resourceRules: [], nonResourceRules: [] }),
  });
  const owned = (...ownerReferences: object[]) => ({ metadata: { name: "x", namespace: "dev", ownerReferences } });
  const owner = { apiVersion: "v1", kind: "Pod", name: "web", uid: "1" };
  const run = (allow: (attributes: Attributes) => boolean, object: object, oldObject?: object) => async () => {
    asked.length = 0;
    const storage = plainStorage([ofPods]);
    storage.for(pods);
    await ownerReferencesPermissionEnforcement(storage, allowing(allow)).validate!(
      attributesOf(configmaps as Resource, {
        object,
        ...(oldObject ? { operation: "UPDATE" as const, oldObject } : {}),
      }),
    );
  };
  const refused = 'configmaps "x" is forbidden: ';
  await t.resolves(
    run(() => false, owned(owner), owned(owner)),
    "what does not change is nobody's business",
  );
  t.same(asked, []);
  await t.rejects(
    run(() => false, owned(owner)),
    {
      message: `${refused}cannot set an ownerRef on a resource you can't delete: because, <nil>`,
    },
  );
  t.same(asked, ["delete configmaps/ x"]);
  const mayDelete = ({ verb }: Attributes) => verb === "delete";
  await t.resolves(run(mayDelete, owned(owner)));
  await t.rejects(run(mayDelete, owned({ ...owner, blockOwnerDeletion: true }), owned(owner)), {
    message: `${refused}cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: because, <nil>`,
  });
  t.same(asked, ["delete configmaps/ x", "update pods/finalizers web"]);
  await t.resolves(run(() => true, owned({ ...owner, blockOwnerDeletion: true })));
  await t.rejects(
    run(() => true, owned({ ...owner, apiVersion: "a.b/v1", kind: "C", blockOwnerDeletion: true })),
    {
      message: `${refused}cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion a.b/v1 Kind C: no matches for kind "C" in version "v1"`,
    },
  );
});

test("RuntimeClass", async (t) => {
  const plugin = runtimeClass(
    plainStorage([
      runtimeclasses as Resource,
      {
        metadata: { name: "vm" },
        handler: "vm",
        overhead: { podFixed: { memory: "64Mi" } },
        scheduling: { nodeSelector: { vm: "yes" }, tolerations: [{ key: "vm", operator: "Exists" }] },
      },
      { metadata: { name: "plain" }, handler: "runc" },
    ]),
  );
  const run = (spec: object) => {
    const object = podOf(spec);
    plugin.admit!(attributesOf(ofPods, { object }));
    return object.spec!;
  };
  t.match(run({ runtimeClassName: "vm" }), {
    overhead: { memory: "64Mi" },
    nodeSelector: { vm: "yes" },
    tolerations: [{ key: "vm", operator: "Exists" }],
  });
  const rejected = 'pods "web" is forbidden: ';
  const table: [spec: object, message: string][] = [
    [{ runtimeClassName: "none" }, 'pod rejected: RuntimeClass "none" not found'],
    [
      { runtimeClassName: "vm", overhead: { memory: "1Mi" } },
      "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    ],
    [
      { overhead: { memory: "1Mi" } },
      "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
    ],
    [
      { runtimeClassName: "plain", overhead: { memory: "1Mi" } },
      "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
    ],
    [
      { runtimeClassName: "vm", nodeSelector: { vm: "no" } },
      "conflict: runtimeClass.scheduling.nodeSelector[vm] = yes; pod.spec.nodeSelector[vm] = no",
    ],
  ];
  for (const [spec, message] of table) t.throws(() => run(spec), { message: rejected + message });
});

test("Priority: one default only", async (t) => {
  const usual = { metadata: { name: "usual" }, value: 5, globalDefault: true };
  const plugin = priority(plainStorage([priorityclasses as Resource, usual]));
  const write =
    (name: string, fields: object = {}) =>
    () =>
      plugin.validate!(
        attributesOf(priorityclasses as Resource, { object: { metadata: { name }, globalDefault: true }, ...fields }),
      );
  t.throws(write("second"), {
    message:
      'priorityclasses.scheduling.k8s.io "second" is forbidden: PriorityClass usual is already marked as default. Only one default can exist',
  });
  t.doesNotThrow(write("usual", { operation: "UPDATE", oldObject: usual }));
});

test("ServiceAccount: an account that lists its secrets lets pods use no others", async (t) => {
  const plugin = serviceAccount(
    plainStorage([
      serviceaccounts as Resource,
      {
        metadata: {
          name: "default",
          namespace: "dev",
          annotations: { "kubernetes.io/enforce-mountable-secrets": "true" },
        },
        secrets: [{ name: "mine" }],
        imagePullSecrets: [{ name: "pull" }],
      },
    ]),
  );
  const validate = (spec: object) => () =>
    plugin.validate!(attributesOf(ofPods, { object: podOf({ serviceAccountName: "default", ...spec }) }));
  const env = (name: string) => ({
    containers: [{ name: "c", env: [{ name: "KEY", valueFrom: { secretKeyRef: { name, key: "k" } } }] }],
  });
  const because = (kind = "secret") => `is not allowed because service account default does not reference that ${kind}`;
  t.doesNotThrow(validate({ volumes: [{ name: "v", secret: { secretName: "mine" } }], ...env("mine") }));
  const table: [spec: object, message: string][] = [
    [{ volumes: [{ name: "v", secret: { secretName: "x" } }] }, `volume with secret.secretName="x" ${because()}`],
    [env("x"), `container c with envVar KEY referencing secret.secretName="x" ${because()}`],
    [{ imagePullSecrets: [{ name: "x" }] }, `imagePullSecrets[0].name="x" ${because("imagePullSecret")}`],
  ];
  for (const [spec, message] of table) {
    t.throws(validate(spec), { message: `pods "web" is forbidden: ${message}` });
  }
});
