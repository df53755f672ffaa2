// The whole Node object that a kubelet process makes on a real apiserver, each value held against another source than the
// kubelet's own; its Lease; when it is written; a Node that was there before; nodes that others register or complete.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { leases } from "@picokube/api/coordination/v1";
import { type Node, nodes } from "@picokube/api/core/v1";
import { parseQuantity } from "@picokube/api/quantity";
import { version } from "@picokube/component-base/version";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import Docker from "dockerode";
import { test } from "tap";
import { podsOf, startKubelet } from "../kubelet.testing.js";

const patienceMs = 60_000;
const mebibyte = 1024 * 1024;
const docker = new Docker({ socketPath: "/var/run/docker.sock" });
const attachDetach = { "volumes.kubernetes.io/controller-managed-attach-detach": "true" };

const command = (file: string, ...args: string[]) => execFileSync(file, args, { encoding: "utf8" }).trim();
const bytes = (quantity: string | number | undefined) => parseQuantity(quantity ?? "0").value();
const condition = ({ status }: Node, type: string) => status?.conditions?.find((one) => one.type === type);
const isReady = (node: Node) => condition(node, "Ready")?.status === "True";

/** A value of /proc/meminfo in bytes, by another program than ours. */
const memInfo = (field: string) => Number(command("awk", `/^${field}:/ {print $2}`, "/proc/meminfo")) * 1024;

/** Images by their largest names, as the engine lists them. */
async function engineImages(): Promise<Map<string, number>> {
  const images = await docker.listImages();
  return new Map(images.flatMap(({ RepoTags, Size }) => (RepoTags ?? []).map((tag) => [tag, Size] as const)));
}

