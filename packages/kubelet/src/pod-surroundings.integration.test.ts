// What a kubelet gives pods and shows of them beside running them, each on real containers: log files and their rotation.
// One kubelet for all stories. Needs root, Docker, and the test image busybox.

import { createHash } from "node:crypto";
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { configmaps, nodes, type Pod } from "@picokube/api/core/v1";
import { runtimeclasses } from "@picokube/api/node/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import Docker from "dockerode";
import { test } from "tap";
import { isReady, podsOf, sleeper, startKubelet } from "./kubelet.testing.js";

const patienceMs = 60_000;
const docker = new Docker({ socketPath: "/var/run/docker.sock" });

test("what surrounds a pod", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { client } = server;
  const { create, get, until, ready, remove, removeAll, kubectl, said } = await podsOf(server);
  // Empty answers until a story says otherwise.
  let answer = "";
  let seenHeader: string | undefined;
  const manifests = createServer((request, response) => {
    seenHeader = request.headers["x-key"] as string;
    response.end(answer);
  });
  await new Promise<void>((resolve) => manifests.listen(0, "127.0.0.1", resolve));
  t.teardown(() => manifests.close());
  const manifest = (word: string) =>
    JSON.stringify({
      kind: "PodList",
      apiVersion: "v1",
      items: [
        {
          metadata: { name: "remote" },
          spec: {
            terminationGracePeriodSeconds: 1,
            containers: [{ ...sleeper(), imagePullPolicy: "IfNotPresent", command: [...sleeper().command, word] }],
          },
        },
      ],
    });
  const kubelet = await startKubelet(t, server, {
    bridge: "picotest31",
    subnet: 31,
    flags: [
      "--container-log-max-size=10Ki",
      "--container-log-max-files=3",
      `--manifest-url=http://127.0.0.1:${(manifests.address() as AddressInfo).port}/pods`,
      "--manifest-url-header=X-Key:secret",
      "--http-check-frequency=500ms",
      "--allowed-unsafe-sysctls=net.core.*",
    ],
  });
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")), patienceMs);

  await t.test("logs are files in CRI format, and kubectl reads over the engine's rotation", async (t) => {
    const count = 700;
    // Slow enough that the engine's three small files do not turn over before they are read.
    const pause = "[ $((i % 70)) = 0 ] && sleep 0.3";
    const command = `i=0; while [ $i -lt ${count} ]; do i=$((i+1)); echo line $i; ${pause}; done; echo last >&2; exec sleep 600`;
    await create("talker", { containers: [{ name: "c", image: "busybox", command: ["sh", "-c", command] }] });
    const pod = await ready("talker");
    const logs = join(kubelet.rootDir, "log");
    const folder = join(logs, "pods", `default_talker_${pod.metadata.uid}`);
    const id = pod.status!.containerStatuses![0]!.containerID!.replace("docker://", "");
    const link = join(logs, "containers", `talker_default_c-${id}.log`);
    const everything = () =>
      readdirSync(join(folder, "c"))
        .filter((name) => !name.endsWith(".gz"))
        .sort()
        .reverse()
        .map((name) => readFileSync(join(folder, "c", name), "utf8"))
        .join("");
    await eventually(
      "the last line",
      async () => existsSync(link) && / stderr F last\n/.test(everything()),
      patienceMs,
    );
    t.equal(readlinkSync(link), join(folder, "c", "0.log"));
    t.match(everything(), new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z stdout F line ${count}$`, "m"));
    t.ok(
      readdirSync(join(folder, "c")).some((name) => name.startsWith("0.log.")),
      "the file was rotated",
    );

    const tail = 200;
    const expected = Array.from({ length: tail - 1 }, (_, line) => `line ${count - tail + 2 + line}\n`).join("");
    const tailed = await eventually("the tail over a rotation", async () => {
      const text = await kubectl("logs", "talker", `--tail=${tail}`);
      return text.includes("last\n") && text;
    });
    t.equal(tailed.replace("last\n", ""), expected);
    await remove("talker");
    await eventually("the files go with the pod", async () => !existsSync(folder) && !existsSync(link), patienceMs);
  });

  await t.test("pods behind a URL come, change and go; a mirror that is deleted comes back", async (t) => {
    const uids = async () => (await get("remote-node-1"))?.metadata.uid;
    answer = manifest("one");
    const first = await until("remote-node-1", "its mirror is ready", isReady, patienceMs);
    t.equal(first.metadata.annotations?.["kubernetes.io/config.source"], "http");
    t.equal(seenHeader, "secret");
    const id = first.status?.containerStatuses?.[0]?.containerID;
    await kubectl("delete", "pod", "remote-node-1", "--grace-period=0", "--force", "--wait=false");
    await eventually(
      "another mirror",
      async () => ((await uids()) ?? first.metadata.uid) !== first.metadata.uid,
      patienceMs,
    );
    const again = await until("remote-node-1", "is ready again", isReady, patienceMs);
    t.equal(again.status?.containerStatuses?.[0]?.containerID, id, "what it shows ran on");
    answer = manifest("two");
    const isTwo = (pod: Pod) => isReady(pod) && pod.spec?.containers[0]?.command?.includes("two");
    await until("remote-node-1", "the changed pod is ready", isTwo, patienceMs);
    answer = "";
    await eventually("the mirror goes", async () => (await get("remote-node-1")) === undefined, patienceMs);
    await eventually("its containers too", async () => (await kubelet.containers()).length === 0, patienceMs);
  });

  await t.test("what of the host a pod may have", async (t) => {
    const allowed = { name: "net.core.somaxconn", value: "77" };
    const safe = { name: "net.ipv4.ip_unprivileged_port_start", value: "79" };
    await client.create(runtimeclasses, { metadata: { name: "plain" }, handler: "runc" });
    await create("tuned", { securityContext: { sysctls: [allowed, safe] }, runtimeClassName: "plain" });
    await ready("tuned");
    const files = ["/proc/sys/net/core/somaxconn", "/proc/sys/net/ipv4/ip_unprivileged_port_start"];
    t.equal(await kubectl("exec", "tuned", "--", "cat", ...files), "77\n79\n");
    const [container] = await kubelet.containers();
    t.equal((await docker.getContainer(container!.Id).inspect()).HostConfig.Runtime, "runc");

    await create("forbidden", { securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } });
    const refused = await until("forbidden", "refused", ({ status }) => status?.phase === "Failed", patienceMs);
    const words = 'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted';
    t.match(refused.status, { reason: "SysctlForbidden", message: words });

    await create("users", { hostUsers: false });
    await said(
      "users",
      'FailedCreatePodSandBox: Failed to create pod sandbox: RuntimeClass handler "" does not support user namespaces',
    );
    const { status } = await client.get(nodes, { name: "node-1" });
    t.ok(
      status?.runtimeHandlers?.some(({ name }) => name === ""),
      "the default one",
    );
    t.match(
      status?.runtimeHandlers?.find(({ name }) => name === "runc"),
      { features: { userNamespaces: false } },
    );

    const seccomp = (type: "Unconfined" | "RuntimeDefault", name: string) => ({
      ...sleeper(name),
      securityContext: { seccompProfile: { type } },
    });
    const profile = {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }],
    };
    mkdirSync(join(kubelet.rootDir, "seccomp"));
    writeFileSync(join(kubelet.rootDir, "seccomp", "no-mkdir.json"), JSON.stringify(profile));
    const own = { seccompProfile: { type: "Localhost" as const, localhostProfile: "no-mkdir.json" } };
    await create("filtered", {
      containers: [
        seccomp("Unconfined", "open"),
        seccomp("RuntimeDefault", "usual"),
        { ...sleeper("own"), securityContext: own },
      ],
    });
    await ready("filtered");
    const modeOf = async (name: string) =>
      /Seccomp:\s+(\d)/.exec(await kubectl("exec", "filtered", "-c", name, "--", "cat", "/proc/self/status"))?.[1];
    t.same([await modeOf("open"), await modeOf("usual"), await modeOf("own")], ["0", "2", "2"]);
    await kubectl("exec", "filtered", "-c", "usual", "--", "mkdir", "/made");
    await t.rejects(kubectl("exec", "filtered", "-c", "own", "--", "mkdir", "/made"), /Operation not permitted/);
    await removeAll(["tuned", "forbidden", "users", "filtered"]);
  });

  await t.test(
    "kubectl cp carries 100 MB out and in, unchanged; kubectl debug looks into a pod and into the node",
    async (t) => {
      await create("store");
      await ready("store");
      const inside = async (file: string) => (await kubectl("exec", "store", "--", "sha256sum", file)).split(" ")[0];
      await kubectl("exec", "store", "--", "dd", "if=/dev/urandom", "of=/tmp/out", "bs=1048576", "count=100");
      const wanted = await inside("/tmp/out");
      const local = join(kubelet.rootDir, "copied");
      await kubectl("cp", "store:/tmp/out", local, "--retries=3");
      const hash = createHash("sha256");
      for await (const chunk of createReadStream(local)) hash.update(chunk as Buffer);
      t.equal(hash.digest("hex"), wanted, "out");
      await kubectl("cp", local, "store:/tmp/in");
      t.equal(await inside("/tmp/in"), wanted, "in");

      const look = ["sh", "-c", "ps | grep -c 'sleep 0.1'; echo looked; exec sleep 600"];
      await kubectl("debug", "store", "--image=busybox", "--container=look", "--target=c", "--", ...look);
      const seen = await eventually(
        "the ephemeral container speaks",
        async () => {
          const text = await kubectl("logs", "store", "-c", "look").catch(() => "");
          return text.includes("looked") && text;
        },
        patienceMs,
      );
      t.match(seen, /^[1-9]/, "it sees the processes of the container it looks into");
      const debugged = await until(
        "store",
        "its status",
        ({ status }) => status?.ephemeralContainerStatuses?.[0]?.state?.running,
        patienceMs,
      );
      t.match(debugged.status?.ephemeralContainerStatuses, [{ name: "look", restartCount: 0 }]);
      await remove("store");

      // What a controller manager would have made: the debugging pod has a service account's token.
      const ca = readFileSync(join(server.pkiDirectory, "ca.crt"), "utf8");
      await client.create(configmaps, {
        metadata: { name: "kube-root-ca.crt", namespace: "default" },
        data: { "ca.crt": ca },
      });
      const words = await kubectl(
        "debug",
        "node/node-1",
        "--image=busybox",
        "--profile=general",
        "--",
        "cat",
        "/host/proc/sys/kernel/hostname",
      );
      const debuggerName = /Creating debugging pod (\S+) /.exec(words)?.[1] ?? "";
      await until(debuggerName, "it has looked", ({ status }) => status?.phase === "Succeeded", patienceMs);
      t.equal(await kubectl("logs", debuggerName), `${hostname()}\n`, "the node's own files");
      await remove(debuggerName);
    },
  );

  await t.test("the server's figures and lists", async (t) => {
    const probe = { exec: { command: ["true"] }, periodSeconds: 1, timeoutSeconds: 20 };
    const uses = { volumeMounts: [{ name: "data", mountPath: "/data" }], readinessProbe: probe };
    const resources = { limits: { memory: "64Mi", cpu: "1" } };
    await create("seen", {
      containers: [{ ...sleeper(), ...uses, resources }],
      volumes: [{ name: "data", emptyDir: {} }],
    });
    const pod = await ready("seen");
    await kubectl("exec", "seen", "--", "dd", "if=/dev/zero", "of=/data/file", "bs=1024", "count=1024");
    await kubectl("exec", "seen", "--", "dd", "if=/dev/zero", "of=/root/file", "bs=1024", "count=2048");
    const raw = (path: string) => kubectl("get", "--raw", `/api/v1/nodes/node-1/proxy${path}`);
    const labels =
      'container="c",id="/kubepods/burstable/pod[^"]+",image="busybox",name="k8s_c_seen_default_[^"]+",namespace="default",pod="seen"';

    const cadvisor = await raw("/metrics/cadvisor");
    const of = pod.status?.qosClass === "Guaranteed" ? labels.replace("/burstable", "") : labels;
    for (const [name, more] of [
      ["container_cpu_usage_seconds_total", ',cpu="total"'],
      ["container_memory_working_set_bytes", ""],
      ["container_memory_rss", ""],
      ["container_processes", ""],
    ] as const) {
      t.match(
        cadvisor,
        new RegExp(`^${name}\\{${of}${more}\\} [1-9][\\d.e-]* \\d+$|^${name}\\{${of}${more}\\} 0\\.\\d+ \\d+$`, "m"),
        name,
      );
    }
    t.match(cadvisor, /^container_network_receive_bytes_total\{container="POD",.*pod="seen",interface="eth0"\} \d+ /m);
    t.match(cadvisor, /^machine_cpu_cores\{[^}]+\} [1-9]/m);

    const probes = await raw("/metrics/probes");
    const probed = `container="c",pod="seen",namespace="default",result="successful",pod_uid="${pod.metadata.uid}"`;
    t.match(probes, new RegExp(`^prober_probe_total\\{probe_type="Readiness",${probed}\\} [1-9]`, "m"));
    t.match(
      probes,
      /^prober_probe_duration_seconds_count\{probe_type="Readiness",container="c",pod="seen",.*\} [1-9]/m,
    );

    const { node, pods: shown } = JSON.parse(await raw("/stats/summary"));
    t.match(node, {
      fs: { inodesUsed: Number },
      runtime: { imageFs: { capacityBytes: Number } },
      rlimit: { maxpid: Number, curproc: Number },
      swap: { swapUsageBytes: Number },
      network: { interfaces: [{ rxBytes: Number }] },
    });
    const mine = shown.find(({ podRef }: { podRef: { name: string } }) => podRef.name === "seen");
    t.match(mine, {
      network: { name: "eth0", rxBytes: Number },
      process_stats: { process_count: Number },
      containers: [{ name: "c", memory: { rssBytes: Number, availableBytes: Number }, logs: { usedBytes: Number } }],
    });
    const [volume] = mine.volume;
    t.ok(volume.name === "data" && volume.usedBytes >= 1024 * 1024, "what is in the volume");
    t.ok(mine.containers[0].rootfs.usedBytes >= 2 * 1024 * 1024, "what the container wrote");
    t.ok(mine["ephemeral-storage"].usedBytes >= 3 * 1024 * 1024, "both are the pod's");

    const running = JSON.parse(await raw("/runningpods/"));
    t.match(
      running.items.map(({ metadata, spec }: { metadata: { name: string }; spec: unknown }) => [metadata.name, spec]),
      [["seen", { containers: [{ name: "c", image: "busybox" }] }]],
    );
    t.match(JSON.parse(await raw("/configz")).kubeletconfig, {
      containerLogMaxSize: "10Ki",
      containerLogMaxFiles: 3,
      fileCheckFrequency: "500ms",
    });
    t.match(await raw("/logs/"), /^<!doctype html>/);
    t.match(await raw("/healthz?verbose"), /ping ok\n\[\+\]log ok\n\[\+\]syncloop ok/);
    const post = (path: string) =>
      kubectl("create", "--raw", `/api/v1/nodes/node-1/proxy${path}`, "-f", "/dev/null").catch(
        (error: Error) => error.message,
      );
    t.match(
      await post("/checkpoint/default/seen/c"),
      /checkpointing of default\/seen\/c failed \(rpc error: code = Unimplemented/,
    );
    t.match(await post("/checkpoint/default/seen/d"), /NotFound/);
    t.equal(await post("/run/default/seen/c?cmd=echo%20ran"), "ran\n");
    await remove("seen");
    t.notMatch(await raw("/metrics/probes"), /pod="seen"/);
  });

  t.equal(await kubelet.stop(), 0);
});
