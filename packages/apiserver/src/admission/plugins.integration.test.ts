// Every admission plugin in a real apiserver: what it sets, what it refuses and in which words, on creates, updates and dry
// runs. What each decides in detail is told by the tests beside it.

import { type Deployment, deployments } from "@picokube/api/apps/v1";
import {
  configmaps,
  limitranges,
  namespaces,
  nodes,
  type PersistentVolumeClaim,
  type Pod,
  persistentvolumeclaims,
  persistentvolumes,
  pods,
  resourcequotas,
  serviceaccounts,
  services,
} from "@picokube/api/core/v1";
import type { KubernetesObject, NewObject } from "@picokube/api/meta/v1";
import { type Ingress, ingressclasses, ingresses } from "@picokube/api/networking/v1";
import { runtimeclasses } from "@picokube/api/node/v1";
import type { Resource } from "@picokube/api/resource";
import { priorityclasses } from "@picokube/api/scheduling/v1";
import { storageclasses } from "@picokube/api/storage/v1";
import type { Client } from "@picokube/client/client";
import { startApiServer } from "@picokube/testing/apiserver";
import { type Test, test } from "tap";

const once = ["ReadWriteOnce"] as const;
const container = { name: "c", image: "nginx" };
const podNamed = (name: string, namespace: string, spec: object = {}) =>
  ({ metadata: { name, namespace }, spec: { containers: [container], ...spec } }) as unknown as Pod;
const asking = (requests: object, limits?: object) => ({
  containers: [{ ...container, resources: { requests, limits } }],
});

/** A namespace of the test's own, with the account that its pods run as. */
async function makeNamespace(client: Client, name: string, more: object = {}): Promise<string> {
  await client.create(namespaces, { metadata: { name, ...more } } as never);
  await client.create(serviceaccounts, { metadata: { name: "default", namespace: name } });
  return name;
}

async function refused(t: Test, promise: Promise<unknown>, message: string): Promise<void> {
  await t.rejects(promise, { code: 403, message });
}

/** Creates it for a dry run: what comes back is what plugins made of it, and nothing stays. */
async function tried<T extends KubernetesObject>(client: Client, resource: Resource<T>, object: NewObject<T>) {
  return client.create(resource, object, { dryRun: true });
}

const all =
  "PodNodeSelector,ExtendedResourceToleration,OwnerReferencesPermissionEnforcement,StorageObjectInUseProtection";

