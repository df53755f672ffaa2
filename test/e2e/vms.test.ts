// Three VMs on one machine, and what happens when one is lost: real engines, real links, the real kubectl. Figures (requests
// lost, times) are printed, never asserted.

import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { type Test, test } from "tap";
import { createCluster, runPicokube, type TestCluster } from "./harness/cluster.js";
import { eventually } from "./harness/eventually.js";
import { type Kubectl, kubectlFor } from "./harness/kubectl.js";
import { startLoad } from "./harness/load.js";

const execute = promisify(execFile);
const patienceMs = 120_000;

/** Upstream's timers, scaled: each still several times the one below it. */
const flags = [
  "--nodes=3",
  "--kube-controller-manager-arg=node-monitor-period=1s",
  "--kube-controller-manager-arg=node-monitor-grace-period=10s",
  "--kube-controller-manager-arg=node-eviction-rate=1",
  "--kubelet-arg=node-status-update-frequency=1s",
  "--kubelet-arg=node-lease-duration-seconds=4",
  // Direct routes are what joined machines have (join.test.ts).
  "--kubelet-arg=pod-network-backend=vxlan",
];

const netPod = (name: string, node: string) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: net } }
spec:
  nodeName: ${node}
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: busybox
    imagePullPolicy: IfNotPresent
    command:
    - sh
    - -c
    - |
      mkdir -p /www/cgi-bin
      printf '#!/bin/sh\\necho\\necho $REMOTE_ADDR\\n' > /www/cgi-bin/who
      chmod +x /www/cgi-bin/who
      echo serving
      exec httpd -f -p 80 -h /www
