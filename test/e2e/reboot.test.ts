// A cluster of its own: its machine is rebooted. What a reboot takes (processes, containers' running, bridges, rules) is taken;
// what it leaves (files) is left.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { createCluster, runPicokube } from "./harness/cluster.js";
import { kubectlFor } from "./harness/kubectl.js";
import { forgetNetwork, killProcesses, scopeOf } from "./harness/reboot.js";

const run = promisify(execFile);
const curl = async (url: string) => (await run("curl", ["-sS", "--max-time", "5", url])).stdout;
const out = async (command: string, ...args: string[]) =>
  (await run(command, args, { maxBuffer: 1 << 26 })).stdout.split("\n").filter(Boolean);

interface PodRow {
  metadata: { name: string; uid: string };
  status: {
    phase: string;
    podIP: string;
    containerStatuses: { restartCount: number; ready: boolean; containerID: string; lastState: object }[];
  };
}

for (const { title, takeContainers } of [
  { title: "its containers stopped, as a reboot leaves them", takeContainers: ["stop", "-t", "0"] },
  { title: "its containers gone too", takeContainers: ["rm", "-f"] },
])
  test(`A1 A7 after a reboot up brings the same cluster back: ${title}`, async (t) => {
    const { cluster, dispose } = await createCluster();
    t.teardown(dispose);
    const kubectl = kubectlFor(cluster, "default");
    await kubectl.run(["create", "deployment", "web", "--image=nginx", "--replicas=2"]);
    await kubectl.run(["expose", "deployment", "web", "--port=80", "--type=NodePort"]);
    await kubectl.apply(`
apiVersion: v1
kind: Pod
metadata: { name: keeper }
spec:
  terminationGracePeriodSeconds: 1
  volumes: [{ name: cache, emptyDir: {} }]
  containers:
  - name: main
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, "echo started >> /cache/starts; exec sleep 3600"]
    volumeMounts: [{ name: cache, mountPath: /cache }]
---
apiVersion: v1
kind: Pod
metadata: { name: once }
spec:
  restartPolicy: Never
  containers: [{ name: main, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, "echo done"] }]
`);
    await kubectl.run(["create", "configmap", "kept", "--from-literal=a=1"]);
    await kubectl.run(["rollout", "status", "deployment/web", "--timeout=90s"]);
    await kubectl.run(["wait", "pod/keeper", "--for=condition=Ready", "--timeout=60s"]);
    await kubectl.run(["wait", "pod/once", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s"]);
    const list = async (): Promise<PodRow[]> => (await kubectl.json(["get", "pods"])).items;
    const uidOf = async (...args: string[]) => (await kubectl.json(["get", ...args])).metadata.uid;
    const before = await list();
    const node = await uidOf("node", cluster.nodeName);
    const { clusterIP, ports } = (await kubectl.json(["get", "service", "web"])).spec;

    killProcesses(cluster);
    const containers = await out("docker", "ps", "-aq", "--filter", scopeOf(cluster));
    t.ok(containers.length >= 7, "there were containers to take");
    await run("docker", [...takeContainers, ...containers]);
    await forgetNetwork(cluster.chainPrefix, [cluster.podBridge]);
    t.equal((await out("docker", "ps", "-q", "--filter", scopeOf(cluster))).length, 0);
    t.notOk((await out("iptables-save")).some((line) => line.includes(`${cluster.chainPrefix}-`)));

    t.match(await runPicokube(["up"], { dataDir: cluster.dataDir }), /is up after/);
    t.equal(await uidOf("node", cluster.nodeName), node, "the same node");
    t.equal((await kubectl.json(["get", "configmap", "kept"])).data.a, "1");
    // Until the kubelet has looked, the API tells what was.
    const old = new Set(before.map(({ status }) => status.containerStatuses[0]!.containerID));
    const runsAnew = ({ status: { containerStatuses } }: PodRow) =>
      containerStatuses[0]!.ready && !old.has(containerStatuses[0]!.containerID);
    const after = await eventually("all pods run again", async () => {
      const pods = await list();
      return pods.every((pod) => pod.metadata.name === "once" || runsAnew(pod)) && pods;
    });
    t.strictSame(
      after.map(({ metadata }) => [metadata.name, metadata.uid]),
      before.map(({ metadata }) => [metadata.name, metadata.uid]),
      "the same pods",
    );
    for (const { metadata, status } of after) {
      const [was] = before.find((pod) => pod.metadata.uid === metadata.uid)!.status.containerStatuses;
      const [is] = status.containerStatuses;
      if (metadata.name === "once") {
        t.match(status, { phase: "Succeeded" }, "what has ended stays so");
        t.equal(is!.restartCount, 0);
        continue;
      }
      t.equal(is!.restartCount, 1, `${metadata.name} is counted`);
      t.not(is!.containerID, was!.containerID);
      // Of a container that is gone nobody can say how it ended.
      if (takeContainers[0] === "stop") t.match(is!.lastState, { terminated: { containerID: was!.containerID } });
      t.match(status.podIP, /^\d+\.\d+\.\d+\.\d+$/);
    }
    t.equal(
      await kubectl.run(["exec", "keeper", "--", "cat", "/cache/starts"]),
      "started\nstarted\n",
      "its emptyDir too",
    );

    const welcome = /Welcome to nginx!/;
    for (const url of [
      `http://${clusterIP}`,
      `http://${cluster.nodeIp}:${ports[0].nodePort}`,
      `http://127.0.0.1:${ports[0].nodePort}`,
    ])
      await eventually(`${url} answers`, async () => welcome.test(await curl(url)));
    await eventually("Service and DNS answer in a pod", async () =>
      welcome.test(
        await kubectl.run(["exec", "keeper", "--", "wget", "-q", "-O-", "http://web.default.svc.cluster.local"]),
      ),
    );
    await kubectl.run(["scale", "deployment", "web", "--replicas=3"]);
    await kubectl.run(["rollout", "status", "deployment/web", "--timeout=90s"]);
    const { items } = await kubectl.json(["get", "pods", "-l", "app=web"]);
    t.equal(new Set(items.map((pod: PodRow) => pod.status.podIP)).size, 3, "no address is given twice");
  });
