// The cluster that end-to-end tests run against: brought up by the real `picokube up` in a directory of its own, beside
// whatever runs on the machine. One is shared by all files of a run (with-cluster.ts); a file run alone makes its own.

import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface TestCluster {
  readonly dataDir: string;
  readonly kubeconfig: string;
  readonly name: string;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly securePort: number;
  readonly serviceCidr: string;
  readonly podCidr: string;
  readonly podBridge: string;
  readonly chainPrefix: string;
  readonly logDir: string;
  /** Of every listener, by picokube's name for it: "scheduler", "kubelet", "kubeletHealth", ... */
  readonly ports: Readonly<Record<string, number>>;
}

export const picokube = fileURLToPath(new URL("../../../../packages/picokube/bin/picokube.js", import.meta.url));
const shared = "PICOKUBE_E2E_DATA_DIR";
const interrupts = ["SIGINT", "SIGTERM"] as const;

/** The settings that `up` wrote down there. */
export function readTestCluster(dataDir: string): TestCluster {
  const settings = JSON.parse(readFileSync(join(dataDir, "cluster.json"), "utf8"));
  return { ...settings, kubeconfig: settings.adminKubeconfig, securePort: settings.ports.securePort };
}

/** Runs the CLI as a person would; resolves with what it printed, rejects with that too when it fails. HOME is the test's own. */
export function runPicokube(args: readonly string[], { dataDir }: { dataDir: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [picokube, ...args, `--data-dir=${dataDir}`],
      { env: { ...process.env, HOME: dataDir }, maxBuffer: 1 << 24 },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`picokube ${args.join(" ")} failed:\n${stdout}${stderr}`, { cause: error }));
        else resolve(stdout + stderr);
      },
    );
  });
}

/** Brings a fresh cluster up; dispose resets it and removes its directory. */
export async function createCluster(
  flags: readonly string[] = [],
): Promise<{ cluster: TestCluster; dispose(): Promise<void> }> {
  const dataDir = mkdtempSync(join(tmpdir(), "picokube-e2e-"));
  let gone: Promise<void> | undefined;
  const dispose = () => {
    gone ??= (async () => {
      await runPicokube(["reset"], { dataDir });
      rmSync(dataDir, { recursive: true, force: true });
      for (const signal of interrupts) process.off(signal, interrupted);
    })();
    return gone;
  };
  // Who breaks a run off does not want its clusters.
  const interrupted = () => void dispose().finally(() => process.exit(1));
  for (const signal of interrupts) process.on(signal, interrupted);
  try {
    await runPicokube(["up", ...flags], { dataDir });
  } catch (error) {
    // What came up in part goes too; why it failed matters more than whether that worked.
    await dispose().catch(() => {});
    throw error;
  }
  return { cluster: readTestCluster(dataDir), dispose };
}

/** The run's shared cluster, or one of the caller's own that goes with the test. */
export async function useCluster(t: { teardown(fn: () => unknown): void }): Promise<TestCluster> {
  const dataDir = process.env[shared];
  if (dataDir) return readTestCluster(dataDir);
  const { cluster, dispose } = await createCluster();
  t.teardown(dispose);
  return cluster;
}

/** Runs a command with the shared cluster in its environment; resolves to its exit code. */
export async function withSharedCluster(command: string, args: readonly string[]): Promise<number> {
  const { cluster, dispose } = await createCluster();
  try {
    return await new Promise((resolve, reject) => {
      const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, [shared]: cluster.dataDir } });
      child.once("error", reject);
      child.once("exit", (code) => resolve(code ?? 1));
    });
  } finally {
    await dispose();
  }
}
