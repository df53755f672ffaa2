import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { useCluster } from "./harness/cluster.js";
import { useNamespace } from "./harness/namespace.js";
import { shellPod } from "./harness/shell-pod.js";

const run = promisify(execFile);

test("C1 C3 a pod is run and described with all its events", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl, name: namespace } = await useNamespace(t, cluster);
  t.equal(await kubectl.run(["run", "nginx", "--image=nginx"]), "pod/nginx created\n");
  await kubectl.run(["wait", "pod/nginx", "--for=condition=Ready", "--timeout=60s"]);
  const described = await eventually("all events are there", async () => {
    const text = await kubectl.run(["describe", "pod", "nginx"]);
    return ["Scheduled", "Created", "Started"].every((reason) => new RegExp(`Normal +${reason} `).test(text)) && text;
  });
  t.match(described, `Successfully assigned ${namespace}/nginx to ${cluster.nodeName}`);
  for (const line of [
    /Status: +Running/,
    /QoS Class: +BestEffort/,
    /State: +Running/,
    /Restart Count: +0/,
    /Ready +True/,
    /PodScheduled +True/,
  ])
    t.match(described, line);
  const { status, spec } = await kubectl.json(["get", "pod", "nginx"]);
  t.match(await kubectl.run(["exec", "nginx", "--", "hostname", "-i"]), status.podIP);
  t.equal(spec.nodeName, cluster.nodeName);
});

test("C5 a container killed behind our back comes back and is counted", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  await kubectl.apply(shellPod("victim", "exec sleep 3600"));
  await kubectl.run(["wait", "pod/victim", "--for=condition=Ready", "--timeout=60s"]);
  const containerId = async () =>
    (await kubectl.json(["get", "pod", "victim"])).status.containerStatuses[0].containerID.replace("docker://", "");
  const first = await containerId();
  await run("docker", ["rm", "-f", first]);
  await eventually("it runs again, counted", async () => {
    const [status] = (await kubectl.json(["get", "pod", "victim"])).status.containerStatuses;
    return status.restartCount === 1 && status.ready && !status.containerID.includes(first);
  });
  const second = await containerId();
  await run("docker", ["kill", second]);
  await eventually("killed by a signal: its last state says so", async () => {
    const [status] = (await kubectl.json(["get", "pod", "victim"])).status.containerStatuses;
    return status.restartCount === 2 && status.lastState.terminated.exitCode === 137;
  });
  const { containerStatuses } = (await kubectl.json(["get", "pod", "victim"])).status;
  t.equal(containerStatuses[0].lastState.terminated.reason, "Error");
});

test("C5 the sandbox killed behind our back: the pod gets a new one and runs on", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl, name: namespace } = await useNamespace(t, cluster);
  await kubectl.apply(shellPod("victim", "exec sleep 3600"));
  await kubectl.run(["wait", "pod/victim", "--for=condition=Ready", "--timeout=60s"]);
  const { stdout } = await run("docker", [
    "ps",
    "-q",
    "--filter",
    `label=io.kubernetes.pod.namespace=${namespace}`,
    "--filter",
    "label=io.kubernetes.docker.type=podsandbox",
  ]);
  await run("docker", ["rm", "-f", stdout.trim()]);
  await eventually("it runs in a new sandbox", async () => {
    const { status } = await kubectl.json(["get", "pod", "victim"]);
    return status.containerStatuses[0].restartCount === 1 && status.containerStatuses[0].ready;
  });
  t.match(await kubectl.run(["exec", "victim", "--", "hostname", "-i"]), /\d+\.\d+\.\d+\.\d+/);
});

test("C5 restart policies and CrashLoopBackOff", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  await kubectl.apply(shellPod("crash", "echo dying; exit 3"));
  await kubectl.apply(shellPod("once", "exit 3", "  restartPolicy: Never"));
  await kubectl.apply(shellPod("done", "exit 0", "  restartPolicy: OnFailure"));
  await eventually("the statuses are upstream's", async () => {
    const text = await kubectl.run(["get", "pods"]);
    return (
      /crash +0\/1 +CrashLoopBackOff +[1-9]/.test(text) &&
      /once +0\/1 +Error +0/.test(text) &&
      /done +0\/1 +Completed +0/.test(text)
    );
  });
  const { status } = await kubectl.json(["get", "pod", "crash"]);
  t.match(
    status.containerStatuses[0].state.waiting.message,
    /^back-off 10s restarting failed container=main pod=crash_|^back-off 20s/,
  );
  t.equal(await kubectl.run(["logs", "crash", "--previous"]), "dying\n");
  t.match((await kubectl.json(["get", "pod", "once"])).status, { phase: "Failed" });
  t.match((await kubectl.json(["get", "pod", "done"])).status, { phase: "Succeeded" });
});

