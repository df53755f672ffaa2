// A kubelet process for integration tests: a root directory, a bridge and a node name of its own, and nothing of it left
// behind. Imported by tests alone.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Pod, type PodSpec, pods, serviceaccounts } from "@picokube/api/core/v1";
import { isNotFound } from "@picokube/api/errors";
import { freePort, type TestApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import Docker from "dockerode";
import type { Test } from "tap";

const patienceMs = 60_000;

/** A command to its end; rejects when it fails. */
export const run = promisify(execFile);

const executable = fileURLToPath(new URL("../bin/kubelet.js", import.meta.url));

export interface KubeletProcessOptions {
  readonly bridge: string;
  /** The third number of its pods' addresses: 10.251.<subnet>.0/24. */
  readonly subnet: number;
  readonly dockerSocket?: string;
  readonly flags?: readonly string[];
  /** Puts the root directory on a disk of its own, with so many inodes. */
  readonly rootDisk?: { readonly inodes: number; readonly sizeMiB: number };
  /** A cgroup of the test's own for its pods; gone when the test ends. */
  readonly cgroupRoot?: string;
  /** Of node itself: ["--cpu-prof"]. With any, the process has a channel to the test. */
  readonly nodeFlags?: readonly string[];
}

/** Starts a kubelet as node-1 of the apiserver's cluster; stopped and cleaned up when the test ends. */
export async function startKubelet(t: Test, server: TestApiServer, options: KubeletProcessOptions) {
  const { bridge, subnet, dockerSocket = "/var/run/docker.sock", cgroupRoot } = options;
  const { flags = [], nodeFlags = [], rootDisk } = options;
  const docker = new Docker({ socketPath: dockerSocket });
  const rootDir = mkdtempSync(join(tmpdir(), "picokube-kubelet-"));
  if (rootDisk) {
    const size = `size=${rootDisk.sizeMiB}m,nr_inodes=${rootDisk.inodes}`;
    await run("mount", ["-t", "tmpfs", "-o", size, "picokube-test", rootDir]);
  }
  const manifests = join(rootDir, "manifests");
  mkdirSync(manifests);
  const podCidr = `10.251.${subnet}.0/24`;
  const place = [
    `--docker-endpoint=unix://${dockerSocket}`,
    `--pod-bridge=${bridge}`,
    // The machine's own chains are the user's cluster's.
    "--make-iptables-util-chains=false",
    `--root-dir=${rootDir}`,
    `--pod-logs-dir=${join(rootDir, "log", "pods")}`,
    ...(cgroupRoot === undefined ? [] : [`--cgroup-root=${cgroupRoot}`]),
  ];
  const port = await freePort();
  const argv = [
    executable,
    ...place,
    `--kubeconfig=${server.as("kubelet-client").kubeconfig}`,
    "--hostname-override=node-1",
    "--node-ip=127.0.0.1",
    `--pod-cidr=${podCidr}`,
    `--cluster-cidr=${podCidr}`,
    `--cni-conf-dir=${join(rootDir, "cni")}`,
    "--cluster-dns=10.96.0.10",
    `--port=${port}`,
    `--healthz-port=${await freePort()}`,
    `--client-ca-file=${join(server.pkiDirectory, "ca.crt")}`,
    `--tls-cert-file=${join(server.pkiDirectory, "kubelet.crt")}`,
    `--tls-private-key-file=${join(server.pkiDirectory, "kubelet.key")}`,
    `--pod-manifest-path=${manifests}`,
    "--file-check-frequency=500ms",
    // The machine's own disks and images are none of a test's business.
    "--eviction-hard=memory.available<1Mi",
    "--image-gc-high-threshold=100",
    "--fail-swap-on=false",
    "-v=3",
    ...flags,
  ];
  let output = "";
  let child: ChildProcess | undefined;
  /** Flags given here come after the others, and so win. */
  const start = (more: readonly string[] = [], env: NodeJS.ProcessEnv = {}) => {
    const channel = nodeFlags.length > 0 ? (["ipc"] as const) : [];
    child = spawn(process.execPath, [...nodeFlags, ...argv, ...more], {
      stdio: ["ignore", "pipe", "pipe", ...channel],
      env: { ...process.env, ...env },
    });
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
  };
  const stop = async (signal: "SIGTERM" | "SIGKILL" = "SIGTERM") => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode;
    const exited = new Promise<number | null>((resolve) => child!.once("exit", resolve));
    child.kill(signal);
    return exited;
  };
  t.teardown(async () => {
    await stop("SIGKILL");
    // A daemon of the test's own may be gone already.
    await run(process.execPath, [executable, "--cleanup", ...place]).catch((error: Error) => t.comment(error.message));
    // The cleanup takes it down with the mounts below.
    if (rootDisk) await run("umount", ["--lazy", rootDir]).catch(() => undefined);
    rmSync(rootDir, { recursive: true, force: true });
    if (cgroupRoot !== undefined) removeCgroup(cgroupRoot);
    if (!t.passing()) t.comment(output);
  });
  start();
  return {
    rootDir,
    /** Of its HTTPS server. */
    port,
    manifests,
    podCidr,
    start,
    stop,
    /** As `kubelet --cleanup` does when the cluster is reset. */
    cleanup: () => run(process.execPath, [executable, "--cleanup", ...place]),
    /** Its containers and sandboxes, dead ones too. */
    containers: () => docker.listContainers({ all: true, filters: { label: [`io.picokube.scope=${rootDir}`] } }),
    log: () => output,
    get process() {
      return child!;
    },
    get pid() {
      return child!.pid!;
    },
    get running() {
      return child !== undefined && child.exitCode === null && child.signalCode === null;
    },
  };
}

