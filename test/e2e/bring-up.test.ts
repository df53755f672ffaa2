// A cluster of its own: these tests stop, kill and reset it.

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { otherClusters } from "@picokube/picokube/cluster/machine-clusters";
import { resolveCluster } from "@picokube/picokube/cluster/resolve-cluster";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { readTestCluster, runPicokube, type TestCluster } from "./harness/cluster.js";
import { kubectlFor } from "./harness/kubectl.js";

const run = promisify(execFile);
const components = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "cluster-dns",
];

function pids(cluster: TestCluster): Record<string, number> {
  const table = JSON.parse(readFileSync(join(cluster.dataDir, "run", "processes.json"), "utf8"));
  return Object.fromEntries(components.map((name) => [name, table.components[name]?.process?.pid]));
}

/** Everything on the machine that a cluster could leave behind. */
async function traces(dataDir: string, cluster?: TestCluster): Promise<string[]> {
  const out = async (command: string, ...args: string[]) =>
    (await run(command, args, { maxBuffer: 1 << 26 })).stdout.split("\n");
  const mine = (line: string) =>
    cluster !== undefined &&
    [cluster.podBridge, `${cluster.chainPrefix}-`, dataDir].some((word) => line.includes(word));
  const containers = cluster
    ? await out("docker", "ps", "-aq", "--filter", `label=io.picokube.scope=${dataDir}/kubelet`)
    : [];
  return [
    ...containers.filter(Boolean),
    ...(await out("iptables-save")).filter(mine),
    ...(await out("ip", "-o", "link")).filter(mine),
    ...readFileSync("/proc/mounts", "utf8").split("\n").filter(mine),
    ...(await out("ps", "-eo", "args")).filter((line) => mine(line) && line.includes("/bin/")),
    ...otherClusters("/")
      .filter((other) => other.dataDir === dataDir)
      .map(() => "an entry among the machine's clusters"),
    ...(existsSync(dataDir) ? readdirSync(dataDir).filter((name) => name !== ".kube") : []),
  ];
}