test("C6 C7 what is missing is named, and heals when it appears", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  await kubectl.run(["run", "noimage", "--image=no-such-image-anywhere:1"]);
  await kubectl.run(["run", "never", "--image=no-such-image-anywhere:1", "--image-pull-policy=Never"]);
  await kubectl.apply(
    shellPod(
      "config",
      "echo $GREETING; exec sleep 3600",
      `    env: [{ name: GREETING, valueFrom: { configMapKeyRef: { name: settings, key: greeting } } }]`,
    ),
  );
  await eventually("the waiting reasons are upstream's", async () => {
    const text = await kubectl.run(["get", "pods"]);
    return (
      /noimage +0\/1 +(ErrImagePull|ImagePullBackOff)/.test(text) &&
      /never +0\/1 +ErrImageNeverPull/.test(text) &&
      /config +0\/1 +CreateContainerConfigError/.test(text)
    );
  });
  t.match(
    (await kubectl.json(["get", "pod", "config"])).status.containerStatuses[0].state.waiting.message,
    'configmap "settings" not found',
  );
  await kubectl.run(["create", "configmap", "settings", "--from-literal=greeting=hello"]);
  await kubectl.run(["wait", "pod/config", "--for=condition=Ready", "--timeout=90s"]);
  t.equal(await eventually("it speaks", () => kubectl.run(["logs", "config"])), "hello\n");
});

test("C7 C8 volumes: ConfigMap, Secret, emptyDir, hostPath, downward API, the service account's token", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl, name: namespace } = await useNamespace(t, cluster);
  await kubectl.run(["create", "configmap", "settings", "--from-literal=a=1"]);
  await kubectl.run(["create", "secret", "generic", "keys", "--from-literal=password=s3cret"]);
  await kubectl.apply(`
apiVersion: v1
kind: Pod
metadata: { name: volumes, labels: { tier: front } }
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: writer
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, "echo shared > /cache/note; exec sleep 3600"]
    env:
    - { name: POD_IP, valueFrom: { fieldRef: { fieldPath: status.podIP } } }
    - { name: PASSWORD, valueFrom: { secretKeyRef: { name: keys, key: password } } }
    envFrom: [{ configMapRef: { name: settings } }]
    volumeMounts:
    - { name: cache, mountPath: /cache }
    - { name: config, mountPath: /etc/config }
    - { name: secret, mountPath: /etc/secret, readOnly: true }
    - { name: info, mountPath: /etc/info }
  - name: reader
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sleep, "3600"]
    volumeMounts: [{ name: cache, mountPath: /cache }, { name: host, mountPath: /host, readOnly: true }]
  volumes:
  - { name: cache, emptyDir: {} }
  - { name: config, configMap: { name: settings } }
  - { name: secret, secret: { secretName: keys, defaultMode: 0400 } }
  - { name: host, hostPath: { path: /etc, type: Directory } }
  - name: info
    downwardAPI: { items: [{ path: labels, fieldRef: { fieldPath: metadata.labels } }] }
`);
  await kubectl.run(["wait", "pod/volumes", "--for=condition=Ready", "--timeout=60s"]);
  const inside = (container: string, ...command: string[]) =>
    kubectl.run(["exec", "volumes", "-c", container, "--", ...command]);
  t.equal(await inside("reader", "cat", "/cache/note"), "shared\n");
  t.equal(await inside("writer", "cat", "/etc/secret/password"), "s3cret");
  t.match(await inside("writer", "cat", "/etc/info/labels"), 'tier="front"');
  t.match(await inside("writer", "env"), /POD_IP=\d+\.\d+[\s\S]*/);
  t.match(await inside("writer", "env"), /PASSWORD=s3cret/);
  t.match(await inside("writer", "env"), /^a=1$/m);
  t.ok((await inside("reader", "ls", "/host")).includes("passwd"));
  const token = await inside("writer", "cat", "/var/run/secrets/kubernetes.io/serviceaccount/token");
  const claims = JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString());
  t.equal(claims.sub, `system:serviceaccount:${namespace}:default`);
  t.equal(claims["kubernetes.io"].pod.name, "volumes");

  await kubectl.run(["patch", "configmap", "settings", "-p", '{"data":{"a":"2"}}']);
  await eventually(
    "the mounted file follows",
    async () => (await inside("writer", "cat", "/etc/config/a")) === "2",
    100_000,
  );

  const { uid } = (await kubectl.json(["get", "pod", "volumes"])).metadata;
  await kubectl.run(["delete", "pod", "volumes"]);
  await eventually(
    "nothing is left of its mounts",
    async () => !(await run("cat", ["/proc/mounts"])).stdout.includes(uid),
  );
});

