import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { useCluster } from "./harness/cluster.js";
import { kubectlFor } from "./harness/kubectl.js";
import { useNamespace } from "./harness/namespace.js";

const pod = (name: string, spec = "") => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  containers: [{ name: c, image: nginx, imagePullPolicy: IfNotPresent${spec} }]
`;

test("B7 a quota refuses what goes beyond it, shows what is used, and is free again after a delete", async (t) => {
  const { kubectl } = await useNamespace(t, await useCluster(t));
  await kubectl.run(["create", "quota", "q", "--hard=pods=2,count/configmaps=3,requests.cpu=1"]);
  const used = async (bound: string) => (await kubectl.json(["get", "quota", "q"])).status?.used?.[bound];
  const cpu = (amount: string) => `, resources: { requests: { cpu: ${amount} } }`;

  const unnamed = await kubectl.attempt(["create", "-f", "-"], { input: pod("a") });
  t.match(unnamed.stderr, /pods "a" is forbidden: failed quota: q: must specify requests\.cpu for: c\n/);
  await kubectl.run(["create", "-f", "-"], { input: pod("a", cpu("100m")) });
  await kubectl.run(["create", "-f", "-"], { input: pod("b", cpu("100m")) });
  const third = await kubectl.attempt(["create", "-f", "-"], { input: pod("c", cpu("1m")) });
  t.match(third.stderr, /pods "c" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2\n/);
  await eventually(
    "the quota shows it",
    async () => (await used("pods")) === "2" && (await used("requests.cpu")) === "200m",
  );
  t.match(await kubectl.run(["describe", "quota", "q"]), /pods\s+2\s+2\n\s*requests\.cpu\s+200m\s+1\n/);
  t.match(await kubectl.run(["get", "quota", "q"]), /pods: 2\/2, requests\.cpu: 200m\/1/);

  await kubectl.run(["delete", "pod", "b", "--grace-period=1"]);
  await kubectl.run(["create", "-f", "-"], { input: pod("c", cpu("100m")) });
  await kubectl.run(["delete", "pod", "a", "c", "--grace-period=1"]);
  await eventually("all is free", async () => (await used("pods")) === "0" && (await used("requests.cpu")) === "0");

  // kube-root-ca.crt is a ConfigMap of every namespace.
  await kubectl.run(["create", "configmap", "one"]);
  await kubectl.run(["create", "configmap", "two"]);
  const fourth = await kubectl.attempt(["create", "configmap", "three"]);
  t.match(
    fourth.stderr,
    /exceeded quota: q, requested: count\/configmaps=1, used: count\/configmaps=3, limited: count\/configmaps=3/,
  );
});

test("B7 a Deployment meets its quota: the ReplicaSet says why pods are missing", async (t) => {
  const { kubectl } = await useNamespace(t, await useCluster(t));
  await kubectl.run(["create", "quota", "q", "--hard=pods=1"]);
  await kubectl.run(["create", "deployment", "web", "--image=nginx", "--replicas=2"]);
  const told = await eventually("the Deployment says so", async () => {
    const { status } = await kubectl.json(["get", "deployment", "web"]);
    const failure = status?.conditions?.find(({ type }: { type: string }) => type === "ReplicaFailure");
    return failure ?? false;
  });
  t.equal(told.reason, "FailedCreate");
  t.match(told.message, /is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1/);
  await kubectl.run(["patch", "quota", "q", "--type=merge", "-p", '{"spec":{"hard":{"pods":"2"}}}']);
  await kubectl.run(["rollout", "status", "deployment/web", "--timeout=90s"]);
});

test("B7 a LimitRange gives defaults and holds bounds", async (t) => {
  const { kubectl } = await useNamespace(t, await useCluster(t));
  await kubectl.apply(`
apiVersion: v1
kind: LimitRange
metadata: { name: bounds }
spec:
  limits:
  - type: Container
    default: { memory: 128Mi }
    defaultRequest: { memory: 64Mi }
    max: { memory: 256Mi }
