// The kubelet as a process, against a real apiserver and the Docker Engine of this machine: pods that the API binds to
// the node run, restart, end and go. Needs root, Docker, and the test image busybox.

import { unlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { configmaps, pods } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import Docker from "dockerode";
import { test } from "tap";
import { isReady, podsOf, run, sleeper, startKubelet } from "./kubelet.testing.js";

const docker = new Docker({ socketPath: "/var/run/docker.sock" });
const bridge = "picotest8";

/** What a TCP port says before it closes. */
function read(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    connect({ host, port })
      .on("data", (chunk) => {
        text += chunk;
      })
      .on("close", () => resolve(text))
      .on("error", reject);
  });
}

test("kubelet", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { client } = server;
  const { create, get, until, kubectl, eventsOf } = await podsOf(server);
  const kubelet = await startKubelet(t, server, { bridge, subnet: 8 });
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")));

  await t.test("a pod comes up with an address, and exec and logs reach it", async (t) => {
    const before = Date.now();
    await create("web", { hostAliases: [{ ip: "10.1.2.3", hostnames: ["alias"] }] });
    const pod = await until("web", "ready", isReady);
    t.comment(`create to Ready: ${Date.now() - before} ms`);
    t.match(pod.status, { phase: "Running", podIP: /^10\.251\.8\./, qosClass: "BestEffort" });
    const hosts = await kubectl("exec", "web", "--", "cat", "/etc/hosts", "/etc/resolv.conf", "/etc/hostname");
    t.match(hosts, `${pod.status?.podIP}\tweb`);
    t.match(hosts, "10.1.2.3\talias");
    t.match(hosts, "search default.svc.cluster.local svc.cluster.local cluster.local");
    t.match(hosts, "nameserver 10.96.0.10\noptions ndots:5");
    t.match(await kubectl("exec", "web", "--", "ip", "-4", "addr"), pod.status?.podIP);
    const said = await eventually("events", async () => {
      const words = await eventsOf("web");
      return words.includes("Started") && words;
    });
    t.match(said, 'Pulled: Container image "busybox" already present on machine');
    t.match(said, "Created: Created container: c");
    t.match(said, "Started: Started container c");
  });

  await t.test("a removed container comes back, its restart count rises", async (t) => {
    const { status } = (await get("web"))!;
    await docker
      .getContainer(status!.containerStatuses![0]!.containerID!.replace("docker://", ""))
      .remove({ force: true });
    const pod = await until(
      "web",
      "restarted",
      (pod) => isReady(pod) && pod.status?.containerStatuses?.[0]?.restartCount === 1,
    );
    t.equal(pod.status?.podIP, status?.podIP, "in the same sandbox");
  });

  await t.test("a kubelet that starts anew adopts what runs", async (t) => {
    const before = (await kubelet.containers()).map(({ Id }) => Id).sort();
    t.equal(await kubelet.stop(), 0);
    kubelet.start();
    await eventually("healthy again", async () =>
      /Pod network is up/.test(kubelet.log().split("shutting down").at(-1) ?? ""),
    );
    await new Promise((resolve) => setTimeout(resolve, 2500));
    t.same((await kubelet.containers()).map(({ Id }) => Id).sort(), before);
    t.match((await get("web"))?.status?.containerStatuses, [{ restartCount: 1, ready: true }]);
  });

  await t.test("a pod without its sandbox gets a new one", async () => {
    const [sandbox] = (await kubelet.containers()).filter(
      ({ Labels }) => Labels["io.kubernetes.docker.type"] === "podsandbox",
    );
    await docker.getContainer(sandbox!.Id).kill();
    await until(
      "web",
      "restarted in a new sandbox",
      (pod) => isReady(pod) && pod.status?.containerStatuses?.[0]?.restartCount === 2,
    );
  });

  await t.test("init containers, sidecars and a ConfigMap in order", async (t) => {
    await create("ordered", {
      initContainers: [
        {
          name: "first",
          image: "busybox",
          command: ["sh", "-c", "echo one > /shared/a"],
          volumeMounts: [{ name: "shared", mountPath: "/shared" }],
        },
        { ...sleeper("side"), restartPolicy: "Always" },
        {
          name: "second",
          image: "busybox",
          command: ["sh", "-c", "grep one /shared/a"],
          volumeMounts: [{ name: "shared", mountPath: "/shared" }],
        },
      ],
      containers: [
        { ...sleeper(), env: [{ name: "KEY", valueFrom: { configMapKeyRef: { name: "settings", key: "k" } } }] },
      ],
      volumes: [{ name: "shared", emptyDir: {} }],
    });
    const waiting = await until(
      "ordered",
      "waits for its ConfigMap",
      (pod) => pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === "CreateContainerConfigError",
    );
    t.match(waiting.status?.containerStatuses, [{ state: { waiting: { message: 'configmap "settings" not found' } } }]);
    await client.create(configmaps, { metadata: { name: "settings", namespace: "default" }, data: { k: "v" } });
    const pod = await until("ordered", "ready", isReady);
    t.match(pod.status?.initContainerStatuses, [
      { name: "first", ready: true, state: { terminated: { reason: "Completed" } } },
      { name: "side", ready: true, started: true },
      { name: "second", ready: true },
    ]);
    t.equal((await kubectl("exec", "ordered", "-c", "c", "--", "sh", "-c", "echo $KEY")).trim(), "v");
  });

  await t.test("a job's pod ends, with its last words", async (t) => {
    await create("once", {
      restartPolicy: "Never",
      containers: [
        { name: "c", image: "busybox", command: ["sh", "-c", "echo bye > /dev/termination-log; echo logged; exit 3"] },
      ],
    });
    const pod = await until("once", "failed", ({ status }) => status?.phase === "Failed");
    t.match(pod.status?.containerStatuses, [
      { state: { terminated: { exitCode: 3, reason: "Error", message: "bye\n" } } },
    ]);
    t.equal(await kubectl("logs", "once"), "logged\n");
  });

  await t.test("a crashing pod backs off", async (t) => {
    await create("crash", { containers: [{ name: "c", image: "busybox", command: ["false"] }] });
    const pod = await until(
      "crash",
      "backs off",
      ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === "CrashLoopBackOff",
    );
    t.match(
      pod.status?.containerStatuses?.[0]?.state?.waiting?.message,
      /^back-off 10s restarting failed container=c pod=crash_default\(.*\)$/,
    );
    t.equal(pod.status?.phase, "Running");
    t.match(await eventsOf("crash"), /BackOff: Back-off restarting failed container c in pod crash_default\(/);
  });

  await t.test("an image that cannot be had is told", async (t) => {
    await create("absent", {
      containers: [{ name: "c", image: "picokube-test.invalid/none:1", imagePullPolicy: "Never" }],
    });
    const pod = await until(
      "absent",
      "told",
      ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === "ErrImageNeverPull",
    );
    t.match(pod.status?.phase, "Pending");
  });

  await t.test("a changed image restarts that container alone", async (t) => {
    await kubectl("set", "image", "pod/ordered", "c=busybox:latest");
    const pod = await until(
      "ordered",
      "restarted",
      ({ status }) => status?.containerStatuses?.[0]?.restartCount === 1 && status.containerStatuses[0].ready,
    );
    t.match(pod.status?.initContainerStatuses, [{ restartCount: 0 }, { restartCount: 0 }, { restartCount: 0 }]);
    t.match(await eventsOf("ordered"), "Killing: Container c definition changed, will be restarted");
  });

  await t.test("a static pod and its mirror", async (t) => {
    const file = join(kubelet.manifests, "fixed.yaml");
    writeFileSync(
      file,
      `apiVersion: v1\nkind: Pod\nmetadata: {name: fixed}\nspec:\n  terminationGracePeriodSeconds: 1\n  containers: [{name: c, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, "600"]}]\n`,
    );
    await until("fixed-node-1", "its mirror is ready", isReady);
    unlinkSync(file);
    await eventually("the mirror goes", async () => (await get("fixed-node-1")) === undefined);
    t.pass();
  });

  await t.test("a port of the host leads into a pod; a second pod that wants it is refused", async (t) => {
    const container = {
      ...sleeper(),
      command: ["sh", "-c", "while true; do echo hello | nc -l -p 80; done"],
      ports: [{ containerPort: 80, hostPort: 38_082 }],
    };
    await create("port", { terminationGracePeriodSeconds: 1, containers: [container] });
    await until("port", "ready", isReady);
    const said = await eventually("it answers", () => read("127.0.0.1", 38_082).catch(() => undefined));
    t.equal(said, "hello\n");
    await create("port-2", { containers: [container] });
    const refused = await until("port-2", "refused", ({ status }) => status?.phase === "Failed");
    const words = "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports";
    t.match(refused.status, { reason: "NodePorts", message: `Pod was rejected: ${words}` });
  });

  await t.test("a pod too large for the node is refused", async (t) => {
    await create("large", { containers: [{ ...sleeper(), resources: { requests: { cpu: "9000" } } }] });
    const refused = await until("large", "refused", ({ status }) => status?.phase === "Failed");
    t.match(refused.status?.reason, "OutOfcpu");
    t.match(await kubectl("get", "pod", "large", "--no-headers"), /^large +0\/1 +OutOfcpu +0 /);
    await create("after-large");
    await until("after-large", "ready: what was refused holds nothing", isReady);
    t.match(
      refused.status?.message,
      /^Pod was rejected: Node didn't have enough resource: cpu, requested: 9000000, used: \d+, capacity: \d+$/,
    );
  });

  await t.test("a pod over its deadline is ended", async (t) => {
    await create("deadline", { activeDeadlineSeconds: 1, terminationGracePeriodSeconds: 1 });
    const ended = await until("deadline", "ended", ({ status }) => status?.phase === "Failed");
    t.match(ended.status, {
      reason: "DeadlineExceeded",
      message: "Pod was active on the node longer than the specified deadline",
    });
    await eventually("its container has ended", async () =>
      (await kubelet.containers()).every(
        ({ Labels, State }) => Labels["io.kubernetes.pod.name"] !== "deadline" || State !== "running",
      ),
    );
  });

  await t.test("a liveness probe's own grace period", async () => {
    await create("stubborn", {
      terminationGracePeriodSeconds: 600,
      containers: [
        {
          ...sleeper(),
          command: ["sh", "-c", "trap '' TERM; while true; do sleep 0.1; done"],
          livenessProbe: {
            exec: { command: ["false"] },
            periodSeconds: 1,
            failureThreshold: 1,
            terminationGracePeriodSeconds: 1,
          },
        },
      ],
    });
    await until("stubborn", "restarted", ({ status }) => (status?.containerStatuses?.[0]?.restartCount ?? 0) > 0);
    await client.delete(pods, { name: "stubborn", namespace: "default" }, { gracePeriodSeconds: 1 });
  });

  await t.test("deleted pods go, and leave nothing", async (t) => {
    await kubectl("delete", "pod", "--all", "--timeout=30s");
    await eventually("no containers", async () => (await kubelet.containers()).length === 0);
    // The kernel takes a namespace's links down in its own time.
    const links = async () => (await run("ip", ["-o", "link", "show", "master", bridge])).stdout;
    await eventually("no links", async () => (await links()) === "", 60_000);
    t.equal(await kubelet.stop(), 0);
  });
});
