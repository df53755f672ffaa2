// A real apiserver for tests: its own process, with a fresh PKI and a fresh LevelDB in a temporary directory, on a free
// port. Stopped and removed when the test ends. Fakes nothing.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Client } from "@picokube/client/client";
import { loadKubeconfig } from "@picokube/client/kubeconfig";
import { createClient } from "@picokube/client/rest-client";
import { ensureClusterPki } from "@picokube/pki/cluster-certificates";
import { adminEntries, entriesFromPki, writeKubeconfig } from "@picokube/pki/kubeconfig";

/** What of a tap test is needed here. */
export interface TestWithTeardown {
  teardown(callback: () => unknown): void;
}

export interface ApiServerOptions {
  /** Further flags: ["--max-requests-inflight=2"]. */
  readonly flags?: readonly string[];
  /** Flags of node itself: ["--cpu-prof"]. */
  readonly nodeFlags?: readonly string[];
  /** A directory of the caller's own for the store: on a small disk, or one that another apiserver uses. */
  readonly dataDirectory?: string;
  /** Milliseconds until it must be ready; 60 s by default. */
  readonly startTimeoutMs?: number;
}

export interface TestApiServer {
  /** https://127.0.0.1:<port> */
  readonly url: string;
  /** As the administrator (system:masters). */
  readonly client: Client;
  /** The administrator's kubeconfig file. */
  readonly kubeconfig: string;
  readonly pkiDirectory: string;
  readonly dataDirectory: string;
  readonly pid: number;
  /** A client and a kubeconfig of another certificate of the PKI: "kube-scheduler", "kubelet-client", ... */
  as(certificate: string): { client: Client; kubeconfig: string };
  /** All that the process has written. */
  log(): string;
  /** Stops it, cleanly or by SIGKILL; resolves to its exit code. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<number | null>;
  /** Resolves to its exit code when it ends by itself. */
  ended(): Promise<number | null>;
  /** Starts it again on the same data and port; rejects with all it wrote when it ends before it is ready. */
  restart(): Promise<void>;
}

const EXECUTABLE = fileURLToPath(new URL("../../apiserver/bin/kube-apiserver.js", import.meta.url));

/** Starts an apiserver; resolves when /readyz says ok. */
export async function startApiServer(t: TestWithTeardown, options: ApiServerOptions = {}): Promise<TestApiServer> {
  const directory = mkdtempSync(join(tmpdir(), "picokube-apiserver-"));
  const pkiDirectory = join(directory, "pki");
  const dataDirectory = options.dataDirectory ?? join(directory, "data");
  await ensureClusterPki({
    directory: pkiDirectory,
    nodeName: "node-1",
    nodeIps: ["127.0.0.1"],
    serviceIp: "10.96.0.1",
    clusterDomain: "cluster.local",
  });
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const kubeconfig = join(directory, "admin.kubeconfig");
  writeKubeconfig(kubeconfig, adminEntries({ pkiDirectory, clusterName: "test", server: url }));
  let output = "";
  let child = start();
  const clients: { close(): Promise<void> }[] = [];
  const client = clientOf(kubeconfig);

  function start(): ChildProcess {
    const file = (name: string) => join(pkiDirectory, name);
    const flags = [
      `--secure-port=${port}`,
      "--bind-address=127.0.0.1",
      "--advertise-address=192.0.2.1",
      `--data-dir=${dataDirectory}`,
      `--client-ca-file=${file("ca.crt")}`,
      `--tls-cert-file=${file("apiserver.crt")}`,
      `--tls-private-key-file=${file("apiserver.key")}`,
      `--service-account-key-file=${file("sa.pub")}`,
      `--service-account-signing-key-file=${file("sa.key")}`,
      `--kubelet-client-certificate=${file("apiserver-kubelet-client.crt")}`,
      `--kubelet-client-key=${file("apiserver-kubelet-client.key")}`,
      `--kubelet-certificate-authority=${file("ca.crt")}`,
      ...(options.flags ?? []),
    ];
    const argv = [...(options.nodeFlags ?? []), EXECUTABLE, ...flags];
    const process = spawn(globalThis.process.execPath, argv, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [process.stdout, process.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    return process;
  }

  async function stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<number | null> {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exited = ended();
    child.kill(signal);
    return exited;
  }

  function ended(): Promise<number | null> {
    if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
    return new Promise((resolve) => child.once("exit", resolve));
  }

  async function ready(): Promise<void> {
    const deadline = Date.now() + (options.startTimeoutMs ?? 60_000);
    for (;;) {
      if (child.exitCode !== null) throw new Error(`the apiserver ended with ${child.exitCode}:\n${output}`);
      if (await isReady(client)) return;
      if (Date.now() > deadline) throw new Error(`the apiserver did not become ready:\n${output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  function clientOf(path: string): Client {
    const made = createClient({ kubeconfig: loadKubeconfig(path), userAgent: "picokube-test" });
    clients.push(made);
    return made;
  }

  t.teardown(async () => {
    await Promise.all(clients.map((made) => made.close()));
    await stop("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  });
  await ready();
  return {
    url,
    client,
    kubeconfig,
    pkiDirectory,
    dataDirectory,
    get pid() {
      return child.pid!;
    },
    as(certificate) {
      const path = join(directory, `${certificate}.kubeconfig`);
      const names = { clusterName: "test", userName: certificate, contextName: certificate, server: url };
      writeKubeconfig(path, entriesFromPki({ pkiDirectory, certificate, ...names }));
      return { client: clientOf(path), kubeconfig: path };
    },
    log: () => output,
    stop,
    ended,
    async restart() {
      await stop();
      child = start();
      await ready();
    },
  };
}

async function isReady(client: Client): Promise<boolean> {
  try {
    const { status, body } = await client.raw({ method: "GET", path: "/readyz" });
    body.resume();
    return status === 200;
  } catch {
    return false;
  }
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === "object" && bound ? bound.port : 0));
    });
  });
}