test("C9 probes: liveness restarts, startup holds the others back", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  await kubectl.apply(
    shellPod(
      "sick",
      "touch /tmp/ok; exec sleep 3600",
      `    startupProbe: { exec: { command: [test, -f, /tmp/ok] }, periodSeconds: 1 }
    livenessProbe: { exec: { command: [test, -f, /tmp/ok] }, periodSeconds: 1, failureThreshold: 2 }`,
    ),
  );
  await kubectl.run(["wait", "pod/sick", "--for=condition=Ready", "--timeout=60s"]);
  await kubectl.run(["exec", "sick", "--", "rm", "/tmp/ok"]);
  await eventually("liveness has restarted it", async () => {
    const [status] = (await kubectl.json(["get", "pod", "sick"])).status.containerStatuses;
    return status.restartCount === 1 && status.ready;
  });
  await eventually("the events say why", async () => {
    const text = await kubectl.run(["describe", "pod", "sick"]);
    return (
      /Unhealthy[\s\S]*Liveness probe failed/.test(text) &&
      /Container main failed liveness probe, will be restarted/.test(text)
    );
  });
});

test("C2 init containers run in order before the others", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  await kubectl.apply(`
apiVersion: v1
kind: Pod
metadata: { name: staged }
spec:
  terminationGracePeriodSeconds: 1
  volumes: [{ name: log, emptyDir: {} }]
  initContainers:
  - { name: one, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, "echo one >> /log/order; sleep 1"], volumeMounts: [{ name: log, mountPath: /log }] }
  - { name: two, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, "echo two >> /log/order"], volumeMounts: [{ name: log, mountPath: /log }] }
  containers:
  - { name: main, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, "cat /log/order; exec sleep 3600"], volumeMounts: [{ name: log, mountPath: /log }] }
`);
  await kubectl.run(["wait", "pod/staged", "--for=condition=Ready", "--timeout=60s"]);
  t.equal(await kubectl.run(["logs", "staged", "-c", "main"]), "one\ntwo\n");
  const { initContainerStatuses } = (await kubectl.json(["get", "pod", "staged"])).status;
  t.match(initContainerStatuses, [
    { state: { terminated: { reason: "Completed" } } },
    { state: { terminated: { reason: "Completed" } } },
  ]);
});

test("C10 limits are real cgroups, and too much memory is OOMKilled", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  await kubectl.apply(
    shellPod(
      "hungry",
      "tail /dev/zero",
      `    resources: { limits: { memory: 24Mi, cpu: 250m } }
  restartPolicy: Never`,
    ),
  );
  await eventually("it is OOMKilled", async () =>
    /hungry +0\/1 +OOMKilled +0/.test(await kubectl.run(["get", "pods"])),
  );
  t.equal((await kubectl.json(["get", "pod", "hungry"])).status.qosClass, "Guaranteed");
});

test("C11 a deleted pod gets SIGTERM and its grace", async (t) => {
  const cluster = await useCluster(t);
  const { kubectl } = await useNamespace(t, cluster);
  await kubectl.apply(
    shellPod("polite", "trap 'echo bye; exit 0' TERM; echo ready; while true; do sleep 0.1; done").replace(
      "Seconds: 2",
      "Seconds: 30",
    ),
  );
  await kubectl.run(["wait", "pod/polite", "--for=condition=Ready", "--timeout=60s"]);
  await eventually("it is listening", async () => (await kubectl.run(["logs", "polite"])).includes("ready"));
  const follow = kubectl.start(["logs", "-f", "polite"]);
  t.teardown(() => follow.kill());
  await eventually("its log is followed", async () => follow.output().includes("ready"));
  await kubectl.run(["delete", "pod", "polite"]);
  t.match(follow.output(), /bye/);
});
