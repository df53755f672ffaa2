// Storage as a person uses it: claims, classes, volumes, and a database that keeps its rows whatever dies.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { createCluster, runPicokube, type TestCluster, useCluster } from "./harness/cluster.js";
import type { Kubectl } from "./harness/kubectl.js";
import { kubectlFor } from "./harness/kubectl.js";
import { useNamespace } from "./harness/namespace.js";

const patienceMs = 120_000;

const claim = (name: string, extra = "") => `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: ${name} }
spec:
  accessModes: [ReadWriteOnce]
  resources: { requests: { storage: 100Mi } }
  ${extra}
---`;

const pod = (name: string, volume: string, command = "sleep 3600") => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
  volumes: [{ name: data, ${volume} }]
  containers:
  - name: main
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, ${JSON.stringify(command)}]
    volumeMounts: [{ name: data, mountPath: /data }]
---`;

const uses = (claimName: string) => `persistentVolumeClaim: { claimName: ${claimName} }`;

const ready = (kubectl: Kubectl, name: string) =>
  kubectl.run(["wait", "pod", name, "--for=condition=Ready", `--timeout=${patienceMs / 1000}s`], {
    timeoutMs: patienceMs + 10_000,
  });

/** What the events say of an object, one line each. */
const said = (kubectl: Kubectl, name: string) =>
  kubectl.run([
    "get",
    "events",
    `--field-selector=involvedObject.name=${name}`,
    "-o=jsonpath={range .items[*]}{.reason}: {.message}{'\\n'}{end}",
  ]);

const directoriesOf = ({ dataDir }: TestCluster) => {
  const root = join(dataDir, "kubelet", "local-path");
  return existsSync(root) ? readdirSync(root).map((name) => join(root, name)) : [];
};

test("G1 a claim of the default class waits for its pod, outlives it, and takes its directory along", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl, name: namespace } = await useNamespace(t, cluster);
  t.match(
    await kubectl.run(["get", "storageclass"]),
    /local-path \(default\) +picokube\.io\/local-path +Delete +WaitForFirstConsumer +false/,
  );
  await kubectl.apply(claim("data"));
  await eventually("it says what it waits for", async () =>
    (await said(kubectl, "data")).includes(
      "WaitForFirstConsumer: waiting for first consumer to be created before binding",
    ),
  );
  t.match(await kubectl.run(["get", "pvc", "data"]), /data +Pending .* local-path/);
  await kubectl.apply(pod("writer", uses("data"), "echo kept > /data/file; sleep 3600"));
  await ready(kubectl, "writer");
  await eventually("it says who made its volume", async () =>
    /ProvisioningSucceeded: Successfully provisioned volume pvc-/.test(await said(kubectl, "data")),
  );
  t.match(await kubectl.run(["get", "pvc", "data"]), /data +Bound +pvc-\S+ +100Mi +RWO +local-path/);
  const volume = (await kubectl.json(["get", "pvc", "data"])).spec.volumeName;
  const described = await kubectl.run(["describe", "pv", volume]);
  t.match(described, /Type: +LocalVolume/);
  t.match(described, new RegExp(`kubernetes.io/hostname in \\[${cluster.nodeName}\\]`));
  const directory = directoriesOf(cluster).find((path) => path.endsWith(`${volume}_${namespace}_data`))!;
  await eventually("the pod has written", async () => readFileSync(join(directory, "file"), "utf8") === "kept\n");

  // A claim in use stays until its pod has gone.
  await kubectl.run(["delete", "pvc", "data", "--wait=false"]);
  t.match(await kubectl.run(["get", "pvc", "data"]), /Terminating/);
  t.equal(await kubectl.run(["exec", "writer", "--", "cat", "/data/file"]), "kept\n");
  await kubectl.apply(pod("late", uses("data")));
  await eventually("nobody else may have it", async () =>
    /FailedScheduling: 0\/\d+ nodes are available: persistentvolumeclaim "data" is being deleted\./.test(
      await said(kubectl, "late"),
    ),
  );
  t.ok(existsSync(directory));
  await kubectl.run(["delete", "pod", "writer", "late"]);
  await eventually("the claim is gone", async () => (await kubectl.attempt(["get", "pvc", "data"])).code !== 0);
  await eventually("the volume too", async () => (await kubectl.attempt(["get", "pv", volume])).code !== 0);
  t.notOk(existsSync(directory), "and its directory");
  await eventually("nothing is left on the node", async () => {
    const { annotations } = (await kubectl.json(["get", "node", cluster.nodeName])).metadata;
    return !Object.keys(annotations).some((name) => name.includes(volume));
  });
});

test("G1 Retain keeps the directory; growth is refused or granted by the class", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl, name: namespace } = await useNamespace(t, cluster);
  const className = `keep-${namespace}`;
  t.teardown(() => kubectl.attempt(["delete", "storageclass", className]));
  await kubectl.apply(`
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: ${className} }
provisioner: picokube.io/local-path
reclaimPolicy: Retain
volumeBindingMode: Immediate
allowVolumeExpansion: true
---${claim("kept", `storageClassName: ${className}`)}${pod("user", uses("kept"), "echo kept > /data/file; sleep 3600")}${claim("plain")}${pod("other", uses("plain"))}`);
  await ready(kubectl, "user");
  await ready(kubectl, "other");
  const grow = (name: string) =>
    kubectl.attempt(["patch", "pvc", name, "-p", '{"spec":{"resources":{"requests":{"storage":"1Gi"}}}}']);
  const refused = await grow("plain");
  t.equal(refused.code, 1);
  t.match(
    refused.stderr,
    /persistentvolumeclaims "plain" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize/,
  );
  t.equal((await grow("kept")).code, 0);
  await eventually("it has grown", async () => / 1Gi /.test(await kubectl.run(["get", "pvc", "kept"])));

  const volume = (await kubectl.json(["get", "pvc", "kept"])).spec.volumeName;
  const directory = directoriesOf(cluster).find((path) => path.includes(volume))!;
  await kubectl.run(["delete", "pod", "user"]);
  await kubectl.run(["delete", "pvc", "kept"]);
  await eventually("the volume is Released", async () =>
    /Retain +Released/.test(await kubectl.run(["get", "pv", volume])),
  );
  t.equal(readFileSync(join(directory, "file"), "utf8"), "kept\n");
  await kubectl.run(["delete", "pv", volume]);
  t.ok(existsSync(directory), "what is kept is kept");
});

test("C8 G1 volumes made by hand: a hostPath bound by size, a pod that waits in upstream's words, ephemeral volumes", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl, name: namespace } = await useNamespace(t, cluster);
  const host = mkdtempSync(join(tmpdir(), "picokube-volume-"));
  t.teardown(() => rmSync(host, { recursive: true, force: true }));
  mkdirSync(join(host, "small"));
  writeFileSync(join(host, "small", "greeting"), "hello\n");
  const volume = (size: string, path: string) => `