test("admission plugins in a real apiserver", async (t) => {
  const server = await startApiServer(t, { flags: [`--enable-admission-plugins=${all}`] });
  const { client } = server;

  await t.test("NamespaceLifecycle", async (t) => {
    await t.rejects(client.create(configmaps, { metadata: { name: "a", namespace: "none" } }), {
      code: 404,
      message: 'namespaces "none" not found',
    });
    await refused(
      t,
      client.delete(namespaces, { name: "kube-system" }),
      'namespaces "kube-system" is forbidden: this namespace may not be deleted',
    );
    await client.create(namespaces, { metadata: { name: "going" }, spec: { finalizers: ["kubernetes"] } });
    await client.delete(namespaces, { name: "going" });
    await t.rejects(client.create(configmaps, { metadata: { name: "a", namespace: "going" } }), {
      code: 403,
      message:
        'configmaps "a" is forbidden: unable to create new content in namespace going because it is being terminated',
      details: { causes: [{ reason: "NamespaceTerminating", field: "metadata.namespace" }] },
    });
  });

  await t.test("ServiceAccount", async (t) => {
    const namespace = await makeNamespace(client, "accounts");
    const made = await tried(client, pods, podNamed("a", namespace));
    t.equal(made.spec?.serviceAccountName, "default");
    const [volume] = made.spec?.volumes ?? [];
    t.match(volume?.name, /^kube-api-access-[a-z0-9]{5}$/);
    t.match(made.spec?.containers[0]?.volumeMounts, [
      { name: volume?.name, readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" },
    ]);
    const quiet = await tried(client, pods, podNamed("a", namespace, { automountServiceAccountToken: false }));
    t.equal(quiet.spec?.volumes, undefined);
    await refused(
      t,
      client.create(pods, podNamed("a", namespace, { serviceAccountName: "robot" })),
      'pods "a" is forbidden: error looking up service account accounts/robot: serviceaccount "robot" not found',
    );
  });

  await t.test("LimitRanger", async (t) => {
    const namespace = await makeNamespace(client, "ranges");
    const limits = [
      { type: "Container", default: { cpu: "200m" }, defaultRequest: { cpu: "100m" }, max: { cpu: "1" } },
    ];
    await client.create(limitranges, { metadata: { name: "r", namespace }, spec: { limits } } as never);
    const made = await tried(client, pods, podNamed("a", namespace));
    t.same(made.spec?.containers[0]?.resources, { requests: { cpu: "100m" }, limits: { cpu: "200m" } });
    t.equal(
      made.metadata.annotations?.["kubernetes.io/limit-ranger"],
      "LimitRanger plugin set: cpu request for container c; cpu limit for container c",
    );
    await refused(
      t,
      client.create(pods, podNamed("a", namespace, asking({ cpu: "1" }, { cpu: "2" }))),
      'pods "a" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
    );
  });

  await t.test("DefaultStorageClass and PersistentVolumeClaimResize", async (t) => {
    const namespace = await makeNamespace(client, "claims");
    const annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
    await client.create(storageclasses, { metadata: { name: "usual", annotations }, provisioner: "a.b/c" });
    const spec = { accessModes: [...once], resources: { requests: { storage: "1Gi" } } };
    const made = await client.create(persistentvolumeclaims, { metadata: { name: "a", namespace }, spec });
    t.equal(made.spec?.storageClassName, "usual");
    const larger = structuredClone(made) as PersistentVolumeClaim;
    larger.spec!.resources!.requests!.storage = "2Gi";
    await t.rejects(client.update(persistentvolumeclaims, larger), {
      code: 422,
      message:
        /spec: Forbidden: spec is immutable after creation except resources\.requests and volumeAttributesClassName/,
    });
    const bound = { status: { phase: "Bound", capacity: { storage: "1Gi" } } };
    const name = { name: "a", namespace };
    await client.patch(persistentvolumeclaims, name, bound, { type: "merge", subresource: "status" });
    const patch = { spec: { resources: { requests: { storage: "2Gi" } } } };
    await refused(
      t,
      client.patch(persistentvolumeclaims, name, patch, { type: "merge" }),
      'persistentvolumeclaims "a" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    );
    await client.patch(storageclasses, { name: "usual" }, { allowVolumeExpansion: true }, { type: "merge" });
    const grown = await client.patch(persistentvolumeclaims, name, patch, { type: "merge" });
    t.equal(grown.spec?.resources?.requests?.storage, "2Gi");
  });

  await t.test("StorageObjectInUseProtection", async (t) => {
    const spec = { accessModes: [...once], resources: { requests: { storage: "1Gi" } } };
    const claim = await tried(client, persistentvolumeclaims, { metadata: { name: "b", namespace: "claims" }, spec });
    t.same(claim.metadata.finalizers, ["kubernetes.io/pvc-protection"]);
    const volume = await tried(client, persistentvolumes, {
      metadata: { name: "v" },
      spec: { accessModes: [...once], capacity: { storage: "1Gi" }, hostPath: { path: "/d" } },
    });
    t.same(volume.metadata.finalizers, ["kubernetes.io/pv-protection"]);
  });

  await t.test("DefaultIngressClass", async (t) => {
    const annotations = { "ingressclass.kubernetes.io/is-default-class": "true" };
    await client.create(ingressclasses, { metadata: { name: "usual", annotations }, spec: { controller: "a.b/c" } });
    const spec = { defaultBackend: { service: { name: "s", port: { number: 80 } } } };
    const object = { metadata: { name: "i", namespace: "claims" }, spec } as NewObject<Ingress>;
    t.equal((await tried(client, ingresses, object)).spec?.ingressClassName, "usual");
  });

  await t.test("Priority", async (t) => {
    const namespace = await makeNamespace(client, "priorities");
    await client.create(priorityclasses, {
      metadata: { name: "high" },
      value: 1000,
      preemptionPolicy: "Never",
    } as never);
    const made = await tried(client, pods, podNamed("a", namespace, { priorityClassName: "high" }));
    t.match(made.spec, { priority: 1000, preemptionPolicy: "Never" });
    const plain = await tried(client, pods, podNamed("a", namespace));
    t.match(plain.spec, { priority: 0, preemptionPolicy: "PreemptLowerPriority" });
    await refused(
      t,
      client.create(pods, podNamed("a", namespace, { priorityClassName: "none" })),
      'pods "a" is forbidden: no PriorityClass with name none was found',
    );
    await refused(
      t,
      client.create(pods, podNamed("a", namespace, { priority: 5 })),
      'pods "a" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
    );
    await client.create(priorityclasses, { metadata: { name: "usual" }, value: 1, globalDefault: true } as never);
    await refused(
      t,
      client.create(priorityclasses, { metadata: { name: "other" }, value: 2, globalDefault: true } as never),
      'priorityclasses.scheduling.k8s.io "other" is forbidden: PriorityClass usual is already marked as default. Only one default can exist',
    );
  });

  await t.test("DefaultTolerationSeconds and ExtendedResourceToleration", async (t) => {
    const namespace = await makeNamespace(client, "tolerations");
    const seconds = (key: string) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 });
    const made = await tried(
      client,
      pods,
      podNamed("a", namespace, asking({ "x.com/gpu": "1" }, { "x.com/gpu": "1" })),
    );
    t.same(made.spec?.tolerations, [
      seconds("node.kubernetes.io/not-ready"),
      seconds("node.kubernetes.io/unreachable"),
      { key: "x.com/gpu", operator: "Exists" },
    ]);
  });

  await t.test("TaintNodesByCondition", async (t) => {
    const made = await tried(client, nodes, { metadata: { name: "n" } });
    t.same(made.spec?.taints, [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }]);
  });

  await t.test("NodeRestriction", async (t) => {
    const kubelet = server.as("kubelet-client").client;
    const name = "node-1";
    await kubelet.create(nodes, { metadata: { name } });
    await refused(
      t,
      kubelet.create(nodes, { metadata: { name: "somebody-else" } }),
      `nodes "somebody-else" is forbidden: node "${name}" is not allowed to modify node "somebody-else"`,
    );
    const labels = { "node-role.kubernetes.io/control-plane": "" };
    await t.rejects(kubelet.patch(nodes, { name }, { metadata: { labels } }, { type: "merge" }), {
      code: 403,
      message: /is not allowed to modify labels: node-role\.kubernetes\.io\/control-plane/,
    });
  });

  await t.test("RuntimeClass", async (t) => {
    const namespace = await makeNamespace(client, "runtimes");
    await client.create(runtimeclasses, {
      metadata: { name: "sandboxed" },
      handler: "sandboxed",
      overhead: { podFixed: { cpu: "50m" } },
      scheduling: { nodeSelector: { sandbox: "yes" } },
    });
    const made = await tried(client, pods, podNamed("a", namespace, { runtimeClassName: "sandboxed" }));
    t.match(made.spec, { overhead: { cpu: "50m" }, nodeSelector: { sandbox: "yes" } });
    await refused(
      t,
      client.create(pods, podNamed("a", namespace, { runtimeClassName: "none" })),
      'pods "a" is forbidden: pod rejected: RuntimeClass "none" not found',
    );
    await refused(
      t,
      client.create(pods, podNamed("a", namespace, { overhead: { cpu: "1" } })),
      'pods "a" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
    );
  });

  await t.test("PodNodeSelector", async (t) => {
    const annotations = { "scheduler.alpha.kubernetes.io/node-selector": "disk=ssd" };
    const namespace = await makeNamespace(client, "selected", { annotations });
    const made = await tried(client, pods, podNamed("a", namespace, { nodeSelector: { zone: "a" } }));
    t.same(made.spec?.nodeSelector, { disk: "ssd", zone: "a" });
    await refused(
      t,
      client.create(pods, podNamed("a", namespace, { nodeSelector: { disk: "hdd" } })),
      'pods "a" is forbidden: pod node label selector conflicts with its namespace node label selector',
    );
  });

  await t.test("PodSecurity", async (t) => {
    const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
    const namespace = await makeNamespace(client, "secure", { labels });
    const violations =
      'violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")';
    await refused(t, client.create(pods, podNamed("a", namespace)), `pods "a" is forbidden: ${violations}`);
    const securityContext = {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    };
    await tried(client, pods, podNamed("a", namespace, { containers: [{ ...container, securityContext }] }));
    await t.rejects(
      client.create(namespaces, { metadata: { name: "b", labels: { "pod-security.kubernetes.io/warn": "strict" } } }),
      {
        code: 422,
        message:
          'Namespace "b" is invalid: metadata.labels[pod-security.kubernetes.io/warn]: Invalid value: "strict": must be one of privileged, baseline, restricted',
      },
    );
  });

  await t.test("OwnerReferencesPermissionEnforcement", async (t) => {
    const namespace = await makeNamespace(client, "owned");
    const scheduler = server.as("kube-scheduler").client;
    const made = await client.create(pods, podNamed("a", namespace));
    const owner = { apiVersion: "v1", kind: "Node", name: "n", uid: "u", blockOwnerDeletion: true };
    const patch = { metadata: { ownerReferences: [owner] } };
    const name = { name: made.metadata.name, namespace };
    await t.rejects(scheduler.patch(pods, name, patch, { type: "merge" }), { code: 403 });
    const kept = await client.patch(pods, name, patch, { type: "merge" });
    t.match(kept.metadata.ownerReferences, [owner]);
  });

  await t.test("ResourceQuota: objects, classes, scopes, growth", async (t) => {
    const namespace = await makeNamespace(client, "quotas");
    const quota = (name: string, spec: object) =>
      client.create(resourcequotas, { metadata: { name, namespace }, spec } as never);
    await quota("objects", { hard: { "count/deployments.apps": "1", "services.nodeports": "1" } });
    await quota("classes", { hard: { "usual.storageclass.storage.k8s.io/requests.storage": "2Gi" } });
    await quota("effort", { hard: { pods: "1" }, scopes: ["BestEffort"] });
    await quota("ending", { hard: { pods: "1" }, scopes: ["Terminating"] });
    const matchExpressions = [{ scopeName: "PriorityClass", operator: "In", values: ["high"] }];
    await quota("important", { hard: { pods: "0" }, scopeSelector: { matchExpressions } });
    await quota("cross", { hard: { pods: "0" }, scopes: ["CrossNamespacePodAffinity"] });

    const deployment = (name: string) => {
      const labels = { app: name };
      const template = { metadata: { labels }, spec: { containers: [container] } };
      return {
        metadata: { name, namespace },
        spec: { selector: { matchLabels: labels }, template },
      } as unknown as Deployment;
    };
    await client.create(deployments, deployment("a"));
    await refused(
      t,
      client.create(deployments, deployment("b")),
      'deployments.apps "b" is forbidden: exceeded quota: objects, requested: count/deployments.apps=1, used: count/deployments.apps=1, limited: count/deployments.apps=1',
    );

    const ports = [{ port: 80 }];
    const plain = await client.create(services, { metadata: { name: "s", namespace }, spec: { ports } } as never);
    await client.create(services, { metadata: { name: "n", namespace }, spec: { type: "NodePort", ports } } as never);
    await refused(
      t,
      client.update(services, { ...plain, spec: { ...plain.spec, type: "NodePort" } }),
      'services "s" is forbidden: exceeded quota: objects, requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1',
    );

    const claim = (name: string, storage: string) =>
      ({
        metadata: { name, namespace },
        spec: { accessModes: [...once], storageClassName: "usual", resources: { requests: { storage } } },
      }) as unknown as PersistentVolumeClaim;
    await client.create(persistentvolumeclaims, claim("a", "2Gi"));
    await refused(
      t,
      client.create(persistentvolumeclaims, claim("b", "1Gi")),
      'persistentvolumeclaims "b" is forbidden: exceeded quota: classes, requested: usual.storageclass.storage.k8s.io/requests.storage=1Gi, used: usual.storageclass.storage.k8s.io/requests.storage=2Gi, limited: usual.storageclass.storage.k8s.io/requests.storage=2Gi',
    );

    await client.create(pods, podNamed("effortless", namespace));
    await refused(
      t,
      client.create(pods, podNamed("b", namespace)),
      'pods "b" is forbidden: exceeded quota: effort, requested: pods=1, used: pods=1, limited: pods=1',
    );
    const burstable = asking({ cpu: "1m" });
    await client.create(pods, podNamed("ending", namespace, { ...burstable, activeDeadlineSeconds: 60 }));
    await refused(
      t,
      client.create(pods, podNamed("c", namespace, { ...burstable, activeDeadlineSeconds: 60 })),
      'pods "c" is forbidden: exceeded quota: ending, requested: pods=1, used: pods=1, limited: pods=1',
    );
    await refused(
      t,
      client.create(pods, podNamed("d", namespace, { ...burstable, priorityClassName: "high" })),
      'pods "d" is forbidden: exceeded quota: important, requested: pods=1, used: pods=0, limited: pods=0',
    );
    const term = { topologyKey: "zone", namespaces: ["other"], labelSelector: {} };
    const affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
    await refused(
      t,
      client.create(pods, podNamed("e", namespace, { ...burstable, affinity })),
      'pods "e" is forbidden: exceeded quota: cross, requested: pods=1, used: pods=0, limited: pods=0',
    );
    await client.create(pods, podNamed("f", namespace, burstable));
  });

  await t.test("a dry run is admitted and leaves nothing behind", async (t) => {
    const namespace = await makeNamespace(client, "dry");
    const hard = { configmaps: "1" };
    await client.create(resourcequotas, { metadata: { name: "q", namespace }, spec: { hard } });
    for (let i = 0; i < 3; i++) await tried(client, configmaps, { metadata: { name: `c${i}`, namespace } });
    await client.create(configmaps, { metadata: { name: "c", namespace } });
    await refused(
      t,
      tried(client, configmaps, { metadata: { name: "d", namespace } }),
      'configmaps "d" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=1, limited: configmaps=1',
    );
  });
});
