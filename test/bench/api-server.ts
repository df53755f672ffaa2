// What the API's benchmarks share: an apiserver alone, run as a cluster runs it, with as many pods as are wanted, and the
// bare server beside it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Client } from "@picokube/client/client";
import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import { openLevelDbStore } from "@picokube/store/leveldb/store";
import { startApiServer } from "@picokube/testing/apiserver";
import { openConnection, type Target } from "./connection.js";
import { loadPods, podTemplate } from "./pods.js";

export interface BenchServer {
  readonly target: Target;
  readonly pid: number;
  /** How its event loop and its disk have done. */
  stats(): Promise<ServerStats>;
}

export interface ServerStats {
  /** The longest turn of the event loop since the last question. */
  readonly lagMs: number;
  /** The time that synced writes have taken so far. */
  readonly commitSeconds: number;
}

export interface BareServer extends BenchServer {
  /** Puts bytes where GET /file/NAME and GET /stream/NAME find them. */
  offer(name: string, bytes: Buffer | readonly Buffer[]): void;
}

export interface ApiServer extends BenchServer {
  readonly client: Client;
  /** Started at the first call. */
  bareServer(): Promise<BareServer>;
  dispose(): Promise<void>;
}

/** Starts an apiserver that holds that many pods. */
export async function startApiServerWithPods(count: number): Promise<ApiServer> {
  const callbacks: (() => unknown)[] = [];
  const dispose = async () => {
    for (const callback of callbacks.reverse()) await callback();
  };
  const directory = mkdtempSync(join(tmpdir(), "picokube-bench-"));
  callbacks.push(() => rmSync(directory, { recursive: true, force: true }));
  // "--cpu-prof --cpu-prof-dir=/tmp/profiles" shows where the time goes.
  const furtherFlags = process.env.PICOKUBE_BENCH_NODE_FLAGS?.split(" ") ?? [];
  const server = await startApiServer(
    { teardown: (callback) => callbacks.push(callback) },
    { nodeFlags: ["--max-semi-space-size=2", ...furtherFlags], startTimeoutMs: 120_000 },
  );
  callbacks.push(() => server.stop());
  const template = await podTemplate(server.client);
  await server.stop();
  const logger = createLogger({ name: "bench", verbosity: 0 });
  const store = await openLevelDbStore({ directory: server.dataDirectory, logger, clock: realClock() });
  await loadPods(store, template, count);
  await store.close();
  await server.restart();

  const file = (name: string) => join(server.pkiDirectory, name);
  const ca = readFileSync(file("ca.crt"));
  let bare: Promise<BareServer> | undefined;
  async function startBareServer(): Promise<BareServer> {
    const bareDirectory = join(directory, "bare");
    mkdirSync(bareDirectory);
    const path = fileURLToPath(new URL("bare-server.js", import.meta.url));
    const child = spawn(process.execPath, [path, file("apiserver.crt"), file("apiserver.key"), bareDirectory], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    callbacks.push(async () => {
      child.kill();
      await once(child, "exit");
    });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const bareTarget = { port: Number(line.toString()), ca };
    return {
      target: bareTarget,
      pid: child.pid!,
      async stats() {
        const connection = await openConnection(bareTarget);
        const stats = JSON.parse(Buffer.concat(await connection.fetch({ method: "GET", path: "/stats" })).toString());
        connection.close();
        return stats;
      },
      offer: (name, bytes) => writeFileSync(join(bareDirectory, name), Buffer.concat([bytes].flat() as Buffer[])),
    };
  }

  const target = {
    port: Number(new URL(server.url).port),
    ca,
    cert: readFileSync(file("admin.crt")),
    key: readFileSync(file("admin.key")),
  };
  return {
    client: server.client,
    target,
    pid: server.pid,
    async stats() {
      const { body } = await server.client.raw({ method: "GET", path: "/metrics" });
      const text = await textOf(body);
      const value = (name: string) => Number(new RegExp(`^${name} (.+)$`, "m").exec(text)?.[1] ?? Number.NaN);
      return {
        lagMs: value("nodejs_eventloop_lag_max_seconds") * 1000,
        commitSeconds: value("picokube_store_commit_duration_seconds_sum"),
      };
    },
    bareServer() {
      bare ??= startBareServer();
      return bare;
    },
    dispose,
  };
}
