// What benchmarks of controllers share: an apiserver, a controller manager and a scheduler as `picokube up` runs them, and
// hollow nodes. Everything in processes of their own, so that each one's CPU and memory can be told.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodes, serviceaccounts } from "@picokube/api/core/v1";
import type { Client } from "@picokube/client/client";
import { freePort, startApiServer } from "@picokube/testing/apiserver";

export type ProcessName = "kube-apiserver" | "kube-controller-manager" | "kube-scheduler" | "hollow nodes";

export interface ControlPlane {
  readonly client: Client;
  /** CPU seconds that a process has used so far, in user and in kernel mode. */
  cpuSeconds(name: ProcessName): number;
  residentMib(name: ProcessName): number;
  dispose(): Promise<void>;
}

const TICKS_PER_SECOND = 100;
/** The image that hollow nodes have. */
export const hollowImage = "nginx:latest";

const executable = (path: string) => fileURLToPath(new URL(`../../../packages/${path}`, import.meta.url));

/** Resolves when all nodes are Ready and pods can be made. */
export async function startControlPlane({ nodes: nodeCount }: { nodes: number }): Promise<ControlPlane> {
  const callbacks: (() => unknown)[] = [];
  const dispose = async () => {
    for (const callback of callbacks.splice(0).reverse()) await callback();
  };
  try {
    return await start(nodeCount, { callbacks, dispose });
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function start(
  nodeCount: number,
  { callbacks, dispose }: { callbacks: (() => unknown)[]; dispose: () => Promise<void> },
): Promise<ControlPlane> {
  const directory = mkdtempSync(join(tmpdir(), "picokube-bench-"));
  callbacks.push(() => rmSync(directory, { recursive: true, force: true }));
  const further = process.env.PICOKUBE_BENCH_NODE_FLAGS?.split(" ") ?? [];
  const nodeFlags = ["--max-semi-space-size=2", ...further];
  const server = await startApiServer(
    { teardown: (callback) => callbacks.push(callback) },
    { nodeFlags, startTimeoutMs: 120_000 },
  );
  callbacks.push(() => server.stop());
  const { client, pkiDirectory: pki } = server;
  const pids = new Map<ProcessName, number>([["kube-apiserver", server.pid]]);

  function run(name: ProcessName, argv: readonly string[]): void {
    const child: ChildProcess = spawn(process.execPath, [...nodeFlags, ...argv], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    pids.set(name, child.pid!);
    callbacks.push(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill();
      await exited;
    });
  }

  const config = join(directory, "kube-scheduler.yaml");
  writeFileSync(
    config,
    JSON.stringify({
      apiVersion: "kubescheduler.config.k8s.io/v1",
      kind: "KubeSchedulerConfiguration",
      clientConnection: { kubeconfig: server.as("kube-scheduler").kubeconfig },
      leaderElection: { leaderElect: true },
    }),
  );
  run("kube-controller-manager", [
    executable("controller-manager/bin/kube-controller-manager.js"),
    `--kubeconfig=${server.as("kube-controller-manager").kubeconfig}`,
    `--secure-port=${await freePort()}`,
    "--bind-address=127.0.0.1",
    `--root-ca-file=${pki}/ca.crt`,
    `--service-account-private-key-file=${pki}/sa.key`,
    "--cluster-cidr=10.101.0.0/16",
    ...requestLimits,
  ]);
  run("kube-scheduler", [
    executable("scheduler/bin/kube-scheduler.js"),
    `--config=${config}`,
    `--secure-port=${await freePort()}`,
    "--bind-address=127.0.0.1",
  ]);
  run("hollow nodes", [
    fileURLToPath(new URL("hollow-nodes.js", import.meta.url)),
    server.kubeconfig,
    String(nodeCount),
    hollowImage,
  ]);
  await until("the nodes are ready", async () => {
    const { items } = await client.list(nodes);
    const ready = items.filter(
      ({ spec, status }) =>
        (spec?.taints ?? []).length === 0 &&
        status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True"),
    );
    return ready.length === nodeCount;
  });
  const account = { name: "default", namespace: "default" };
  await until("pods can be made", () =>
    client.get(serviceaccounts, account).then(
      () => true,
      () => false,
    ),
  );
  const pid = (name: ProcessName) => pids.get(name)!;
  return {
    client,
    cpuSeconds(name) {
      const fields = readFileSync(`/proc/${pid(name)}/stat`, "utf8")
        .split(") ")[1]!
        .split(" ");
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    },
    residentMib: (name) =>
      Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid(name)}/status`, "utf8"))?.[1]) / 1024,
    dispose,
  };
}

// As `picokube up` sets them.
const requestLimits = ["--kube-api-qps=200", "--kube-api-burst=400"];

/** Looks every tenth of a second; throws after five minutes. */
export async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + 300_000;
  while (!(await look())) {
    if (Date.now() > deadlineMs) throw new Error(`did not happen within 300 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