apiVersion: v1
kind: PersistentVolume
metadata: { name: ${path}-${namespace} }
spec:
  capacity: { storage: ${size} }
  accessModes: [ReadWriteOnce]
  storageClassName: hand-${namespace}
  persistentVolumeReclaimPolicy: Retain
  hostPath: { path: ${host}/${path}, type: Directory }
---`;
  t.teardown(() => kubectl.attempt(["delete", "pv", `small-${namespace}`, `large-${namespace}`, "--wait=false"]));

  const hand = `storageClassName: hand-${namespace}`;
  await kubectl.apply(claim("huge", hand).replace("100Mi", "1Ti") + pod("waiter", uses("huge")));
  await eventually("the scheduler says why", async () =>
    /FailedScheduling: 0\/(\d+) nodes are available: pod has unbound immediate PersistentVolumeClaims\. preemption: 0\/\1 nodes are available: \1 Preemption is not helpful for scheduling\./.test(
      await said(kubectl, "waiter"),
    ),
  );
  await kubectl.apply(volume("10Gi", "large") + volume("1Gi", "small"));
  await eventually(
    "both are there",
    async () =>
      [...(await kubectl.run(["get", "pv"])).matchAll(new RegExp(`Available .*hand-${namespace}`, "g"))].length === 2,
  );
  await kubectl.apply(claim("data", hand) + pod("reader", uses("data"), "cat /data/greeting; sleep 3600"));
  await ready(kubectl, "reader");
  t.equal((await kubectl.json(["get", "pvc", "data"])).spec.volumeName, `small-${namespace}`, "the smallest that fits");
  t.equal(await kubectl.run(["logs", "reader"]), "hello\n");
  t.match(await kubectl.run(["get", "pv", `large-${namespace}`]), /Available/);

  await kubectl.apply(
    pod(
      "worker",
      "ephemeral: { volumeClaimTemplate: { spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 10Mi } } } } }",
      "echo scratch > /data/file; sleep 3600",
    ),
  );
  await ready(kubectl, "worker");
  const scratch = (await kubectl.json(["get", "pvc", "worker-data"])).spec.volumeName;
  const directory = directoriesOf(cluster).find((path) => path.includes(scratch))!;
  t.ok(existsSync(directory));
  await kubectl.run(["delete", "pod", "worker"]);
  await eventually(
    "its claim goes with it",
    async () => (await kubectl.attempt(["get", "pvc", "worker-data"])).code !== 0,
  );
  await eventually("and its directory", async () => !existsSync(directory));
});

test("G1 Recycle: a pod empties the volume, which serves the next claim", async (t) => {
  const host = mkdtempSync(join(tmpdir(), "picokube-volume-"));
  t.teardown(() => rmSync(host, { recursive: true, force: true }));
  // The default template's image comes from a registry; a cluster without one names its own, as upstream's flags allow.
  const template = join(host, "recycler.yaml");
  writeFileSync(
    template,
    `apiVersion: v1
