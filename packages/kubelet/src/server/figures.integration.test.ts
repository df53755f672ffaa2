// What the kubelet says that pods use, held against what the kernel, du and df say of the same containers: the summary,
// cAdvisor's metrics, those that are scraped for kubectl top, and the kubelet's own.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { persistentvolumeclaims, persistentvolumes } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import Docker from "dockerode";
import { test } from "tap";
import { isReady, podsOf, startKubelet } from "../kubelet.testing.js";
import { cgroupFile, command, cpuNanos, df, du, isUnified, received, type Summary, sample } from "./figures.testing.js";

const patienceMs = 60_000;
const docker = new Docker({ socketPath: "/var/run/docker.sock" });

test("figures", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { client } = server;
  const { create, until, kubectl } = await podsOf(server);
  const kubelet = await startKubelet(t, server, {
    bridge: "picotest92",
    subnet: 92,
    flags: ["--volume-stats-agg-period=100ms"],
  });
  const ask = (path: string) => kubectl("get", "--raw", `/api/v1/nodes/node-1/proxy${path}`);
  const summary = async () => JSON.parse(await ask("/stats/summary")) as Summary;
  const podOf = (all: Summary, name: string) => all.pods.find(({ podRef }) => podRef.name === name)!;

  const data = mkdtempSync(join(tmpdir(), "picokube-figures-"));
  t.teardown(() => rmSync(data, { recursive: true, force: true }));
  const claim = await client.create(persistentvolumeclaims, {
    metadata: { name: "data", namespace: "default" },
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Mi" } },
      volumeName: "pv",
      storageClassName: "",
    },
  } as never);
  await client.create(persistentvolumes, {
    metadata: { name: "pv" },
    spec: {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "1Mi" },
      local: { path: data },
      claimRef: { kind: "PersistentVolumeClaim", namespace: "default", name: "data", uid: claim.metadata.uid },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["node-1"] }] },
          ],
        },
      },
    },
  } as never);
  const bound = { status: { phase: "Bound" } };
  const claimName = { name: "data", namespace: "default" };
  await client.patch(persistentvolumeclaims, claimName, bound, { type: "merge", subresource: "status" });

  await create("busy", {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: "c",
        image: "busybox",
        command: ["sh", "-c", "while :; do :; done"],
        resources: { requests: { cpu: "50m", memory: "16Mi" }, limits: { cpu: "100m", memory: "48Mi" } },
      },
    ],
  });
  const fill = "echo said; head -c 200000 /dev/zero > /own; head -c 300000 /dev/zero > /scratch/a; exec sleep 3600";
  await create("full", {
    terminationGracePeriodSeconds: 0,
    volumes: [
      { name: "scratch", emptyDir: {} },
      { name: "kept", persistentVolumeClaim: { claimName: "data" } },
    ],
    containers: [
      {
        name: "c",
        image: "busybox",
        command: ["sh", "-c", fill],
        volumeMounts: [
          { name: "scratch", mountPath: "/scratch" },
          { name: "kept", mountPath: "/kept" },
        ],
      },
    ],
  });
  const [busy, full] = [
    await until("busy", "ready", isReady, patienceMs),
    await until("full", "ready", isReady, patienceMs),
  ];
  const containers = await kubelet.containers();
  const inspect = (pod: string, kind: "POD" | "c") =>
    docker.getContainer(containers.find(({ Names }) => Names[0]!.startsWith(`/k8s_${kind}_${pod}_`))!.Id).inspect();
  const [busyBox, fullBox, sandbox] = [
    await inspect("busy", "c"),
    await inspect("full", "c"),
    await inspect("full", "POD"),
  ];
  const scratch = join(kubelet.rootDir, "pods", full.metadata.uid, "volumes", "kubernetes.io~empty-dir", "scratch");
  await eventually("the files are written", async () => du(scratch).usedBytes >= 300_000, patienceMs);
  await eventually(
    "the log is written",
    async () => readFileSync(fullBox.LogPath, "utf8").includes("said"),
    patienceMs,
  );

  await t.test("of processors: what the kernel counted, and the rate between two questions", async (t) => {
    const { Pid } = busyBox.State;
    const reading = async () => {
      const [beganMs, least] = [Date.now(), cpuNanos(Pid)];
      const { cpu } = podOf(await summary(), "busy").containers[0]!;
      return { beganMs, least, cpu, most: cpuNanos(Pid), endedMs: Date.now() };
    };
    const first = await reading();
    t.ok(first.least <= first.cpu.usageCoreNanoSeconds && first.cpu.usageCoreNanoSeconds <= first.most, "within");
    t.equal(first.cpu.usageNanoCores, undefined, "one reading has no rate");
    const worked = async () => cpuNanos(Pid) > first.most + 1e8;
    await eventually("it has worked for a tenth of a second", worked, patienceMs);
    const second = await eventually(
      "a rate",
      async () => {
        const found = await reading();
        return found.cpu.usageNanoCores === undefined ? false : found;
      },
      patienceMs,
    );
    const rate = second.cpu.usageNanoCores!;
    const least = ((second.least - first.most) / (second.endedMs - first.beganMs)) * 1000;
    const most = ((second.most - first.least) / (second.beganMs - first.endedMs)) * 1000;
    t.ok(rate >= Math.floor(least) && rate <= Math.ceil(most), `${rate} from ${least} to ${most}`);
    t.ok(rate > 0);
    const { node, pods } = await summary();
    t.ok(podOf({ node, pods }, "busy").cpu.usageNanoCores !== undefined);
    t.ok((node.cpu.usageNanoCores ?? 0) > 0);
    const names = node.systemContainers.map(({ name }) => name);
    t.same(names, ["kubelet", "pods"]);
    for (const { cpu, memory } of node.systemContainers)
      t.ok(cpu.usageCoreNanoSeconds > 0 && memory.workingSetBytes > 0);
  });

  await t.test("of disks: what du and df find", async (t) => {
    const pod = podOf(await summary(), "full");
    const volume = (name: string) => pod.volume.find((one) => one.name === name)!;
    const upper = (fullBox.GraphDriver.Data as unknown as { UpperDir: string }).UpperDir;
    t.match(pod.containers[0]!.rootfs, du(upper));
    t.match(pod.containers[0]!.logs, du(fullBox.LogPath));
    t.match(volume("scratch"), du(scratch));
    const [size, used, inodes] = df(data, "size", "used", "itotal");
    const kept = volume("kept");
    t.same(kept.pvcRef, { name: "data", namespace: "default" });
    t.match(kept, { capacityBytes: size, inodes });
    t.ok(Math.abs(kept.usedBytes - used!) < 256 * 1024 * 1024, "others write to the disk meanwhile");
    t.equal((await summary()).node.fs.capacityBytes, df(kubelet.rootDir, "size")[0]);
    const own = await ask("/metrics");
    const labels = { namespace: "default", persistentvolumeclaim: "data" };
    t.equal(sample(own, "kubelet_volume_stats_capacity_bytes", labels), size);
    t.equal(sample(own, "kubelet_volume_stats_inodes", labels), inodes);
    t.ok(sample(own, "kubelet_volume_stats_used_bytes", labels)! > 0);
  });

  await t.test("of memory, processes and the network", async (t) => {
    const least = received(sandbox.State.Pid);
    const pod = podOf(await summary(), "full");
    const most = received(sandbox.State.Pid);
    t.ok(least <= pod.network.rxBytes && pod.network.rxBytes <= most, "within what came over eth0");
    t.equal(pod.network.name, "eth0");
    const usage = Number(
      cgroupFile(fullBox.State.Pid, "memory", isUnified ? "memory.current" : "memory.usage_in_bytes"),
    );
    const slackBytes = 4 * 1024 * 1024;
    t.ok(Math.abs(pod.containers[0]!.memory.usageBytes! - usage) < slackBytes);
    t.equal(pod.process_stats.process_count, Number(cgroupFile(fullBox.State.Pid, "pids", "pids.current")));
    const { node } = await summary();
    t.equal(node.rlimit.maxpid, Number(readFileSync("/proc/sys/kernel/pid_max", "utf8")));
  });

  await t.test("under cAdvisor's names", async (t) => {
    const text = await ask("/metrics/cadvisor");
    const of = { namespace: "default", pod: "busy", container: "c" };
    const file = (v1: string, v2: string) => cgroupFile(busyBox.State.Pid, v1.split(".")[0]!, isUnified ? v2 : v1);
    t.equal(sample(text, "container_spec_cpu_quota", of), Number(file("cpu.cfs_quota_us", "cpu.max").split(" ")[0]));
    t.equal(sample(text, "container_spec_cpu_period", of), 100_000);
    t.equal(sample(text, "container_spec_cpu_shares", of), 51);
    const limit = Number(file("memory.limit_in_bytes", "memory.max"));
    t.equal(sample(text, "container_spec_memory_limit_bytes", of), limit);
    t.equal(sample(text, "container_start_time_seconds", of), Date.parse(busyBox.State.StartedAt) / 1000);
    t.ok(sample(text, "container_cpu_cfs_periods_total", of)! > 0);
    t.ok(sample(text, "container_last_seen", of)! >= Date.parse(busyBox.State.StartedAt) / 1000 - 1);
    const network = { namespace: "default", pod: "full", interface: "eth0" };
    t.ok(sample(text, "container_network_receive_bytes_total", network)! <= received(sandbox.State.Pid));
    const upper = (fullBox.GraphDriver.Data as unknown as { UpperDir: string }).UpperDir;
    const layer = { namespace: "default", pod: "full", container: "c" };
    t.equal(sample(text, "container_fs_usage_bytes", layer), du(upper).usedBytes);
    t.equal(sample(text, "container_fs_limit_bytes", layer), df(upper, "size")[0]);
    t.equal(sample(text, "container_fs_inodes_total", layer), df(upper, "itotal")[0]);
    t.equal(sample(text, "machine_cpu_cores", {}), Number(command("nproc", "--all")));
    t.ok(sample(text, "machine_cpu_physical_cores")! <= Number(command("nproc", "--all")));
    const memTotal = Number(command("awk", "/^MemTotal:/ {print $2}", "/proc/meminfo")) * 1024;
    t.equal(sample(text, "machine_memory_bytes", {}), memTotal);
    t.equal(sample(text, "container_scrape_error"), 0);
  });

  await t.test("as metrics-server scrapes them", async (t) => {
    const [least, text, most] = [
      cpuNanos(busyBox.State.Pid),
      await ask("/metrics/resource"),
      cpuNanos(busyBox.State.Pid),
    ];
    const seconds = sample(text, "container_cpu_usage_seconds_total", { pod: "busy", container: "c" })!;
    t.ok(least / 1e9 <= seconds && seconds <= most / 1e9);
    t.ok(sample(text, "pod_memory_working_set_bytes", { pod: "busy" })! > 0);
    const started = Date.parse(busyBox.State.StartedAt) / 1000;
    t.equal(sample(text, "container_start_time_seconds", { pod: "busy", container: "c" }), started);
    t.equal(sample(text, "container_swap_usage_bytes", { pod: "busy" }), 0);
    t.equal(sample(text, "resource_scrape_error"), 0);
  });

  await t.test("of the kubelet's own work", async (t) => {
    const text = await ask("/metrics");
    const expected: [number, string, Record<string, string>?][] = [
      [1, "kubelet_node_name", { node: "node-1" }],
      [2, "kubelet_running_pods"],
      [2, "kubelet_running_containers", { container_state: "running" }],
      [2, "kubelet_desired_pods", { static: "" }],
      [0, "kubelet_desired_pods", { static: "true" }],
      [2, "kubelet_active_pods", { static: "" }],
      [2, "kubelet_started_pods_total"],
      [2, "kubelet_started_containers_total", { container_type: "container" }],
      [2, "kubelet_run_podsandbox_duration_seconds_count", { runtime_handler: "" }],
      [2, "kubelet_runtime_operations_total", { operation_type: "run_podsandbox" }],
      [2, "kubelet_runtime_operations_total", { operation_type: "start_container" }],
      [2, "kubelet_runtime_operations_duration_seconds_count", { operation_type: "create_container" }],
      [2, "kubelet_pod_start_sli_duration_seconds_count"],
      [2, "kubelet_pod_start_total_duration_seconds_count"],
      [2, "kubelet_pod_worker_duration_seconds_count", { operation_type: "create" }],
    ];
    for (const [value, name, labels] of expected) t.equal(sample(text, name, labels), value, name);
    t.ok(sample(text, "kubelet_pleg_relist_duration_seconds_count")! > 0);
    t.ok(sample(text, "kubelet_pleg_last_seen_seconds")! > Date.parse(busy.metadata.creationTimestamp) / 1000 - 60);
    t.ok(sample(text, "kubelet_http_requests_total", { path: "stats/summary", method: "GET" })! >= 4);
    await kubectl("delete", "pods", "--all", "--wait=true");
    await eventually(
      "none runs, and their ends are counted",
      async () => {
        const after = await ask("/metrics");
        const kills = sample(after, "kubelet_pod_worker_duration_seconds_count", { operation_type: "kill" }) ?? 0;
        return sample(after, "kubelet_running_pods") === 0 && kills >= 2;
      },
      patienceMs,
    );
  });
});
