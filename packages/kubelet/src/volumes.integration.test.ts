// Every kind of volume that needs no storage of others, seen from inside pods: what mounts, what is refused and heals, what
// follows its source, what stays of the host's. One kubelet for all stories. Needs root, Docker, and the test image busybox.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configmaps, nodes, type Pod, pods, secrets, type Volume, type VolumeMount } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import Docker from "dockerode";
import { test } from "tap";
import { eventually, isReady, podsOf, run, sleeper, startKubelet } from "./kubelet.testing.js";
import { mountedBelow } from "./volumes/mounter.js";

const patienceMs = 60_000;
const namespace = "default";
const docker = new Docker({ socketPath: "/var/run/docker.sock" });

type HostPathType = NonNullable<NonNullable<Volume["hostPath"]>["type"]>;

const hostPath = (name: string, path: string, type: HostPathType): Volume => ({ name, hostPath: { path, type } });
/** Each volume at a place of its name. */
const mountsOf = (volumes: readonly Volume[]): VolumeMount[] =>
  volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
const using = (volumes: Volume[], more: VolumeMount[] = mountsOf(volumes)) => ({
  volumes,
  containers: [{ ...sleeper(), volumeMounts: more }],
});

test("volumes", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { client } = server;
  const { create, until, remove, kubectl, eventsOf } = await podsOf(server);
  const elsewhere = mkdtempSync(join(tmpdir(), "picokube-elsewhere-"));
  t.teardown(() => rmSync(elsewhere, { recursive: true, force: true }));
  const kubelet = await startKubelet(t, server, { bridge: "picotest81", subnet: 81 });
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")), patienceMs);
  const removeAll = (names: readonly string[]) => Promise.all(names.map((name) => remove(name)));
  const ready = (name: string) => until(name, "ready", isReady, patienceMs);
  const inside = (pod: string, script: string, container = "c") =>
    kubectl("exec", pod, "-c", container, "--", "sh", "-c", script);
  const said = (pod: string, words: string) =>
    eventually(words, async () => (await eventsOf(pod)).includes(words), patienceMs);
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

  await t.test("files of the API: modes, sources together, and what follows a change", async (t) => {
    const metadata = (name: string) => ({ name, namespace });
    await client.create(configmaps, { metadata: metadata("settings"), data: { colour: "blue", size: "3" } });
    await client.create(configmaps, { metadata: metadata("fixed"), data: { k: "v" }, immutable: true });
    await client.create(secrets, { metadata: metadata("login"), stringData: { password: "s3cret" } });
    const labels = { path: "labels", fieldRef: { fieldPath: "metadata.labels" } };
    const limit = { containerName: "c", resource: "limits.memory", divisor: "1Mi" };
    const request = { containerName: "c", resource: "requests.cpu", divisor: "1m" };
    const volumes: Volume[] = [
      { name: "settings", configMap: { name: "settings", defaultMode: 0o640 } },
      { name: "fixed", configMap: { name: "fixed", items: [{ key: "k", path: "deep/k", mode: 0o400 }] } },
      { name: "login", secret: { secretName: "login", defaultMode: 0o400 } },
      { name: "absent", configMap: { name: "absent", optional: true } },
      {
        name: "self",
        downwardAPI: {
          items: [
            labels,
            { path: "note", fieldRef: { fieldPath: "metadata.annotations['note']" } },
            { path: "name", fieldRef: { fieldPath: "metadata.name" } },
            { path: "memory", resourceFieldRef: limit },
            { path: "cpu", resourceFieldRef: request, mode: 0o440 },
          ],
        },
      },
      {
        name: "together",
        projected: {
          defaultMode: 0o444,
          sources: [
            { configMap: { name: "settings", items: [{ key: "colour", path: "config/colour" }] } },
            { secret: { name: "login", items: [{ key: "password", path: "password", mode: 0o400 }] } },
            { downwardAPI: { items: [labels] } },
            { serviceAccountToken: { path: "token", expirationSeconds: 3600 } },
            { secret: { name: "absent", optional: true } },
          ],
        },
      },
    ];
    const mounts = [...mountsOf(volumes), { name: "settings", mountPath: "/colour", subPath: "colour" }];
    await client.create(pods, {
      metadata: { ...metadata("files"), labels: { app: "web" }, annotations: { note: "one" } },
      spec: {
        nodeName: "node-1",
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 1,
        volumes,
        containers: [
          {
            ...sleeper(),
            volumeMounts: mounts,
            resources: { limits: { memory: "64Mi" }, requests: { cpu: "250m" } },
          },
        ],
      },
    } as never);
    // The same files with a group: whoever is in it may read what others may not.
    await create("grouped", {
      ...using(volumes, mountsOf(volumes)),
      securityContext: { runAsUser: 1000, fsGroup: 2000 },
      volumes: volumes.filter(({ name }) => name !== "self"),
      containers: [{ ...sleeper(), volumeMounts: mountsOf(volumes).filter(({ name }) => name !== "self") }],
    });
    await Promise.all([ready("files"), ready("grouped")]);
    const modes = (pod: string, ...paths: string[]) => inside(pod, `stat -L -c '%a %u %g' ${paths.join(" ")}`);
    const places = ["/settings/colour", "/fixed/deep/k", "/login/password", "/together/config/colour"];
    const more = ["/together/password", "/together/token"];
    t.equal(
      await modes("files", ...places, ...more, "/self/cpu"),
      "640 0 0\n400 0 0\n400 0 0\n444 0 0\n400 0 0\n444 0 0\n440 0 0\n",
    );
    t.equal(
      await modes("grouped", ...places, ...more),
      "640 0 2000\n440 0 2000\n440 0 2000\n444 0 2000\n440 0 2000\n640 1000 2000\n",
    );
    t.match(await inside("grouped", "cat /login/password /together/token"), /^s3cret[\w-]+\.[\w-]+\.[\w-]+$/);
    t.equal(await inside("files", "cd /self; cat labels note name memory cpu"), 'app="web"onefiles64250');
    t.equal(await inside("files", "ls /absent"), "");

    const options = { type: "merge" } as const;
    await client.patch(configmaps, metadata("settings"), { data: { colour: "red" } }, options);
    await client.patch(
      pods,
      metadata("files"),
      { metadata: { labels: { app: "shop" }, annotations: { note: "two" } } },
      options,
    );
    const now = "cat /settings/colour /together/config/colour /self/note /self/labels /together/labels";
    const followed = 'redredtwoapp="shop"app="shop"';
    await eventually("files follow", async () => (await inside("files", now)) === followed, patienceMs);
    t.equal(await inside("files", "cat /colour"), "blue", "a subPath stays what it was");
    t.equal(await inside("files", "readlink /settings/colour"), "..data/colour\n");

    t.equal(await kubelet.stop(), 0);
    kubelet.start();
    await client.patch(configmaps, metadata("settings"), { data: { colour: "green" } }, options);
    await client.patch(pods, metadata("files"), { metadata: { labels: { app: "mill" } } }, options);
    await eventually(
      "a kubelet that starts anew follows too",
      async () => {
        const said = await inside("files", now).catch(() => "");
        return said === 'greengreentwoapp="mill"app="mill"';
      },
      patienceMs,
    );
    await removeAll(["files", "grouped"]);
  });

  await t.test(
    "what is missing is told for each volume, and heals; what no container mounts is not missed",
    async (t) => {
      const volumes: Volume[] = [
        { name: "c", configMap: { name: "later" } },
        { name: "s", secret: { secretName: "later" } },
        { name: "k", configMap: { name: "fixed", items: [{ key: "no", path: "no" }] } },
        { name: "unused", configMap: { name: "never" } },
      ];
      await create("patient", using(volumes, mountsOf(volumes.slice(0, 2))));
      await create("keyless", using(volumes, mountsOf(volumes.slice(2, 3))));
      const failed = (name: string, words: string) =>
        `FailedMount: MountVolume.SetUp failed for volume "${name}" : ${words}`;
      await said("patient", failed("c", 'configmap "later" not found'));
      await said("patient", failed("s", 'secret "later" not found'));
      await said("keyless", failed("k", "configmap references non-existent config key: no"));
      const waits = (pod: Pod) => pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === "ContainerCreating";
      await until("patient", "waits", waits, patienceMs);
      const metadata = { name: "later", namespace };
      await client.create(configmaps, { metadata, data: { k: "v" } });
      await client.create(secrets, { metadata, stringData: { p: "w" } });
      await ready("patient");
      t.equal(await inside("patient", "cat /c/k /s/p; ls /trust; test ! -e /image"), "vw");
      t.notMatch(await eventsOf("patient"), '"unused"');
      await removeAll(["patient", "keyless"]);
    },
  );

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
