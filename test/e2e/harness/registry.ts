// A registry of a test's own (Debian's docker-registry) on this machine, with images of the machine's engine in it, and what it
// was asked for.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { ask } from "./ask.js";

const docker = (...args: string[]) => promisify(execFile)("docker", args);

export interface Registry {
  readonly port: number;
  /** Puts an image of the machine's engine into it under another name; the engine forgets that name again. */
  publish(image: string, name: string): Promise<void>;
  /** The requests' paths so far. */
  asked(): string;
}

/** Listens on every address of the machine; gone with its images when the test ends. */
export async function startRegistry(t: { teardown(fn: () => unknown): void }): Promise<Registry> {
  const directory = mkdtempSync(join(tmpdir(), "picokube-registry-"));
  const port = await freePort();
  const config = {
    version: "0.1",
    log: { level: "info", accesslog: { disabled: false } },
    storage: { filesystem: { rootdirectory: join(directory, "images") } },
    http: { addr: `0.0.0.0:${port}` },
  };
  const file = join(directory, "config.json");
  writeFileSync(file, JSON.stringify(config));
  const child = spawn("docker-registry", ["serve", file], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  t.teardown(async () => {
    const exited = once(child, "exit");
    if (child.exitCode === null && child.kill("SIGKILL")) await exited;
    rmSync(directory, { recursive: true, force: true });
  });
  await eventually("the registry answers", async () => (await ask(`http://127.0.0.1:${port}/v2/`)).code === 200);
  return {
    port,
    async publish(image, name) {
      // Engines take a registry on loopback without TLS.
      const there = `127.0.0.1:${port}/${name}`;
      await docker("tag", image, there);
      await docker("push", "-q", there);
      await docker("rmi", there);
    },
    asked: () => output,
  };
}