/** From each hierarchy, once nothing is in it. */
function removeCgroup(path: string): void {
  for (const hierarchy of ["", ...readdirSync("/sys/fs/cgroup")]) {
    try {
      rmdirSync(join("/sys/fs/cgroup", hierarchy, path));
    } catch {
      // Not of this hierarchy.
    }
  }
}

/** A busybox container that ends at once when told to. */
export const sleeper = (name = "c") => ({
  name,
  image: "busybox",
  command: ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.1; done"],
});

/** Whether the pod's Ready condition is True. */
export const isReady = (pod: Pod) =>
  pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

/** Pods of namespace default on node-1, made and looked at as the administrator. */
export async function podsOf(server: TestApiServer) {
  const { client } = server;
  const defaultAccount = { metadata: { name: "default", namespace: "default" } };
  await client.create(serviceaccounts, defaultAccount).catch(() => undefined);
  const kubectl = async (...args: string[]) => {
    const { stdout } = await run("kubectl", [`--kubeconfig=${server.kubeconfig}`, ...args]);
    return stdout;
  };
  const get = (name: string): Promise<Pod | undefined> =>
    client.get(pods, { name, namespace: "default" }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  /** Deletes the pod and waits for its end; asks again where a connection was lost. */
  const remove = (name: string, graceSeconds = 1) =>
    eventually(
      `${name} is gone`,
      async () => {
        const found = await get(name);
        if (!found) return true;
        if (found.metadata.deletionTimestamp) return false;
        const options = { gracePeriodSeconds: graceSeconds };
        await client.delete(pods, { name, namespace: "default" }, options).catch(() => undefined);
        return false;
      },
      patienceMs,
    );
  const until = async (name: string, what: string, check: (pod: Pod) => unknown, timeoutMs?: number) => {
    let last: Pod | undefined;
    const probe = async () => {
      last = await get(name);
      return last && check(last) ? last : undefined;
    };
    return eventually(`${name}: ${what}`, probe, timeoutMs).catch((error: Error) => {
      throw new Error(`${error.message}; its status: ${JSON.stringify(last?.status)}`, { cause: error });
    });
  };
  const eventsOf = (name: string) =>
    kubectl(
      "get",
      "events",
      `--field-selector=involvedObject.name=${name}`,
      "-o",
      "jsonpath={range .items[*]}{.reason}: {.message}{'\\n'}{end}",
    );
  return {
    kubectl,
    get,
    create: (name: string, spec: Partial<PodSpec> = {}) =>
      client.create(pods, {
        metadata: { name, namespace: "default" },
        spec: {
          nodeName: "node-1",
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 5,
          containers: [sleeper()],
          ...spec,
        },
      } as never),
    remove,
    removeAll: (names: readonly string[]) => Promise.all(names.map((name) => remove(name))),
    until,
    /** Waits until the pod is ready. */
    ready: (name: string) => until(name, "ready", isReady, patienceMs),
    eventsOf,
    /** Waits until an event of the pod says so. */
    said: (name: string, words: string) =>
      eventually(words, async () => (await eventsOf(name)).includes(words), patienceMs),
    /** What the script prints in a container of the pod. */
    inside: (name: string, script: string, container = "c") =>
      kubectl("exec", name, "-c", container, "--", "sh", "-c", script),
  };
}