kind: Pod
metadata: { name: recycler }
spec:
  restartPolicy: Never
  volumes: [{ name: vol }]
  containers:
  - name: scrubber
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, "rm -r /scrub/file"]
    volumeMounts: [{ name: vol, mountPath: /scrub }]
`,
  );
  const { cluster, dispose } = await createCluster([
    `--kube-controller-manager-arg=pv-recycler-pod-template-filepath-hostpath=${template}`,
  ]);
  t.teardown(dispose);
  const kubectl = kubectlFor(cluster, "default");
  const path = join(host, "data");
  mkdirSync(path);
  await kubectl.apply(`
apiVersion: v1
kind: PersistentVolume
metadata: { name: reused }
spec:
  capacity: { storage: 1Gi }
  accessModes: [ReadWriteOnce]
  storageClassName: ""
  persistentVolumeReclaimPolicy: Recycle
  hostPath: { path: ${path} }
`);
  await kubectl.apply(
    claim("first", 'storageClassName: ""') + pod("writer", uses("first"), "echo old > /data/file; sleep 3600"),
  );
  await ready(kubectl, "writer");
  await eventually("it has written", async () => existsSync(join(path, "file")));
  await kubectl.run(["delete", "pod", "writer"]);
  await kubectl.run(["delete", "pvc", "first"]);
  await kubectl.apply(claim("second", 'storageClassName: ""'));
  await eventually(
    "the next claim has it",
    async () => /Bound +reused/.test(await kubectl.run(["get", "pvc", "second"])),
    patienceMs,
  );
  t.strictSame(readdirSync(path), [], "and finds it empty");
  await eventually("it says so", async () =>
    (await said(kubectl, "reused")).includes("VolumeRecycled: Volume recycled"),
  );
});

test("A1 D3 G1 postgres in a StatefulSet keeps its rows: pod, StatefulSet, kubelet, whole cluster", async (t) => {
  const { cluster, dispose } = await createCluster();
  t.teardown(dispose);
  const kubectl = kubectlFor(cluster, "default");
  const manifest = `
