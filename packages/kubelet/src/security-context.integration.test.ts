// What a container may do, seen from inside: users, groups, capabilities, profiles, namespaces; and what the kubelet refuses
// because this host or this runtime cannot keep it. One kubelet for all stories. Needs root, Docker, and the test image busybox.

import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { Container, Pod, PodSpec } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import Docker from "dockerode";
import { test } from "tap";
import { podsOf, sleeper, startKubelet } from "./kubelet.testing.js";
import { hasAppArmor } from "./node/machine.js";

const patienceMs = 60_000;
const docker = new Docker({ socketPath: "/var/run/docker.sock" });
const namedUserImage = "picokube-test-named-user";

type SecurityContext = NonNullable<Container["securityContext"]>;

const guarded = (name: string, securityContext: SecurityContext): Container => ({ ...sleeper(name), securityContext });
const waiting = (reason: string) => (pod: Pod) =>
  pod.status?.containerStatuses?.every(({ state }) => state?.waiting?.reason === reason);
const hasCapability = (mask: string | undefined, number: number) =>
  ((BigInt(`0x${mask}`) >> BigInt(number)) & 1n) === 1n;

/** Whether this process, and so an engine beside it, may give away all there is. */
function hasEveryCapability(): boolean {
  const mask = /^CapEff:\t(\w+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  const last = Number(readFileSync("/proc/sys/kernel/cap_last_cap", "utf8"));
  return Array.from({ length: last + 1 }, (_, number) => number).every((number) => hasCapability(mask, number));
}

test("security contexts", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { create, until, ready, kubectl, eventsOf, said } = await podsOf(server);
  const kubelet = await startKubelet(t, server, { bridge: "picotest80", subnet: 80 });
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")), patienceMs);
  const inside = (pod: string, container: string, ...command: string[]) =>
    kubectl("exec", pod, "-c", container, "--", ...command);
  /** The lines of the container's own /proc/self/status, by name. */
  const processOf = async (pod: string, container: string) => {
    const lines = (await inside(pod, container, "cat", "/proc/self/status")).split("\n");
    return Object.fromEntries(lines.map((line) => line.split(":\t").map((word) => word.trim())));
  };
  const message = (pod: Pod, name: string) =>
    pod.status?.containerStatuses?.find((status) => status.name === name)?.state?.waiting?.message;

  await t.test("users and groups, of the pod and of the container", async (t) => {
    await create("users", {
      securityContext: { runAsUser: 1000, runAsGroup: 3000, fsGroup: 2000, supplementalGroups: [4000, 2000] },
      containers: [guarded("pod", {}), guarded("own", { runAsUser: 1001, runAsGroup: 3001 })],
    });
    await create("group", { securityContext: { runAsGroup: 3000 } });
    await Promise.all([ready("users"), ready("group")]);
    const own = await processOf("users", "own");
    t.match(await processOf("users", "pod"), { Uid: /^1000\t1000\t/, Gid: /^3000\t3000\t/ });
    t.match(own, { Uid: /^1001\t1001\t/, Gid: /^3001\t3001\t/ });
    for (const group of ["2000", "4000"]) t.ok(own.Groups?.split(" ").includes(group), `in group ${group}`);
    t.match(
      await processOf("group", "c"),
      { Uid: /^0\t0\t/, Gid: /^3000\t3000\t/ },
      "the image's user in another group",
    );
  });

  await t.test("capabilities, privileges, a root file system that stays as it is", async (t) => {
    await create("powers", {
      containers: [
        guarded("usual", { seLinuxOptions: { level: "s0:c1,c2" } }),
        guarded("few", { capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] }, allowPrivilegeEscalation: false }),
        guarded("more", { capabilities: { add: ["NET_ADMIN"], drop: ["CHOWN"] }, readOnlyRootFilesystem: true }),
      ],
    });
    await ready("powers");
    const few = await processOf("powers", "few");
    t.match(few, { CapEff: "0000000000000400", CapBnd: "0000000000000400", NoNewPrivs: "1" });
    await t.rejects(inside("powers", "few", "chown", "1:1", "/tmp"), /Operation not permitted/);
    const usual = await processOf("powers", "usual");
    const more = await processOf("powers", "more");
    t.equal(usual.NoNewPrivs, "0");
    t.same(
      [usual, more].map(({ CapEff }) => hasCapability(CapEff, 12)),
      [false, true],
      "CAP_NET_ADMIN",
    );
    t.same(
      [usual, more].map(({ CapEff }) => hasCapability(CapEff, 0)),
      [true, false],
      "CAP_CHOWN",
    );
    await inside("powers", "usual", "touch", "/made");
    await t.rejects(inside("powers", "more", "touch", "/made"), /Read-only file system/);
    const hostname = "/proc/sys/kernel/hostname";
    await t.rejects(inside("powers", "usual", "touch", hostname), /Read-only file system/);

    // A host that is itself confined has not all that a privileged container is given: its engine then cannot start one.
    await create("mighty", { containers: [guarded("c", { privileged: true })] });
    const pod = await until("mighty", "tried", ({ status }) => status?.containerStatuses?.[0]?.containerID, patienceMs);
    const id = pod.status!.containerStatuses![0]!.containerID!.replace("docker://", "");
    t.equal((await docker.getContainer(id).inspect()).HostConfig.Privileged, true);
    if (hasEveryCapability()) {
      await ready("mighty");
      t.match(await processOf("mighty", "c"), { Seccomp: "0", NoNewPrivs: "0" });
      await inside("mighty", "c", "touch", hostname);
    }
  });

  await t.test("namespaces of the host and of the pod", async (t) => {
    const kinds = ["net", "pid", "ipc"] as const;
    const script = `for kind in ${kinds.join(" ")}; do readlink /proc/self/ns/$kind; done`;
    const namespaces = async (pod: string, container = "c") =>
      (await inside(pod, container, "sh", "-c", script)).trim().split("\n");
    const ofHost = kinds.map((kind) => readlinkSync(`/proc/self/ns/${kind}`));
    const two: Partial<PodSpec> = { containers: [sleeper("a"), sleeper("b")] };
    await create("host", { hostNetwork: true, hostPID: true, hostIPC: true });
    await create("apart", two);
    await create("shared", { ...two, shareProcessNamespace: true });
    await Promise.all(["host", "apart", "shared"].map(ready));
    t.same(await namespaces("host"), ofHost);
    const [netA, pidA, ipcA] = await namespaces("apart", "a");
    const [netB, pidB, ipcB] = await namespaces("apart", "b");
    t.same([netA, ipcA], [netB, ipcB]);
    t.not(pidA, pidB);
    t.notOk([netA, pidA, ipcA].some((namespace) => ofHost.includes(namespace!)));
    t.same(await namespaces("shared", "a"), await namespaces("shared", "b"));
    const programs = (await inside("shared", "a", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' '\\n'")).split("\n");
    t.equal(programs[0], "/pause", "process 1 is the sandbox's");
    t.equal(programs.filter((word) => word.startsWith("trap")).length, 2, "each container sees the other's");
  });

  await t.test("whoever must not be root is not", async (t) => {
    const input = "FROM busybox\nUSER nobody\n";
    execFileSync("docker", ["build", "-q", "-t", namedUserImage, "-"], { input, stdio: ["pipe", "ignore", "ignore"] });
    t.teardown(() => execFileSync("docker", ["rmi", namedUserImage]));
    await create("root", {
      securityContext: { runAsNonRoot: true },
      containers: [
        guarded("image", {}),
        guarded("told", { runAsUser: 0 }),
        { ...guarded("named", {}), image: namedUserImage, imagePullPolicy: "Never" },
      ],
    });
    await create("not-root", {
      securityContext: { runAsNonRoot: true },
      containers: [guarded("number", { runAsUser: 7 }), guarded("may", { runAsNonRoot: false })],
    });
    const pod = await until("root", "not started", waiting("CreateContainerConfigError"), patienceMs);
    const place = (name: string) => `(pod: "root_default(${pod.metadata.uid})", container: ${name})`;
    t.equal(message(pod, "image"), `container has runAsNonRoot and image will run as root ${place("image")}`);
    t.equal(message(pod, "told"), `container's runAsUser breaks non-root policy ${place("told")}`);
    t.equal(
      message(pod, "named"),
      `container has runAsNonRoot and image has non-numeric user (nobody), cannot verify user is non-root ${place("named")}`,
    );
    t.match(
      await eventsOf("root"),
      `Failed: Error: container has runAsNonRoot and image will run as root ${place("image")}`,
    );
    await ready("not-root");
    t.match(await processOf("not-root", "number"), { Uid: /^7\t/ });
    t.match(await processOf("not-root", "may"), { Uid: /^0\t/ });
  });

  await t.test("what this node cannot keep is refused", async (t) => {
    const profile = { type: "Localhost" as const, localhostProfile: "absent.json" };
    await create("unfiltered", { containers: [guarded("c", { seccompProfile: profile })] });
    const unfiltered = await until("unfiltered", "not started", waiting("CreateContainerError"), patienceMs);
    const file = join(kubelet.rootDir, "seccomp", "absent.json");
    t.equal(
      message(unfiltered, "c"),
      `failed to generate security options for container "c": failed to generate seccomp security options for container: cannot load seccomp profile "localhost/${file}": open ${file}: no such file or directory`,
    );

    await create("strict", { securityContext: { supplementalGroupsPolicy: "Strict" } });
    await create("merge", { securityContext: { supplementalGroupsPolicy: "Merge" } });
    const strict = await until("strict", "refused", ({ status }) => status?.phase === "Failed", patienceMs);
    t.match(strict.status, {
      reason: "SupplementalGroupsPolicyNotSupported",
      message: "Pod was rejected: SupplementalGroupsPolicy=Strict is not supported in this node",
    });
    await ready("merge");

    await create("confined", { containers: [guarded("c", { appArmorProfile: { type: "RuntimeDefault" } })] });
    if (await hasAppArmor()) await ready("confined");
    else {
      const { status } = await until("confined", "refused", ({ status }) => status?.phase === "Failed", patienceMs);
      const words = "Pod was rejected: Cannot enforce AppArmor: AppArmor is not enabled on the host";
      t.match(status, { reason: "AppArmor", message: words });
    }

    const unmasked: Partial<PodSpec> = { containers: [guarded("c", { procMount: "Unmasked" })] };
    await t.rejects(create("unmasked", unmasked), /`hostUsers` must be false to use `Unmasked`/);
    await create("unmasked", { ...unmasked, hostUsers: false });
    await create("masked", { containers: [guarded("c", { procMount: "Default" })] });
    const words = 'Failed to create pod sandbox: RuntimeClass handler "" does not support user namespaces';
    await said("unmasked", words);
    await ready("masked");
    t.match(await inside("masked", "c", "cat", "/proc/mounts"), /^proc \/proc\/sys proc ro,/m);
  });
});
