// A machine that joins a cluster, works in it, reboots, leaves and joins again: a bare VM with an engine of its own, and a
// cluster of its own, for a node that comes and goes would disturb other stories.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { createCluster, picokube, runPicokube } from "./harness/cluster.js";
import { eventually } from "./harness/eventually.js";
import { kubectlFor } from "./harness/kubectl.js";
import { type BareVm, createBareVm, createVmNetwork } from "./harness/vms.js";

const nodeName = "worker-1";

/** A Deployment of one busybox on that node. */
function deployment(name: string, { node, command }: { node: string; command: string[] }) {
  const labels = { app: name };
  const container = { name: "c", image: "busybox", command, ports: [{ containerPort: 8080 }] };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          nodeSelector: { "kubernetes.io/hostname": node },
          terminationGracePeriodSeconds: 1,
          containers: [{ ...container, imagePullPolicy: "IfNotPresent" }],
        },
      },
    },
  };
}

/** What a cluster could leave behind in the VM. */
async function traces(vm: BareVm, dataDir: string): Promise<string[]> {
  const lines = async (...command: string[]) => (await vm.run(command)).split("\n").filter(Boolean);
  return [
    ...(await lines("docker", "ps", "-aq")),
    ...(await lines("iptables-save")).filter((line) => /KUBE|K[A-Z]{3}-|pico/i.test(line)),
    ...(await lines("ip", "-o", "link")).filter((line) => /pico0/.test(line)),
    ...(await lines("ip", "route")).filter((line) => /pico0|10\.24\d\./.test(line)),
    ...(await lines("cat", "/proc/mounts")).filter((line) => line.includes(`${dataDir}/`)),
    ...(await lines("ps", "-eo", "args")).filter((line) => line.includes(dataDir) && line.includes("/bin/")),
    ...(existsSync(dataDir) ? [dataDir] : []),
  ];
}

