// Volumes of the node itself, seen from inside pods: hostPath by type, emptyDir, subPaths, mounts that travel; what is refused
// and heals, and what stays of the host's when pods go. One kubelet for all stories. Needs root, Docker, and the test image busybox.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodes, type Pod, type Volume, type VolumeMount } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import Docker from "dockerode";
import { test } from "tap";
import { podsOf, run, sleeper, startKubelet } from "./kubelet.testing.js";
import { mountedBelow } from "./volumes/mounter.js";
import { mountsOf, using } from "./volumes.testing.js";

const patienceMs = 60_000;
const docker = new Docker({ socketPath: "/var/run/docker.sock" });

type HostPathType = NonNullable<NonNullable<Volume["hostPath"]>["type"]>;

const hostPath = (name: string, path: string, type: HostPathType): Volume => ({ name, hostPath: { path, type } });

test("volumes of the node", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { client } = server;
  const { create, until, ready, remove, removeAll, kubectl, inside, said } = await podsOf(server);
  const elsewhere = mkdtempSync(join(tmpdir(), "picokube-elsewhere-"));
  t.teardown(() => rmSync(elsewhere, { recursive: true, force: true }));
  const kubelet = await startKubelet(t, server, { bridge: "picotest81", subnet: 81 });
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")), patienceMs);
  const volumesDir = (pod: Pod, plugin: string) => join(kubelet.rootDir, "pods", pod.metadata.uid, "volumes", plugin);

  await t.test("hostPath: each type takes what it names, refuses what it does not, and heals", async (t) => {
    const at = (name: string) => join(elsewhere, name);
    const socket = createServer().listen(at("socket"));
    t.teardown(() => socket.close());
    mkdirSync(at("directory"));
    writeFileSync(at("file"), "a file of the host");
    await run("mknod", [at("block"), "b", "7", "250"]);
    const taken = [
      hostPath("any", at("any"), ""),
      hostPath("made", at("made/deep"), "DirectoryOrCreate"),
      hostPath("directory", at("directory"), "Directory"),
      hostPath("made-file", at("made-file"), "FileOrCreate"),
      hostPath("file", at("file"), "File"),
      hostPath("socket", at("socket"), "Socket"),
      hostPath("char", "/dev/null", "CharDevice"),
      hostPath("block", at("block"), "BlockDevice"),
    ];
    const refused = [
      ["DirectoryOrCreate", "file", "a directory"],
      ["Directory", "absent", "a directory"],
      ["FileOrCreate", "directory", "a file"],
      ["File", "socket", "a file"],
      ["Socket", "file", "a socket file"],
      ["CharDevice", "block", "a character device"],
      ["BlockDevice", "directory", "a block device"],
    ] as const;
    await create("taken", using(taken));
    await create("refused", using(refused.map(([type, name]) => hostPath(type.toLowerCase(), at(name), type))));
    await create("late", using([hostPath("x", at("late"), "Directory")]));
    await ready("taken");
    const tests = "-d /any -d /made -d /directory -f /made-file -f /file -S /socket -c /char -b /block".split(" -");
    await inside("taken", tests.map((check) => `test -${check.replace(/^-/, "")}`).join(" && "));
    await inside("taken", "echo kept > /made/row; echo more >> /file");
    for (const [type, name, words] of refused) {
      const failure = `hostPath type check failed: ${at(name)} is not ${words}`;
      await said("refused", `FailedMount: MountVolume.SetUp failed for volume "${type.toLowerCase()}" : ${failure}`);
    }
    await said("late", `volume "x" : hostPath type check failed: ${at("late")} is not a directory`);
    mkdirSync(at("late"));
    await ready("late");
    await removeAll(["taken", "refused", "late"]);
    t.equal(readFileSync(at("made/deep/row"), "utf8"), "kept\n", "the host keeps what pods wrote");
    t.equal(readFileSync(at("file"), "utf8"), "a file of the hostmore\n");
  });

  await t.test("emptyDir: shared, limited, emptied with the pod; subPaths stay inside", async (t) => {
    const outside = join(elsewhere, "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "row"), "mine");
    const volumes: Volume[] = [
      { name: "disk", emptyDir: {} },
      { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
      { name: "bounded", emptyDir: { medium: "Memory" } },
    ];
    const env = [{ name: "WHO", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }];
    const resources = { limits: { memory: "32Mi" } };
    const place = (mountPath: string, more: Partial<VolumeMount> = {}) => ({ name: "disk", mountPath, ...more });
    await create("scratch", {
      securityContext: { fsGroup: 2000 },
      volumes,
      containers: [
        { ...sleeper("a"), resources, volumeMounts: mountsOf(volumes) },
        {
          ...sleeper("b"),
          resources,
          env,
          volumeMounts: [
            place("/disk", { readOnly: true, recursiveReadOnly: "IfPossible" }),
            place("/own", { subPathExpr: "of/$(WHO)" }),
            place("/part", { subPath: "part" }),
          ],
        },
      ],
    });
    const pod = await ready("scratch");
    t.equal(await inside("scratch", "stat -c %a:%g /disk /memory", "a"), "2777:2000\n2777:2000\n");
    await inside("scratch", "echo x > /disk/x", "a");
    await inside("scratch", "echo mine > /own/y; echo part > /part/z", "b");
    t.equal(await inside("scratch", "cat /disk/x", "b"), "x\n");
    t.equal(await inside("scratch", "cat /disk/of/scratch/y /disk/part/z", "a"), "mine\npart\n");
    await t.rejects(inside("scratch", "touch /disk/no", "b"), /Read-only file system/);
    const { status } = await client.get(nodes, { name: "node-1" });
    const { recursiveReadOnlyMounts = false } = status?.runtimeHandlers?.[0]?.features ?? {};
    const recursiveReadOnly = recursiveReadOnlyMounts ? "Enabled" : "Disabled";
    t.same(pod.status?.containerStatuses?.[1]?.volumeMounts, [
      { name: "disk", mountPath: "/disk", readOnly: true, recursiveReadOnly },
      { name: "disk", mountPath: "/own" },
      { name: "disk", mountPath: "/part" },
    ]);
    await t.rejects(
      inside("scratch", "dd if=/dev/zero of=/memory/big bs=1024 count=1025", "a"),
      /No space left on device/,
    );
    t.equal(
      await inside("scratch", "df -k /bounded | tail -1 | awk '{ print $2 }'", "a"),
      `${64 * 1024}\n`,
      "what the pod may use",
    );

    // What is mounted below a pod's volume when it goes is not the pod's.
    const scratchDir = volumesDir(pod, "kubernetes.io~empty-dir");
    const below = join(scratchDir, "disk", "below");
    mkdirSync(below);
    await run("mount", ["--bind", outside, below]);
    symlinkSync(outside, join(scratchDir, "disk", "link"));
    await remove("scratch");
    await eventually(
      "nothing of the pod is left",
      async () => !existsSync(join(kubelet.rootDir, "pods", pod.metadata.uid)),
      patienceMs,
    );
    t.same(await mountedBelow(scratchDir), []);
    t.equal(readFileSync(join(outside, "row"), "utf8"), "mine", "neither through a mount nor through a link");

    const plant = `ln -s ${outside} /disk/out; ln -s inner /disk/in; mkdir /disk/inner; echo in > /disk/inner/f`;
    const escapes = (name: string, subPath: string) => ({
      ...sleeper(name),
      volumeMounts: [place("/here", { subPath })],
    });
    await create("escaping", {
      volumes: [{ name: "disk", emptyDir: {} }],
      initContainers: [{ ...sleeper("first"), command: ["sh", "-c", plant], volumeMounts: [place("/disk")] }],
      containers: [
        escapes("out", "out"),
        escapes("in", "in"),
        escapes("made", "out/new"),
        { ...sleeper("deep"), volumeMounts: [place("/deep", { readOnly: true, recursiveReadOnly: "Enabled" })] },
      ],
    });
    const waiting = (pod: Pod, name: string) =>
      pod.status?.containerStatuses?.find((status) => status.name === name)?.state?.waiting;
    const escaped = await until(
      "escaping",
      "refused",
      (pod) =>
        ["out", "made", ...(recursiveReadOnlyMounts ? [] : ["deep"])].every((name) => waiting(pod, name)?.message),
      patienceMs,
    );
    t.same(waiting(escaped, "out"), {
      reason: "CreateContainerConfigError",
      message: 'failed to prepare subPath for volumeMount "disk" of container "out"',
    });
    t.same(waiting(escaped, "made"), {
      reason: "CreateContainerConfigError",
      message: 'failed to create subPath directory for volumeMount "disk" of container "made"',
    });
    if (!recursiveReadOnlyMounts) {
      t.match(waiting(escaped, "deep"), {
        reason: "CreateContainerConfigError",
        message:
          'failed to resolve recursive read-only mode: volume "disk" requested recursive read-only mode, but it is not supported by the runtime',
      });
    }
    t.equal(await inside("escaping", "cat /here/f", "in"), "in\n", "a link that stays inside is followed");
    t.notOk(existsSync(join(outside, "new")));
    await remove("escaping");
  });

  await t.test("mounts of the host travel as mountPropagation says", async (t) => {
    const shared = join(elsewhere, "shared");
    mkdirSync(shared);
    await run("mount", ["-t", "tmpfs", "tmpfs", shared]);
    t.teardown(() => run("umount", ["-R", shared]).catch(() => undefined));
    await run("mount", ["--make-shared", shared]);
    const volume = hostPath("shared", shared, "Directory");
    const mount = (mountPropagation?: VolumeMount["mountPropagation"]): VolumeMount[] => [
      { name: "shared", mountPath: "/shared", ...(mountPropagation ? { mountPropagation } : {}) },
    ];
    await create("travel", {
      volumes: [volume],
      containers: [
        { ...sleeper("none"), volumeMounts: mount("None") },
        { ...sleeper("in"), volumeMounts: mount("HostToContainer") },
      ],
    });
    await create("both", {
      volumes: [volume],
      containers: [{ ...sleeper(), volumeMounts: mount("Bidirectional"), securityContext: { privileged: true } }],
    });
    await ready("travel");
    mkdirSync(join(shared, "new"));
    await run("mount", ["-t", "tmpfs", "tmpfs", join(shared, "new")]);
    writeFileSync(join(shared, "new", "file"), "");
    t.equal(await inside("travel", "ls /shared/new", "in"), "file\n");
    t.equal(await inside("travel", "ls /shared/new", "none"), "");
    // Whether it may start depends on the host; what the engine is asked for does not.
    const both = await until("both", "made", ({ status }) => status?.containerStatuses?.[0]?.containerID, patienceMs);
    const id = both.status!.containerStatuses![0]!.containerID!.replace("docker://", "");
    const { Mounts } = await docker.getContainer(id).inspect();
    t.match(
      Mounts.find(({ Destination }) => Destination === "/shared"),
      { Source: shared, Propagation: "rshared" },
    );
    await removeAll(["travel", "both"]);
    t.ok(existsSync(join(shared, "new", "file")), "the host's mounts outlive the pods");
  });
});