test("the node", async (t) => {
  const server = await startApiServer(t);
  const { client } = server;
  const { eventsOf } = await podsOf(server);
  const kubelet = await startKubelet(t, server, {
    bridge: "picotest91",
    subnet: 91,
    flags: ["--node-labels=disk=ssd,node.kubernetes.io/pool=a", "--register-with-taints=dedicated=db:NoSchedule"],
  });
  const find = (name = "node-1") => client.get(nodes, { name }).catch(() => undefined);
  const until = (what: string, check: (node: Node) => unknown, name?: string) =>
    eventually(
      what,
      async () => {
        const node = await find(name);
        return node && check(node) ? node : undefined;
      },
      patienceMs,
    );
  const restart = async (...flags: string[]) => {
    await kubelet.stop();
    kubelet.start(flags);
  };

  await t.test("is what the machine and the engine say", async (t) => {
    const node = await until("ready", isReady);
    const engine = await docker.version();
    const { Runtimes } = (await docker.info()) as { Runtimes: Record<string, unknown> };
    const arch = { x86_64: "amd64", aarch64: "arm64" }[command("uname", "-m")] ?? command("uname", "-m");
    t.match(node.metadata, { name: "node-1", annotations: attachDetach });
    t.same(node.metadata.labels, {
      "beta.kubernetes.io/arch": arch,
      "beta.kubernetes.io/os": "linux",
      "kubernetes.io/arch": arch,
      "kubernetes.io/hostname": "node-1",
      "kubernetes.io/os": "linux",
      disk: "ssd",
      "node.kubernetes.io/pool": "a",
    });
    const registered = node.spec?.taints?.filter(({ key }) => !key.startsWith("node.kubernetes.io/"));
    t.same(registered, [{ key: "dedicated", value: "db", effect: "NoSchedule" }]);
    const { capacity, allocatable, conditions, nodeInfo, images, ...rest } = node.status!;
    const swapBytes = memInfo("SwapTotal");
    t.same(rest, {
      addresses: [
        { type: "InternalIP", address: "127.0.0.1" },
        { type: "Hostname", address: "node-1" },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: kubelet.port } },
      runtimeHandlers: ["", ...Object.keys(Runtimes).sort()].map((name) => ({
        name,
        features: { recursiveReadOnlyMounts: false, userNamespaces: false },
      })),
      features: { supplementalGroupsPolicy: false },
    });
    t.same(nodeInfo, {
      machineID: readFileSync("/etc/machine-id", "utf8").trim(),
      systemUUID: nodeInfo?.systemUUID,
      bootID: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
      kernelVersion: command("uname", "-r"),
      osImage: command("sh", "-c", '. /etc/os-release; echo "$PRETTY_NAME"'),
      containerRuntimeVersion: `docker://${engine.Version}`,
      kubeletVersion: version.gitVersion,
      kubeProxyVersion: "",
      operatingSystem: "linux",
      architecture: arch,
      ...(swapBytes > 0 ? { swap: { capacity: swapBytes } } : {}),
    });
    t.match(nodeInfo?.systemUUID, /^[0-9a-f-]{32,36}$/i);
    const diskBytes = Number(command("df", "-B1", "--output=size", kubelet.rootDir).split("\n")[1]);
    t.same(capacity, {
      ...capacity,
      cpu: command("nproc", "--all"),
      "hugepages-1Gi": "0",
      "hugepages-2Mi": "0",
      pods: "110",
    });
    t.equal(bytes(capacity?.memory), memInfo("MemTotal"));
    t.equal(bytes(capacity?.["ephemeral-storage"]), diskBytes);
    // The kubelets of tests hold 1 MiB of memory back, and nothing else.
    t.same(allocatable, { ...capacity, memory: allocatable?.memory });
    t.equal(bytes(allocatable?.memory), memInfo("MemTotal") - mebibyte);
    const words = conditions?.map(({ type, status, reason, message }) => [type, status, reason, message]);
    t.same(words, [
      ["MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
      ["DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
      ["PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"],
      ["Ready", "True", "KubeletReady", "kubelet is posting ready status"],
    ]);
    const known = await engineImages();
    const sizes = images?.map(({ sizeBytes }) => sizeBytes ?? 0) ?? [];
    t.same(
      sizes,
      [...sizes].sort((a, b) => b - a),
      "the largest first",
    );
    const busybox = images?.find(({ names }) => names?.includes("busybox:latest"));
    t.equal(busybox?.sizeBytes, known.get("busybox:latest"));
    const saidSo = async () => {
      const words = await eventsOf("node-1");
      return /NodeReady/.test(words) && words;
    };
    const said = await eventually("its events", saidSo, patienceMs);
    t.match(said, "Starting: Starting kubelet.");
    t.match(said, "NodeReady: Node node-1 status is now: NodeReady");
  });

  await t.test("holds a Lease", async (t) => {
    const name = { name: "node-1", namespace: "kube-node-lease" };
    const lease = await eventually("the Lease", () => client.get(leases, name).catch(() => undefined), patienceMs);
    const { uid } = (await find())!.metadata;
    t.same(lease.metadata.ownerReferences, [{ apiVersion: "v1", kind: "Node", name: "node-1", uid }]);
    t.match(lease.spec, { holderIdentity: "node-1", leaseDurationSeconds: 40 });
    t.match(lease.spec?.renewTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);

    // A second's renewals are the clock here: the status is looked at ten times between two of them, and not written.
    await restart(
      "--node-lease-duration-seconds=4",
      "--node-status-update-frequency=100ms",
      "--node-status-max-images=0",
    );
    const settled = await until("no images are shown", (node) => isReady(node) && !node.status?.images?.length);
    const renewals = new Set<string | undefined>();
    await eventually(
      "it is renewed",
      async () => {
        const { spec } = await client.get(leases, name);
        if (spec?.leaseDurationSeconds === 4) renewals.add(spec.renewTime);
        return renewals.size >= 3;
      },
      patienceMs,
    );
    const later = (await find())!;
    t.equal(later.metadata.resourceVersion, settled.metadata.resourceVersion, "what has not changed is not written");
  });

  await t.test("is written anew after the report's period, its transitions' times as they were", async (t) => {
    await restart("--node-status-update-frequency=100ms", "--node-status-report-frequency=500ms");
    const before = condition(await until("ready", isReady), "MemoryPressure")!;
    const after = await until("a heartbeat", (node) => {
      const { lastHeartbeatTime } = condition(node, "MemoryPressure")!;
      return Date.parse(lastHeartbeatTime!) > Date.parse(before.lastHeartbeatTime!) + 1000;
    });
    t.equal(condition(after, "MemoryPressure")?.lastTransitionTime, before.lastTransitionTime);
  });

  await t.test("that is there already is taken over", async (t) => {
    const { metadata } = (await find())!;
    await kubelet.stop();
    const changes = {
      metadata: {
        labels: { "kubernetes.io/arch": "abacus", disk: null, "node.kubernetes.io/pool": "b", mine: "too" },
        annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": null },
      },
      spec: { taints: null },
    };
    await client.patch(nodes, { name: "node-1" }, changes, { type: "merge" });
    const devices = { capacity: { "example.com/dongle": "4" }, allocatable: { "example.com/dongle": "4" } };
    const patch = { status: devices };
    await client.patch(nodes, { name: "node-1" }, patch, { type: "merge", subresource: "status" });
    kubelet.start();
    const node = await until("the devices have gone", ({ status }) => status?.capacity?.["example.com/dongle"] === "0");
    t.equal(node.status?.allocatable?.["example.com/dongle"], "0");
    t.equal(node.metadata.uid, metadata.uid);
    t.match(node.metadata.labels, { "kubernetes.io/arch": metadata.labels?.["kubernetes.io/arch"], mine: "too" });
    t.equal(node.metadata.labels?.disk, undefined, "labels of --node-labels count at the first registration alone");
    t.equal(node.metadata.labels?.["node.kubernetes.io/pool"], "b");
    t.match(node.metadata.annotations, attachDetach);
    t.same(node.spec?.taints ?? [], [], "and so do taints");
    // Whoever advertises devices without a plugin does so anew, and the kubelet keeps them.
    await client.patch(nodes, { name: "node-1" }, patch, { type: "merge", subresource: "status" });
    await restart("--node-status-update-frequency=100ms", "--max-pods=20");
    const kept = await until("fewer pods", ({ status }) => status?.allocatable?.pods === "20");
    t.equal(kept.status?.capacity?.["example.com/dongle"], "0");
  });

  await t.test("is left to others where flags say so", async (t) => {
    // A node's own certificate is good for its own Node alone.
    const asAdministrator = `--kubeconfig=${server.kubeconfig}`;
    await restart(
      asAdministrator,
      "--hostname-override=Cloudy",
      "--cloud-provider=external",
      "--provider-id=x://7",
      "--oom-score-adj=5",
    );
    const cloudy = await until("registered", isReady, "cloudy");
    t.match(cloudy.spec, {
      providerID: "x://7",
      taints: [
        { key: "dedicated" },
        { key: "node.cloudprovider.kubernetes.io/uninitialized", value: "true", effect: "NoSchedule" },
      ],
    });
    t.equal(cloudy.metadata.annotations?.["alpha.kubernetes.io/provided-node-ip"], "127.0.0.1");
    t.equal(readFileSync(`/proc/${kubelet.pid}/oom_score_adj`, "utf8"), "5\n");
    t.equal(cloudy.metadata.labels?.["kubernetes.io/hostname"], "cloudy");

    await restart(asAdministrator, "--hostname-override=given", "--register-node=false");
    await eventually("it looks for its Node", async () => /Unable to register node/.test(kubelet.log()), patienceMs);
    t.equal(await find("given"), undefined);
    await client.create(nodes, { metadata: { name: "given", labels: { by: "hand" } } } as never);
    const given = await until("ready", isReady, "given");
    t.same(given.metadata.labels, { by: "hand" });
    t.equal(given.status?.addresses?.at(-1)?.address, "given");
  });
});