---`;

/** Short tolerations, so that a lost node is emptied within seconds; the StatefulSet's pod would like to be on node-3. */
const workloads = `
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { name: net }
spec: { selector: { app: net }, ports: [{ port: 80 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 6
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: &short
      terminationGracePeriodSeconds: 1
      tolerations:
      - { key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 1 }
      - { key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 1 }
      containers: [{ name: web, image: nginx, imagePullPolicy: IfNotPresent }]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  replicas: 1
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      terminationGracePeriodSeconds: 1
      affinity:
        nodeAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - weight: 100
            preference: { matchExpressions: [{ key: kubernetes.io/hostname, operator: In, values: [node-3] }] }
      tolerations:
      - { key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 1 }
      - { key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 1 }
      containers: [{ name: db, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, "100000"] }]
`.replace(" &short", "");

interface PodRow {
  metadata: { name: string; uid: string; deletionTimestamp?: string };
  spec: { nodeName?: string };
  status: {
    podIP?: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: { restartCount: number; ready: boolean }[];
  };
}

/** httpd writes "[::ffff:10.244.1.2]". */
const addressIn = (text: string) => /\d+\.\d+\.\d+\.\d+/.exec(text)?.[0];

const isReady = ({ status }: PodRow) =>
  status.conditions?.some((c) => c.type === "Ready" && c.status === "True") === true;

async function podsOf(kubectl: Kubectl, app: string): Promise<PodRow[]> {
  return (await kubectl.json(["get", "pods", "-l", `app=${app}`])).items;
}

async function readyOf(kubectl: Kubectl, node: string): Promise<string> {
  const { status } = await kubectl.json(["get", "node", node]);
  return status.conditions.find(({ type }: { type: string }) => type === "Ready").status;
}

/** What the cluster's VMs have on this machine: links, namespaces, rules, mounts, cgroups. */
async function traces({ podBridge, dataDir }: TestCluster): Promise<string[]> {
  const out = async (command: string, ...args: string[]) => (await execute(command, args)).stdout.split("\n");
  const cgroups = readdirSync("/sys/fs/cgroup").flatMap((name) => {
    try {
      return readdirSync(`/sys/fs/cgroup/${name}`).map((child) => `${name}/${child}`);
    } catch {
      return [];
    }
  });
  const all = [
    ...(await out("ip", "-brief", "link")),
    ...(await out("ip", "netns", "list")),
    ...(await out("iptables-save")),
    ...(await out("ebtables", "-L")),
    ...(await out("ip", "route")),
    ...cgroups,
    ...readFileSync("/proc/mounts", "utf8").split("\n"),
  ];
  return all.filter((line) => line.includes(podBridge) || line.includes(`${dataDir}/vms`));
}

test("A2 A6 A7 F6 three VMs on one machine, and what happens when one is lost", async (t) => {
  const { cluster, dispose } = await createCluster(flags);
  let isOver = false;
  t.teardown(() => (isOver ? undefined : dispose()));
  const kubectl = kubectlFor(cluster, "default");
  const picokube = (...args: string[]) => runPicokube(args, { dataDir: cluster.dataDir });
  const inVm = (node: string, ...command: string[]) =>
    execute("nsenter", [`--net=/run/netns/vm${cluster.podBridge}-${node.slice(-1)}`, ...command]);
  const engine = (node: string) => ["-H", `unix://${cluster.dataDir}/vms/${node}/engine/docker.sock`];

  await t.test("A2 three Ready nodes with addresses and engines of their own, and images on all of them", async (t) => {
    const { items } = await kubectl.json(["get", "nodes"]);
    t.equal(items.length, 3);
    const of = (name: string) => items.find(({ metadata }: PodRow) => metadata.name === name);
    const addresses = ["node-2", "node-3", cluster.nodeName].map(
      (name) => of(name).status.addresses.find(({ type }: { type: string }) => type === "InternalIP").address,
    );
    t.equal(new Set(addresses).size, 3);
    t.equal(new Set(items.map(({ spec }: { spec: { podCIDR: string } }) => spec.podCIDR)).size, 3);
    t.match(of("node-2").status.nodeInfo.containerRuntimeVersion, /^docker:\/\//);
    t.match(await picokube("image", "load", "nginx", "busybox"), /Loaded nginx \([\d.]+ MiB\) on node-2, node-3\./);
    t.match(await picokube("image", "load", "nginx", "--nodes", "node-3"), "node-3 has nginx already.");
    await t.rejects(picokube("image", "load", "no-such-image"), /neither a file nor an image/);
    await t.rejects(picokube("image", "load", "nginx", "--nodes", "nowhere"), /nowhere is no node on this machine/);
    await eventually("both tables show the VMs", async () => {
      const listed = await picokube("node", "list");
      return (
        /node-3 +local VM +172\.30\.\d+\.3 +on +Ready/.test(listed) &&
        /node-2\/dockerd +\d+ .* ok /.test(await picokube("status"))
      );
    });
  });

  const netNodes = { "net-a": cluster.nodeName, "net-b": "node-2", "net-c": "node-3" };
  const names = Object.keys(netNodes) as (keyof typeof netNodes)[];
  const ips: Record<string, string> = {};
  /** Every pod asks every other who it is. */
  async function matrix(t: Test): Promise<void> {
    for (const { metadata, status } of await podsOf(kubectl, "net")) ips[metadata.name] = status.podIP!;
    for (const from of names) {
      const others = names.filter((name) => name !== from).map((name) => `wget -qO- http://${ips[name]}/cgi-bin/who`);
      const seen = await kubectl.run(["exec", from, "--", "sh", "-c", others.join(" && ")]);
      t.strictSame(seen.trim().split("\n").map(addressIn), [ips[from], ips[from]], `${from} is seen as itself`);
    }
  }

  async function bigTransfer(t: Test): Promise<void> {
    const sum = "sha256sum | cut -c 1-64";
    const make = `dd if=/dev/urandom of=/www/blob bs=1M count=100 2>/dev/null; cat /www/blob | ${sum}`;
    const made = await kubectl.run(["exec", "net-b", "--", "sh", "-c", make]);
    t.match(made, /^[0-9a-f]{64}\n$/);
    const got = await kubectl.run([
      "exec",
      "net-c",
      "--",
      "sh",
      "-c",
      `wget -qO- http://${ips["net-b"]}/blob | ${sum}`,
    ]);
    t.equal(got, made, "100 MB from net-b to net-c");
  }

  await t.test(
    "F6 every pod sees every other's own address through tunnels; logs and exec reach every node",
    async (t) => {
      await kubectl.apply(
        Object.entries(netNodes)
          .map(([name, node]) => netPod(name, node))
          .join("\n"),
      );
      await kubectl.run(["wait", "pod", "-l", "app=net", "--for=condition=Ready", "--timeout=120s"]);
      const tunnel = `dev vx${cluster.podBridge} `;
      await eventually("routes lead into tunnels", async () => {
        const tables = [execute("ip", ["route"]), inVm("node-2", "ip", "route"), inVm("node-3", "ip", "route")];
        const all = await Promise.all(tables);
        return all.every(({ stdout }) => stdout.split("\n").filter((line) => line.includes(tunnel)).length === 2);
      });
      await matrix(t);
      for (const name of names) t.equal(await kubectl.run(["logs", name]), "serving\n");
      await bigTransfer(t);
      const mtuIn = (shown: string) => Number(/mtu (\d+)/.exec(shown)?.[1]);
      const inPod = mtuIn(await kubectl.run(["exec", "net-b", "--", "ip", "link", "show", "eth0"]));
      const { stdout } = await inVm("node-2", "ip", "link", "show", "eth0");
      t.equal(inPod, mtuIn(stdout) - 50, "pods leave room for the tunnel's headers");
    },
  );

  const onNode3 = (pods: readonly PodRow[]) => pods.filter(({ spec }) => spec.nodeName === "node-3");
  await t.test(
    "A6 a node that is cut off: its pods are replaced elsewhere, and it is cleaned up when it is back",
    async (t) => {
      await eventually("no node is tainted", async () => {
        const { items } = await kubectl.json(["get", "nodes"]);
        return items.every(({ spec }: { spec: { taints?: object[] } }) => spec.taints === undefined);
      });
      await kubectl.apply(workloads);
      await kubectl.run(["rollout", "status", "deployment/web", "--timeout=120s"]);
      await kubectl.run(["rollout", "status", "statefulset/db", "--timeout=120s"]);
      const before = await podsOf(kubectl, "web");
      t.ok(onNode3(before).length > 0, "node-3 has its share");
      const [db] = await podsOf(kubectl, "db");
      t.equal(db!.spec.nodeName, "node-3");
      const { clusterIP } = (await kubectl.json(["get", "service", "web"])).spec;
      const load = startLoad(`http://${clusterIP}/`);

      const cutAt = Date.now();
      t.match(await picokube("fault", "partition", "node-3"), /node-3 is cut off from everything/);
      t.match(await picokube("fault", "list"), /node-3 +its cable is out/);
      await eventually(
        "node-3 is not heard of",
        async () => (await readyOf(kubectl, "node-3")) === "Unknown",
        patienceMs,
      );
      const notReadyMs = Date.now() - cutAt;
      await eventually("it is tainted", async () => {
        const { spec } = await kubectl.json(["get", "node", "node-3"]);
        const taints = (spec.taints ?? []).map(
          (taint: { key: string; effect: string }) => `${taint.key}:${taint.effect}`,
        );
        return ["NoSchedule", "NoExecute"].every((effect) =>
          taints.includes(`node.kubernetes.io/unreachable:${effect}`),
        );
      });
      await eventually(
        "six pods are ready elsewhere",
        async () => {
          const ready = (await podsOf(kubectl, "web")).filter((pod) => pod.spec.nodeName !== "node-3" && isReady(pod));
          return ready.length === 6;
        },
        patienceMs,
      );
      await eventually("no endpoint of node-3 is asked any more", async () => {
        const { items } = await kubectl.json(["get", "endpointslices", "-l", "kubernetes.io/service-name=web"]);
        const endpoints: { nodeName: string; conditions: { ready: boolean } }[] = items.flatMap(
          (slice: { endpoints?: object[] }) => slice.endpoints ?? [],
        );
        return !endpoints.some(({ nodeName, conditions }) => nodeName === "node-3" && conditions.ready);
      });
      const recoveredMs = Date.now() - cutAt;
      const dbs = await podsOf(kubectl, "db");
      t.equal(dbs.length, 1, "no second db-0 while the first may still run");
      t.equal(dbs[0]!.metadata.uid, db!.metadata.uid);
      await eventually(
        "it is to go",
        async () => (await podsOf(kubectl, "db"))[0]!.metadata.deletionTimestamp !== undefined,
      );
      // The first ones hang on the cable and hold their lanes.
      const fresh = startLoad(`http://${clusterIP}/`);
      await eventually("the Service answers", async () => fresh.answered() > 50);
      await fresh.stop();

      const healedAt = Date.now();
      await picokube("fault", "heal", "node-3");
      await eventually("node-3 is Ready", async () => (await readyOf(kubectl, "node-3")) === "True", patienceMs);
      await eventually(
        "db-0 is made anew, once",
        async () => {
          const now = await podsOf(kubectl, "db");
          return now.length === 1 && now[0]!.metadata.uid !== db!.metadata.uid && isReady(now[0]!);
        },
        patienceMs,
      );
      await eventually(
        "node-3 runs what the API says and nothing else",
        async () => {
          const { items } = await kubectl.json(["get", "pods", "-A", "--field-selector=spec.nodeName=node-3"]);
          const wanted: string[] = items.map(({ metadata }: PodRow) => metadata.uid);
          const label = '{{.Label "io.kubernetes.pod.uid"}}';
          const { stdout } = await execute("docker", [...engine("node-3"), "ps", "--format", label]);
          const running = new Set(stdout.split("\n").filter(Boolean));
          return running.size === wanted.length && wanted.every((uid) => running.has(uid));
        },
        patienceMs,
      );
      const { spec } = await kubectl.json(["get", "node", "node-3"]);
      t.notOk(spec.taints, "the taints are gone");
      const wholeMs = Date.now() - healedAt;
      await load.stop();
      t.comment(
        `node-3 cut off: NotReady after ${notReadyMs} ms, pods ready elsewhere after ${recoveredMs} ms, whole ${wholeMs} ms after it was healed; requests lost: ${load.failures().length}`,
      );
    },
  );

  await t.test("A7 a node without its control plane: Services answer, a dead container comes back", async (t) => {
    const { clusterIP } = (await kubectl.json(["get", "service", "net"])).spec;
    const restarts = async () =>
      (await podsOf(kubectl, "net")).find(({ metadata }) => metadata.name === "net-b")!.status.containerStatuses![0]!
        .restartCount;
    await picokube("fault", "partition", "node-2", cluster.nodeName);
    const main = [
      "--filter",
      "label=io.kubernetes.pod.name=net-b",
      "--filter",
      "label=io.kubernetes.container.name=main",
    ];
    const container = async () => (await execute("docker", [...engine("node-2"), "ps", "-q", ...main])).stdout.trim();
    const first = await container();
    t.not(first, "");
    await execute("docker", [...engine("node-2"), "kill", first]);
    await eventually("its kubelet starts another", async () => !["", first].includes(await container()));
    // By way of the Service's address: one of its pods is here, one on the node that can still be reached.
    await eventually("the Service answers on node-2", async () => {
      const { stdout } = await inVm("node-2", "curl", "-sS", "--max-time", "5", `http://${clusterIP}/cgi-bin/who`);
      return addressIn(stdout) !== undefined;
    });
    await eventually("and so does the pod itself", async () => {
      const { stdout } = await inVm("node-2", "curl", "-sS", "--max-time", "5", `http://${ips["net-b"]}/cgi-bin/who`);
      return addressIn(stdout) !== undefined;
    });
    await eventually("so does a pod of another VM", async () => {
      const { stdout } = await inVm("node-2", "curl", "-sS", "--max-time", "5", `http://${ips["net-c"]}/cgi-bin/who`);
      return addressIn(stdout) !== undefined;
    });
    t.equal(await restarts(), 0, "nobody has heard of it yet");
    await picokube("fault", "heal");
    await eventually("it is told when the way is back", async () => (await restarts()) >= 1, patienceMs);
    t.equal((await podsOf(kubectl, "net")).length, 3, "no pod was lost");
  });

  await t.test("A6 a VM that loses its power, and its boot", async (t) => {
    const delayed = await picokube("fault", "delay", "node-2", "5").catch((error: Error) => error.message);
    t.match(delayed, /Packets to node-2 are 5 ms late|this kernel cannot delay packets: it has no netem/);
    const cutAt = Date.now();
    await picokube("fault", "kill", "node-2");
    t.match(await picokube("fault", "list"), /node-2 +it is off/);
    const asked = () => execute("curl", ["-sS", "--max-time", "2", `http://${ips["net-b"]}/cgi-bin/who`]);
    await t.rejects(asked(), "nothing runs there");
    t.match(await picokube("node", "start", "node-2"), "node-2 is on and Ready.");
    const pod = await eventually(
      "its pod runs again",
      async () => {
        const now = (await podsOf(kubectl, "net")).find(({ metadata }) => metadata.name === "net-b");
        return now !== undefined && isReady(now) && now.status.containerStatuses![0]!.restartCount >= 2 && now;
      },
      patienceMs,
    );
    ips["net-b"] = pod.status.podIP!;
    await eventually("and answers", async () => addressIn((await asked()).stdout) !== undefined);
    t.comment(`node-2 without power: its pod answered again ${Date.now() - cutAt} ms after the cut`);
  });

  await t.test("a VM that is removed is gone, and reset leaves nothing of any", async (t) => {
    const { podCIDR } = (await kubectl.json(["get", "node", "node-3"])).spec;
    const { stdout } = await execute("ip", ["route"]);
    t.match(stdout, `${podCIDR} via`, "this machine has a route to its pods");
    t.match(await picokube("node", "remove", "node-3"), "node-3 is removed");
    await eventually(
      "the route goes with it",
      async () => !(await execute("ip", ["route"])).stdout.includes(`${podCIDR} via`),
    );
    t.notMatch(await kubectl.run(["get", "nodes", "-o", "name"]), "node-3");
    t.notMatch((await traces(cluster)).join("\n"), `vm${cluster.podBridge}-3`);
    t.match((await traces(cluster)).join("\n"), `vm${cluster.podBridge}-2`, "the other is there");
    isOver = true;
    await dispose();
    t.strictSame(await traces(cluster), []);
  });
});