test("A1 A7 up, kill -9 of anything, down, up again, reset", async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), "picokube-up-"));
  t.teardown(async () => {
    await runPicokube(["reset"], { dataDir }).catch(() => {});
    rmSync(dataDir, { recursive: true, force: true });
  });

  const printed = await runPicokube(["up", "--kubelet-arg", "max-pods=50"], { dataDir });
  const cluster = readTestCluster(dataDir);
  const kubectl = kubectlFor(cluster);
  t.match(printed, cluster.kubeconfig);
  t.equal(printed.match(/^ +kubectl /gm)?.length, 3, "the next three commands");
  t.match(await runPicokube(["up"], { dataDir }), /is already running/);
  t.equal(await kubectl.run(["get", "node", cluster.nodeName, "-o", "jsonpath={.status.capacity.pods}"]), "50");

  await t.test("each component is a process of its own, with its options in plain sight", async (t) => {
    const status = await runPicokube(["status"], { dataDir });
    for (const name of components) t.match(status, new RegExp(`^${name} +\\d+ +\\d+s +\\d+Mi +0 +ok +/`, "m"));
    for (const [name, pid] of Object.entries(pids(cluster)))
      t.match(
        readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "),
        new RegExp(`/${name}\\.js .*--\\S+=`),
      );
  });

  await kubectl.run(["create", "deployment", "web", "--image=nginx"]);
  await kubectl.run(["rollout", "status", "deployment/web", "--timeout=90s"]);
  const container = async () =>
    (await kubectl.json(["get", "pods", "-l", "app=web"])).items[0].status.containerStatuses[0];
  const before = await container();

  await t.test("a killed component is started again, and its log says why", async (t) => {
    for (const name of components) {
      const old = pids(cluster)[name]!;
      process.kill(old, "SIGKILL");
      await eventually(`${name} runs again`, async () => {
        const now = pids(cluster)[name];
        return now !== undefined && now !== old;
      });
      t.match(
        readFileSync(join(cluster.logDir, `${name}.log`), "utf8"),
        new RegExp(`${name} ended with signal SIGKILL; starting it again`),
      );
    }
    await eventually(
      "all are well",
      async () =>
        (await runPicokube(["status"], { dataDir }).catch(() => "")).match(/ ok /g)?.length === components.length,
    );
    await kubectl.run(["scale", "deployment", "web", "--replicas=2"]);
    await kubectl.run(["wait", "deployment/web", "--for=jsonpath={.status.readyReplicas}=2", "--timeout=90s"]);
    const { restartCount } = await container();
    t.equal(restartCount, 0, "no container was restarted");
    await eventually("the kubelet's chains stand beside kube-proxy's", async () => {
      const rules = (await traces(dataDir, cluster)).join("\n");
      const chains = ["FIREWALL", "IPTABLES-HINT", "KUBELET-CANARY", "PROXY-CANARY"];
      const jumps = rules.includes(`-A INPUT -j ${cluster.chainPrefix}-FIREWALL`);
      return jumps && chains.every((name) => rules.includes(`:${cluster.chainPrefix}-${name} `));
    });
  });

  await t.test("a killed supervisor: up takes the running processes over", async (t) => {
    const { supervisor } = JSON.parse(readFileSync(join(dataDir, "run", "processes.json"), "utf8"));
    const running = pids(cluster);
    process.kill(supervisor.pid, "SIGKILL");
    await eventually("it is gone", async () => !existsSync(`/proc/${supervisor.pid}`));
    await runPicokube(["up"], { dataDir });
    t.strictSame(pids(cluster), running, "the same processes");
    process.kill(running["kube-scheduler"]!, "SIGKILL");
    await eventually("and looks after them", async () => pids(cluster)["kube-scheduler"] !== running["kube-scheduler"]);
  });

  await t.test("down keeps data and pods, up brings the same cluster back", async (t) => {
    await runPicokube(["down"], { dataDir });
    for (const pid of Object.values(pids(cluster))) t.equal(pid, undefined);
    t.match((await kubectl.attempt(["get", "pods"])).code, 1);
    const { ports, podCidr } = await resolveCluster({
      dataDir: `${dataDir}-2`,
      controlPlaneOnly: true,
      componentArgs: {},
    });
    t.not(podCidr, cluster.podCidr, "a cluster that came up now would leave its range alone");
    const mine = Object.values(cluster.ports);
    t.notOk(
      Object.values(ports).some((port) => mine.includes(port)),
      "and its ports",
    );
    t.equal(
      (
        await run("docker", ["inspect", "-f", "{{.State.Running}}", before.containerID.replace("docker://", "")])
      ).stdout.trim(),
      "true",
    );
    t.match(await runPicokube(["status"], { dataDir }).catch((error: Error) => error.message), /No supervisor runs/);
    await runPicokube(["up"], { dataDir });
    const [pod] = (await kubectl.json(["get", "pods", "-l", "app=web"])).items.filter(
      (one: { status: { containerStatuses: { containerID: string }[] } }) =>
        one.status.containerStatuses[0]!.containerID === before.containerID,
    );
    t.equal(pod.status.containerStatuses[0].restartCount, 0);
  });

  await t.test("reset removes every trace", async (t) => {
    t.ok((await traces(dataDir, cluster)).length > 20, "there was something to remove");
    await runPicokube(["reset"], { dataDir });
    t.strictSame(await traces(dataDir, cluster), []);
    t.match(await runPicokube(["reset"], { dataDir }), /There is no cluster/);
  });
});

test("A1 a control plane without a node", async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), "picokube-cp-"));
  t.teardown(async () => {
    await runPicokube(["reset"], { dataDir }).catch(() => {});
    rmSync(dataDir, { recursive: true, force: true });
  });
  await runPicokube(["up", "--control-plane-only", "--service-cidr=10.111.0.0/16", "--pod-cidr=10.211.0.0/16"], {
    dataDir,
  });
  const kubectl = kubectlFor(readTestCluster(dataDir));
  t.equal((await kubectl.json(["get", "nodes"])).items.length, 0);
  t.equal((await kubectl.json(["get", "service", "kubernetes"])).spec.clusterIP, "10.111.0.1");
  await kubectl.run(["create", "deployment", "web", "--image=nginx"]);
  await eventually("the scheduler says that there is no node", async () =>
    /no nodes available to schedule pods/.test(await kubectl.run(["get", "events"])),
  );
});

test("A1 a bad flag is refused in words before anything is made", async (t) => {
  const dataDir = join(tmpdir(), `picokube-none-${process.pid}`);
  const table: [string[], RegExp][] = [
    [["up", "--secure-port=99999"], /a port is a number from 1 to 65535/],
    [["up", "--pod-cidr=10.244.0.1/16"], /host bits set/],
    [["up", "--pod-cidr=10.200.0.0/16", "--service-cidr=10.200.4.0/24"], /overlap/],
    [["up", "--node-name=Not_A_Name"], /cannot name a Node/],
    [["down"], /no cluster in/],
  ];
  for (const [args, words] of table) await t.rejects(runPicokube(args, { dataDir }), { message: words });
  t.notOk(existsSync(dataDir));
});