`);
  await kubectl.run(["create", "-f", "-"], { input: pod("plain") });
  const plain = await kubectl.json(["get", "pod", "plain"]);
  t.strictSame(plain.spec.containers[0].resources, { limits: { memory: "128Mi" }, requests: { memory: "64Mi" } });
  t.equal(
    plain.metadata.annotations["kubernetes.io/limit-ranger"],
    "LimitRanger plugin set: memory request for container c; memory limit for container c",
  );
  const greedy = await kubectl.attempt(["create", "-f", "-"], {
    input: pod("greedy", ", resources: { limits: { memory: 1Gi } }"),
  });
  t.match(greedy.stderr, /pods "greedy" is forbidden: maximum memory usage per Container is 256Mi, but limit is 1Gi\n/);
});

test("H3 a restricted namespace refuses what is not, warns about templates, and tells whom a new level would hit", async (t) => {
  const cluster = await useCluster(t);
  const { name, kubectl } = await useNamespace(t, cluster);
  const root = kubectlFor(cluster);
  const label = (value: string) =>
    root.attempt(["label", "--overwrite", "namespace", name, `pod-security.kubernetes.io/enforce=${value}`]);
  const violations =
    'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")';

  await kubectl.run(["create", "-f", "-"], { input: pod("early") });
  const typo = await label("strict");
  t.match(typo.stderr, /Invalid value: "strict": must be one of privileged, baseline, restricted/);
  const labelled = await label("restricted");
  t.equal(
    labelled.stderr,
    `Warning: existing pods in namespace "${name}" violate the new PodSecurity enforce level "restricted:latest"\nWarning: early: allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile\n`,
  );

  const refused = await kubectl.attempt(["create", "-f", "-"], { input: pod("late") });
  t.equal(refused.code, 1);
  t.match(refused.stderr, `pods "late" is forbidden: violates PodSecurity "restricted:latest": ${violations}\n`);

  const deployment = await kubectl.attempt(["create", "deployment", "web", "--image=nginx"]);
  t.match(deployment.stdout, "deployment.apps/web created");
  t.match(
    deployment.stderr,
    `Warning: would violate PodSecurity "restricted:latest": ${violations.replaceAll('"c"', '"nginx"')}\n`,
  );
  await eventually("the ReplicaSet is refused", async () => {
    const { items } = await kubectl.json(["get", "events", "--field-selector=reason=FailedCreate"]);
    return items.some(({ message }: { message: string }) =>
      message.includes('violates PodSecurity "restricted:latest"'),
    );
  });

  await label("privileged");
  const after = await kubectl.attempt(["create", "-f", "-"], { input: pod("late") });
  t.same([after.code, after.stderr], [0, ""]);
});

test("B7 priority classes: a pod gets its class's number, the default's where it names none", async (t) => {
  const cluster = await useCluster(t);
  const { name, kubectl } = await useNamespace(t, cluster);
  const root = kubectlFor(cluster);
  const className = `high-${name}`;
  t.teardown(() => root.attempt(["delete", "priorityclass", className]));
  await root.run(["create", "priorityclass", className, "--value=1000", "--preemption-policy=Never"]);
  const withClass = (podName: string, priorityClassName: string) =>
    `${pod(podName)}  priorityClassName: ${priorityClassName}\n`;
  await kubectl.run(["create", "-f", "-"], { input: withClass("first", className) });
  const { spec } = await kubectl.json(["get", "pod", "first"]);
  t.match(spec, { priority: 1000, preemptionPolicy: "Never", priorityClassName: className });
  const unknown = await kubectl.attempt(["create", "-f", "-"], { input: withClass("lost", "none-such") });
  t.match(unknown.stderr, /pods "lost" is forbidden: no PriorityClass with name none-such was found\n/);
  const system = await root.attempt(["create", "priorityclass", "system-mine", "--value=1"]);
  t.not(system.code, 0, "names that begin with system- are the system's");
});

test("H3 admin, edit and view show the rules that they gather", async (t) => {
  const root = kubectlFor(await useCluster(t));
  const described = await eventually("view has rules", async () => {
    const text = await root.run(["describe", "clusterrole", "view"]);
    return /pods\s+\[\]\s+\[\]\s+\[get list watch\]/.test(text) && text;
  });
  t.notMatch(described, /\bsecrets\b/);
  t.match(await root.run(["describe", "clusterrole", "edit"]), /secrets\s+\[\]\s+\[\]\s+\[[^\]]*create[^\]]*\]/);
});

test("G1 StorageObjectInUseProtection: a claim in use goes when its last pod has gone", async (t) => {
  const cluster = await useCluster(t);
  const { name, kubectl } = await useNamespace(t, cluster);
  const root = kubectlFor(cluster);
  const volume = `kept-${name}`;
  t.teardown(() => root.attempt(["delete", "pv", volume, "--wait=false"]));
  await root.apply(`
apiVersion: v1
kind: PersistentVolume
metadata: { name: ${volume} }
spec:
  capacity: { storage: 1Mi }
  accessModes: [ReadWriteOnce]
  storageClassName: ${volume}
  persistentVolumeReclaimPolicy: Retain
  hostPath: { path: ${cluster.dataDir}, type: Directory }
`);
  await kubectl.apply(`
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: kept }
spec: { accessModes: [ReadWriteOnce], storageClassName: ${volume}, resources: { requests: { storage: 1Mi } } }
`);
  await kubectl.apply(`${pod("user")}  volumes: [{ name: v, persistentVolumeClaim: { claimName: kept } }]\n`);
  await eventually("the pod has a node", async () => (await kubectl.json(["get", "pod", "user"])).spec.nodeName);
  await kubectl.run(["delete", "pvc", "kept", "--wait=false"]);
  t.match(await kubectl.run(["get", "pvc", "kept"]), /^NAME +STATUS .*\nkept +Terminating +/);
  t.match((await kubectl.json(["get", "pvc", "kept"])).metadata.finalizers, ["kubernetes.io/pvc-protection"]);
  await kubectl.run(["delete", "pod", "user", "--grace-period=1"]);
  await eventually("the claim is gone", async () => {
    const { code, stderr } = await kubectl.attempt(["get", "pvc", "kept"]);
    return code === 1 && stderr.includes("not found");
  });
});