apiVersion: v1
kind: Secret
metadata: { name: postgres }
stringData: { password: secret }
---
apiVersion: v1
kind: Service
metadata: { name: postgres }
spec: { clusterIP: None, selector: { app: postgres }, ports: [{ port: 5432 }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: postgres }
spec:
  serviceName: postgres
  replicas: 1
  selector: { matchLabels: { app: postgres } }
  template:
    metadata: { labels: { app: postgres } }
    spec:
      terminationGracePeriodSeconds: 10
      containers:
      - name: postgres
        image: postgres
        imagePullPolicy: IfNotPresent
        env:
        - { name: POSTGRES_PASSWORD, valueFrom: { secretKeyRef: { name: postgres, key: password } } }
        - { name: PGDATA, value: /var/lib/postgresql/data/pgdata }
        readinessProbe: { exec: { command: [pg_isready, -U, postgres, -h, 127.0.0.1] }, periodSeconds: 1 }
        volumeMounts: [{ name: data, mountPath: /var/lib/postgresql/data }]
  volumeClaimTemplates:
  - metadata: { name: data }
    spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 100Mi } } }
`;
  const sql = (statement: string) =>
    kubectl.run([
      "exec",
      "postgres-0",
      "--",
      "env",
      "PGPASSWORD=secret",
      "psql",
      "-h",
      "127.0.0.1",
      "-U",
      "postgres",
      "-qAtc",
      statement,
    ]);
  const rows = () =>
    eventually(
      "the rows",
      async () => (await sql("select string_agg(text, ' ' order by id) from notes")).trim(),
      patienceMs,
    );
  const uidOf = async () => (await kubectl.json(["get", "pod", "postgres-0"])).metadata.uid;
  const isReady = (before?: string) =>
    eventually(
      "postgres-0 is ready",
      async () => {
        const { metadata, status } = await kubectl.json(["get", "pod", "postgres-0"]);
        return (
          metadata.uid !== before &&
          status.conditions?.some(
            (each: { type: string; status: string }) => each.type === "Ready" && each.status === "True",
          )
        );
      },
      patienceMs,
    );

  await kubectl.apply(manifest);
  await isReady();
  await eventually("the first rows", async () => {
    await sql("create table if not exists notes (id serial primary key, text text)");
    await sql("insert into notes (text) values ('hello'), ('world')");
    return true;
  });
  const written = await rows();
  t.match(written, /hello world$/);
  const volume = (await kubectl.json(["get", "pvc", "data-postgres-0"])).spec.volumeName;

  const first = await uidOf();
  await kubectl.run(["delete", "pod", "postgres-0"]);
  await isReady(first);
  t.equal(await rows(), written, "after the deletion of the pod");

  await kubectl.run(["delete", "statefulset", "postgres"]);
  await eventually(
    "the pod is gone",
    async () => (await kubectl.attempt(["get", "pod", "postgres-0"])).code !== 0,
    patienceMs,
  );
  await kubectl.apply(manifest);
  await isReady(first);
  t.equal((await kubectl.json(["get", "pvc", "data-postgres-0"])).spec.volumeName, volume, "the same claim");
  t.equal(await rows(), written, "after the deletion of the StatefulSet");

  const { components } = JSON.parse(readFileSync(join(cluster.dataDir, "run", "processes.json"), "utf8"));
  process.kill(components.kubelet.process.pid, "SIGKILL");
  t.equal(await rows(), written, "after a kill of the kubelet");

  await runPicokube(["down"], { dataDir: cluster.dataDir });
  await runPicokube(["up"], { dataDir: cluster.dataDir });
  await isReady();
  t.equal(await rows(), written, "after a restart of the whole cluster");
  const third = await uidOf();
  await kubectl.run(["delete", "pod", "postgres-0"]);
  await isReady(third);
  t.equal(await rows(), written, "and of the pod after it");
  t.match(await kubectl.run(["get", "pvc", "data-postgres-0"]), new RegExp(`Bound +${volume}`));
});
