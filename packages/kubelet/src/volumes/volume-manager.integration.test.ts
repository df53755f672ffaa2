// Needs root: mounts tmpfs and binds in a temporary directory.
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ConfigMap,
  configmaps,
  type PersistentVolume,
  type Pod,
  persistentvolumeclaims,
  persistentvolumes,
  secrets,
} from "@picokube/api/core/v1";
import { notFound } from "@picokube/api/errors";
import type { Client } from "@picokube/client/client";
import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import { startApiServer } from "@picokube/testing/apiserver";
import { node, object, pod } from "@picokube/testing/builders";
import { test } from "tap";
import type { ObjectSource } from "../parts.js";
import { mountedBelow } from "./mounter.js";
import { createVolumeManager } from "./volume-manager.js";

const never = new AbortController().signal;

test("volumes of a pod come, follow and go", async (t) => {
  const rootDir = await mkdtemp(join(tmpdir(), "volume-manager-"));
  const elsewhere = await mkdtemp(join(tmpdir(), "volume-elsewhere-"));
  t.teardown(() => Promise.all([rootDir, elsewhere].map((path) => rm(path, { recursive: true }))));
  let settings: ConfigMap = object(configmaps, "settings", { data: { colour: "blue" } });
  let tokens = 0;
  const objects: ObjectSource = {
    configMap: async (_namespace, name) => {
      if (name === "settings") return settings;
      throw notFound({ group: "", resource: "configmap" }, name);
    },
    secret: async () => object(secrets, "login", { data: { password: Buffer.from("s3cret").toString("base64") } }),
    serviceAccount: async (_namespace, name) => {
      throw notFound({ group: "", resource: "serviceaccounts" }, name);
    },
    services: () => [],
    node: () => node("n"),
  };
  const client = {
    createSubresource: async () => {
      tokens++;
      return { status: { token: "t0ken", expirationTimestamp: new Date(Date.now() + 3600_000).toISOString() } };
    },
  } as unknown as Client;
  const logger = createLogger({ name: "test", verbosity: 0 });
  const manager = createVolumeManager({ rootDir, objects, client, clock: realClock(), logger });
  const mounts = [
    { name: "settings", mountPath: "/settings" },
    { name: "login", mountPath: "login", readOnly: true },
    { name: "memory", mountPath: "/memory" },
    { name: "disk", mountPath: "/disk", subPath: "made/here" },
    { name: "settings", mountPath: "/colour", subPath: "colour" },
    { name: "token", mountPath: "/token" },
    { name: "host", mountPath: "/host" },
  ];
  const container = { name: "c", image: "i", volumeMounts: mounts };
  const subject: Pod = pod("p", {
    metadata: { namespace: "default", uid: "u-1", labels: { app: "web" } },
    spec: {
      securityContext: { fsGroup: 2000 },
      containers: [container],
      volumes: [
        { name: "settings", configMap: { name: "settings", defaultMode: 0o644 } },
        { name: "login", secret: { secretName: "login", defaultMode: 0o400 } },
        { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
        { name: "disk", emptyDir: {} },
        {
          name: "token",
          projected: {
            sources: [
              { serviceAccountToken: { path: "token", expirationSeconds: 3600 } },
              { configMap: { name: "settings", items: [{ key: "colour", path: "sub/colour" }] } },
              { downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
            ],
          },
        },
        { name: "host", hostPath: { path: join(elsewhere, "data"), type: "DirectoryOrCreate" } },
      ],
    },
  });

  const volumes = await manager.prepare(subject, never);
  const base = join(rootDir, "pods/u-1/volumes");
  const made = await volumes.mountsFor(container);
  t.same(
    made.map(({ containerPath }) => containerPath),
    ["/settings", "/login", "/memory", "/disk", "/colour", "/token", "/host"],
  );
  t.equal(made[0]!.hostPath, join(base, "kubernetes.io~configmap/settings"));
  t.equal(made[1]!.readOnly, true);
  t.equal(await readFile(join(made[1]!.hostPath, "password"), "utf8"), "s3cret");
  const password = await stat(join(made[1]!.hostPath, "password"));
  t.equal(password.gid, 2000);
  t.equal(password.mode & 0o777, 0o440);
  t.equal(await readFile(made[4]!.hostPath, "utf8"), "blue");
  t.equal(await readFile(join(made[5]!.hostPath, "token"), "utf8"), "t0ken");
  t.equal(await readFile(join(made[5]!.hostPath, "sub/colour"), "utf8"), "blue");
  t.equal(await readFile(join(made[5]!.hostPath, "labels"), "utf8"), 'app="web"');
  t.equal(made[6]!.hostPath, join(elsewhere, "data"));
  t.equal((await stat(made[2]!.hostPath)).mode & 0o7777, 0o2777);
  await t.rejects(writeFile(join(made[2]!.hostPath, "big"), Buffer.alloc(2 * 1024 * 1024)), { code: "ENOSPC" });
  await writeFile(join(made[3]!.hostPath, "kept"), "x");
  t.equal(await readFile(join(base, "kubernetes.io~empty-dir/disk/made/here/kept"), "utf8"), "x");

  settings = { ...settings, data: { colour: "red" } };
  await manager.prepare(subject, never);
  t.equal(await readFile(join(made[0]!.hostPath, "colour"), "utf8"), "red");
  t.equal(await readFile(join(base, "kubernetes.io~empty-dir/disk/made/here/kept"), "utf8"), "x");
  t.equal(tokens, 1);

  await symlink("/etc", join(base, "kubernetes.io~empty-dir/disk/escape"));
  const escaping = { ...container, volumeMounts: [{ name: "disk", mountPath: "/x", subPath: "escape" }] };
  await t.rejects(volumes.mountsFor(escaping), {
    message: 'failed to prepare subPath for volumeMount "disk" of container "c"',
  });
  const mounted = async (mount: object) =>
    (await volumes.mountsFor({ ...container, volumeMounts: [{ name: "disk", mountPath: "/x", ...mount }] }))[0];
  for (const [mountPropagation, propagation] of [
    [undefined, "None"],
    ["HostToContainer", "HostToContainer"],
    ["Bidirectional", "Bidirectional"],
  ]) {
    t.match(await mounted(mountPropagation ? { mountPropagation } : {}), { propagation, readOnly: false });
  }
  t.match(await mounted({ readOnly: true, recursiveReadOnly: "IfPossible" }), { readOnly: true });
  await t.rejects(mounted({ readOnly: true, recursiveReadOnly: "Enabled" }), {
    message:
      'failed to resolve recursive read-only mode: volume "disk" requested recursive read-only mode, but it is not supported by the runtime',
  });
  await t.rejects(volumes.mountsFor({ ...container, volumeMounts: [{ name: "none", mountPath: "/x" }] }), {
    message: 'cannot find volume "none" to mount into container "c"',
  });

  await mkdir(join(elsewhere, "data/mine"));
  await manager.release("u-1");
  t.same(await mountedBelow(rootDir), []);
  t.same(await readdir(join(rootDir, "pods/u-1")), []);
  t.ok(await stat(join(elsewhere, "data/mine")));
  t.same(await manager.podsOnDisk(), ["u-1"], "until all else of the pod has gone");
});

test("what is missing is said in upstream's words", async (t) => {
  const rootDir = await mkdtemp(join(tmpdir(), "volume-manager-"));
  t.teardown(() => rm(rootDir, { recursive: true }));
  const objects = {
    configMap: async (_namespace: string, name: string) => {
      throw notFound({ group: "", resource: "configmap" }, name);
    },
    services: () => [],
    node: () => undefined,
  } as unknown as ObjectSource;
  const logger = createLogger({ name: "test", verbosity: 0 });
  const manager = createVolumeManager({ rootDir, objects, client: {} as Client, clock: realClock(), logger });
  const attempt = (volume: object) =>
    manager.prepare(
      pod("p", {
        metadata: { uid: "u-2" },
        spec: {
          containers: [{ name: "c", image: "i", volumeMounts: [{ name: "x", mountPath: "/x" }] }],
          volumes: [{ name: "x", ...volume }],
        },
      }),
      never,
    );
  await t.rejects(attempt({ configMap: { name: "y" } }), {
    name: "VolumeError",
    message: 'MountVolume.SetUp failed for volume "x" : configmap "y" not found',
  });
  const path = join(rootDir, "absent");
  await t.rejects(attempt({ hostPath: { path, type: "Directory" } }), {
    message: `MountVolume.SetUp failed for volume "x" : hostPath type check failed: ${path} is not a directory`,
  });
  await t.rejects(attempt({ hostPath: { path: rootDir, type: "File" } }), { message: /is not a file$/ });
  await attempt({ configMap: { name: "y", optional: true } });
  await manager.release("u-2");
});

test("claims lead to volumes of a host's path, a local path and NFS", async (t) => {
  const { client } = await startApiServer(t);
  const rootDir = await mkdtemp(join(tmpdir(), "volume-manager-"));
  t.teardown(() => rm(rootDir, { recursive: true }));
  const namespace = "default";
  const merge = { type: "merge" } as const;
  const accessModes: "ReadWriteOnce"[] = ["ReadWriteOnce"];
  const hostname = { key: "kubernetes.io/hostname", operator: "In" as const, values: ["n"] };
  const nodeAffinity = { required: { nodeSelectorTerms: [{ matchExpressions: [hostname] }] } };
  /** A claim bound to a volume of its name, as the binder leaves both. */
  async function bind(name: string, source: Partial<PersistentVolume["spec"]>): Promise<void> {
    const requests = { storage: "1Gi" };
    const claim = await client.create(persistentvolumeclaims, {
      metadata: { name, namespace },
      spec: { accessModes, resources: { requests }, volumeName: name, storageClassName: "" },
    });
    const { uid } = claim.metadata;
    await client.create(persistentvolumes, {
      metadata: { name },
      spec: { accessModes, capacity: requests, claimRef: { namespace, name, uid }, nodeAffinity, ...source },
    });
    const status = { phase: "Bound" };
    await client.patch(persistentvolumeclaims, { name, namespace }, { status }, { ...merge, subresource: "status" });
  }
  const logger = createLogger({ name: "test", verbosity: 0 });
  const manager = createVolumeManager({
    rootDir,
    objects: { services: () => [], node: () => undefined } as unknown as ObjectSource,
    client,
    clock: realClock(),
    logger,
  });
  const container = { name: "c", image: "i", volumeMounts: [{ name: "x", mountPath: "/x" }] };
  let pods = 0;
  async function mounted(volume: object, spec: object = {}): Promise<string> {
    const uid = `u-claims-${++pods}`;
    const subject = pod("p", {
      metadata: { uid },
      spec: { ...spec, containers: [container], volumes: [{ name: "x", ...volume }] },
    });
    try {
      const [mount] = await (await manager.prepare(subject, never)).mountsFor(container);
      return mount!.hostPath;
    } finally {
      await manager.release(uid);
    }
  }
  const use = (claimName: string, spec = {}) => mounted({ persistentVolumeClaim: { claimName } }, spec);

  const host = join(rootDir, "host");
  await bind("host", { hostPath: { path: host, type: "DirectoryOrCreate" } });
  t.equal(await use("host"), host);
  t.ok((await stat(host)).isDirectory());

  const own = join(rootDir, "local-path", "pvc-9c1b0d6e-0f2b-4a54-9a53-0d6c3b1f7e11_default_own");
  await bind("own", { local: { path: own } });
  t.equal(await use("own"), own);
  t.equal((await stat(own)).mode & 0o7777, 0o777, "made for anyone to write");
  await writeFile(join(own, "rows"), "1");
  await use("own", { securityContext: { fsGroup: 2000 } });
  t.equal((await stat(join(own, "rows"))).gid, 2000, "kept, and given to the pod's group");
  const onMismatch = { securityContext: { fsGroup: 2000, fsGroupChangePolicy: "OnRootMismatch" } };
  const groupAfter = async (spec: object) => {
    await chown(join(own, "rows"), 0, 3000);
    await use("own", spec);
    return (await stat(join(own, "rows"))).gid;
  };
  t.equal(await groupAfter(onMismatch), 3000, "the root is right: what lies below is not looked at");
  await chmod(own, 0o2750);
  t.equal(await groupAfter(onMismatch), 2000, "the group may not write to the root: all is set right");
  t.equal(await groupAfter({ securityContext: { fsGroup: 2000, fsGroupChangePolicy: "Always" } }), 2000);

  const absent = join(rootDir, "absent");
  await bind("absent", { local: { path: absent } });
  await t.rejects(use("absent"), {
    message: `MountVolume.NewMounter initialization failed for volume "absent" : path "${absent}" does not exist`,
  });
  await t.rejects(stat(absent), { code: "ENOENT" });
  await bind("other", { iscsi: { targetPortal: "192.0.2.1", iqn: "iqn.2026-01.example.com:x", lun: 0 } });
  await t.rejects(use("other"), { message: 'MountVolume.SetUp failed for volume "other" : no volume plugin matched' });

  // Nobody exports anything on port 1: the host's mount(8) says so, or that it knows no NFS.
  await bind("nfs", { nfs: { server: "127.0.0.1", path: "/x" }, mountOptions: ["retry=0", "port=1"] });
  const failure = await use("nfs").then(
    () => undefined,
    (error: Error) => error.message,
  );
  t.match(
    failure,
    /^MountVolume\.SetUp failed for volume "nfs" : mount failed: exit status 32\nMounting command: mount\n/,
  );
  t.match(
    failure,
    /Mounting arguments: -t nfs -o retry=0,port=1 127\.0\.0\.1:\/x .*\/kubernetes\.io~nfs\/nfs\nOutput: /,
  );
  t.same(await mountedBelow(rootDir), []);

  const lists = "unmounted volumes=[x], unattached volumes=[], failed to process volumes=[x]";
  await client.create(persistentvolumeclaims, {
    metadata: { name: "free", namespace },
    spec: { accessModes, resources: { requests: { storage: "1Gi" } }, storageClassName: "" },
  });
  await t.rejects(use("free"), {
    message: `Unable to attach or mount volumes: ${lists}: error processing PVC default/free: PVC is not bound`,
  });
  await bind("p-x", { hostPath: { path: host } });
  const volumeClaimTemplate = { spec: { accessModes, resources: { requests: { storage: "1Gi" } } } };
  await t.rejects(mounted({ ephemeral: { volumeClaimTemplate } }), {
    message: `Unable to attach or mount volumes: ${lists}: error processing PVC default/p-x: PVC default/p-x was not created for pod default/p (pod is not owner)`,
  });
});