test("A2 H1 a machine joins by one line, works, reboots, leaves and joins again", async (t) => {
  const { cluster, dispose } = await createCluster();
  t.teardown(dispose);
  const kubectl = kubectlFor(cluster);
  const apply = (items: object[]) => kubectl.apply(JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  const network = await createVmNetwork(t);
  const vm = await createBareVm(t, network, {
    name: nodeName,
    number: 2,
    hostAddress: cluster.nodeIp,
    images: ["busybox"],
  });
  const dataDir = join(vm.directory, "picokube");
  const line = (await runPicokube(["token", "create", "--print-join-command"], { dataDir: cluster.dataDir })).trim();
  const [, , address = "", , token = "", , hash = ""] = line.split(" ");
  const place = [`--data-dir=${dataDir}`];
  const machine = [
    `--node-name=${nodeName}`,
    ...[`docker-endpoint=unix://${vm.dockerSocket}`, `cgroup-root=${vm.cgroup}`].flatMap((arg) => [
      "--kubelet-arg",
      arg,
    ]),
  ];
  const inVm = (...args: string[]) =>
    vm.run([process.execPath, picokube, ...args], { env: { HOME: vm.directory }, timeoutMs: 300_000 });
  const joinBy = (where: string, withToken: string, withHash: string, directory = dataDir) =>
    inVm(
      "join",
      where,
      "--token",
      withToken,
      "--discovery-token-ca-cert-hash",
      withHash,
      ...machine,
      `--data-dir=${directory}`,
    );
  const ready = () =>
    eventually("the node is Ready", async () => {
      const status = await kubectl.run(["get", "node", nodeName, "--no-headers"]);
      return / Ready /.test(status) && status;
    });
  const untouched = await traces(vm, dataDir);
  t.same(untouched, [], "a bare machine");

  await t.test("what is wrong with a line is said", async (t) => {
    await t.rejects(joinBy(address, "nonsense", hash), /"nonsense" was not of the form/);
    await t.rejects(joinBy(address, "zzzzzz.0123456789abcdef", hash), /token id "zzzzzz" is invalid for this cluster/);
    await t.rejects(joinBy(address, token, `sha256:${"0".repeat(64)}`), /none of the public keys .* are pinned/);
    t.notOk(existsSync(dataDir), "nothing was written");
  });

  await t.test("it joins, and pods, Services, DNS, logs and exec work there", async (t) => {
    await joinBy(address, token, hash);
    await ready();
    const wide = await kubectl.run(["get", "node", nodeName, "-o", "wide", "--no-headers"]);
    t.match(wide, vm.address, "its own address");
    t.match(wide, "docker://");
    await apply([
      deployment("web", { node: cluster.nodeName, command: ["sh", "-c", "echo hello > index.html; httpd -f -p 8080"] }),
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "web" },
        spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] },
      },
      deployment("away", {
        node: nodeName,
        command: ["sh", "-c", "echo started; trap 'exit 0' TERM; while :; do sleep 0.2; done"],
      }),
    ]);
    for (const name of ["web", "away"])
      await kubectl.run(["rollout", "status", `deployment/${name}`, "--timeout=120s"]);
    t.match(await kubectl.run(["logs", "deployment/away"]), "started", "its serving certificate is trusted");
    // busybox's wget cannot bound its own time.
    const fetch = ["timeout", "5", "wget", "-qO-", "http://web.default.svc.cluster.local"];
    const said = await eventually("the other node's pod answers by its Service's name", () =>
      kubectl.run(["exec", "deployment/away", "--", ...fetch]),
    );
    t.equal(said.trim(), "hello");
    await t.rejects(
      joinBy(address, token, hash),
      /this machine is a worker of the cluster at .* already.*picokube leave/,
    );
    await t.rejects(
      joinBy(address, token, hash, join(vm.directory, "other")),
      /a Node with name "worker-1" and status "Ready" already exists in the cluster/,
    );
    t.match(await inVm("status", ...place), /kubelet .* ok .*\n.*kube-proxy .* ok/);
  });

  await t.test("a reboot ends nothing for good", async (t) => {
    await vm.powerOff();
    await vm.powerOn();
    t.match(await inVm("up", ...place), /The node worker-1 of the cluster at https:.* is up/);
    await ready();
    await eventually("its pod runs again", async () =>
      (await kubectl.run(["exec", "deployment/away", "--", "echo", "here"])).includes("here"),
    );
  });

  await t.test("its address changes", async (t) => {
    const address = vm.address.replace(/\.\d+$/, ".77");
    await vm.run(["ip", "address", "add", `${address}/24`, "dev", "eth0"]);
    t.match(await inVm("certs", "renew", `--node-ip=${address}`, ...place), `worker-1 (${address})`);
    await eventually("the Node has it", async () =>
      (await kubectl.run(["get", "node", nodeName, "-o", "wide", "--no-headers"])).includes(address),
    );
    t.match(
      await eventually("a certificate with it is served", () => kubectl.run(["logs", "deployment/away", "--tail=1"])),
      "started",
    );
  });

  await t.test("it leaves when its pods may go, and nothing of it stays", async (t) => {
    await apply([
      {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata: { name: "away" },
        spec: { minAvailable: 1, selector: { matchLabels: { app: "away" } } },
      },
    ]);
    await eventually("the budget is known", async () =>
      /^1$/.test(await kubectl.run(["get", "pdb", "away", "-o", "jsonpath={.status.expectedPods}"])),
    );
    await t.rejects(
      inVm("leave", "--timeout=1s", ...place),
      /not drained within 1 s: default\/away-\S+ \(Cannot evict pod as it would violate the pod's disruption budget/,
    );
    t.match(await kubectl.run(["get", "node", nodeName, "--no-headers"]), /Ready,SchedulingDisabled/);
    await kubectl.run(["delete", "pdb", "away"]);
    t.match(await inVm("leave", ...place), /The Node worker-1 is deleted/);
    t.notMatch(await kubectl.run(["get", "nodes"]), nodeName);
    t.same(await traces(vm, dataDir), []);
  });

  await t.test("it joins again, and goes by force when the cluster is away", async (t) => {
    await joinBy(address, token, hash);
    t.notMatch(await ready(), /SchedulingDisabled/, "a new Node");
    await runPicokube(["down"], { dataDir: cluster.dataDir });
    await t.rejects(inVm("leave", ...place), /could not be told .*picokube leave --force cleans this machine/);
    t.match(await inVm("leave", "--force", ...place), /kubectl delete node worker-1/);
    t.same(await traces(vm, dataDir), []);
  });
});
