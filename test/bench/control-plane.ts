// What the API's benchmarks share: a control plane without a node, raw HTTPS to it, and the bare server beside it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Client } from "@picokube/client/client";
import { loadKubeconfig } from "@picokube/client/kubeconfig";
import { createClient } from "@picokube/client/rest-client";
import { createCluster } from "../e2e/harness/cluster.js";

export interface Endpoint {
  /** Sends a request and resolves with the whole body. */
  fetch(method: string, path: string, body?: string): Promise<Buffer>;
  /** Opens a stream on a connection of its own; resolves once it answers. */
  stream(path: string, onData: (chunk: Buffer) => void): Promise<() => void>;
}

export interface ControlPlane {
  readonly client: Client;
  readonly api: Endpoint;
  /** Starts a bare server that sends these bytes. */
  bareServer(body: Buffer): Promise<Endpoint & { stop(): void }>;
  dispose(): Promise<void>;
}

export async function startControlPlane(): Promise<ControlPlane> {
  const { cluster, dispose } = await createCluster(["--control-plane-only"]);
  const pki = join(cluster.dataDir, "pki");
  const identity = {
    ca: readFileSync(join(pki, "ca.crt")),
    cert: readFileSync(join(pki, "admin.crt")),
    key: readFileSync(join(pki, "admin.key")),
  };
  const directory = mkdtempSync(join(tmpdir(), "picokube-bench-"));
  return {
    client: createClient({ kubeconfig: loadKubeconfig(cluster.kubeconfig), userAgent: "bench" }),
    api: endpoint({ host: "127.0.0.1", port: cluster.securePort, ...identity }),
    async bareServer(body) {
      const file = join(directory, "body");
      writeFileSync(file, body);
      const path = fileURLToPath(new URL("bare-server.js", import.meta.url));
      const child = spawn(process.execPath, [path, join(pki, "apiserver.crt"), join(pki, "apiserver.key"), file], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [line] = (await once(child.stdout!, "data")) as [Buffer];
      return {
        ...endpoint({ host: "127.0.0.1", port: Number(line.toString()), ca: identity.ca }),
        stop: () => child.kill(),
      };
    },
    async dispose() {
      await dispose();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function endpoint(target: { host: string; port: number; ca: Buffer; cert?: Buffer; key?: Buffer }): Endpoint {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  return {
    fetch: (method, path, body) =>
      new Promise((resolve, reject) => {
        const sent = request(
          { ...target, agent, method, path, headers: { "content-type": "application/json" } },
          (response) => {
            const chunks: Buffer[] = [];
            response.on("data", (chunk: Buffer) => chunks.push(chunk));
            response.on("end", () => {
              const whole = Buffer.concat(chunks);
              if ((response.statusCode ?? 500) >= 300)
                reject(new Error(`${method} ${path}: ${response.statusCode} ${whole.toString().slice(0, 300)}`));
              else resolve(whole);
            });
            response.on("error", reject);
          },
        );
        sent.on("error", reject);
        sent.end(body);
      }),
    stream: (path, onData) =>
      new Promise((resolve, reject) => {
        const sent = request({ ...target, agent: false, method: "GET", path }, (response) => {
          response.on("data", onData);
          response.on("error", () => {});
          resolve(() => sent.destroy());
        });
        sent.on("error", reject);
        sent.end();
      }),
  };
}
