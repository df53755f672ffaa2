// Image registries of a test's own (Debian's docker-registry) beside its Docker daemon, and images to put into them.
// Imported by tests alone.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import type { startDockerDaemon } from "../docker-daemon.testing.js";
import { run } from "../kubelet.testing.js";

type Daemon = Awaited<ReturnType<typeof startDockerDaemon>>;

/** Whom a registry with a password lets in; the file holds bcrypt's word for it. */
export const account = { username: "ali", password: "open sesame" };
const passwordFile = "ali:$2y$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n";

export interface RegistryOptions {
  /** On the loopback of the daemon's network. */
  readonly port: number;
  readonly withPassword?: boolean;
}

/** A running registry, gone with its images when the test ends. Resolves to its name: "127.0.0.1:5000". */
export async function startRegistry(t: Test, daemon: Daemon, { port, withPassword }: RegistryOptions): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "picokube-registry-"));
  const address = `127.0.0.1:${port}`;
  const passwords = join(directory, "htpasswd");
  writeFileSync(passwords, passwordFile);
  const config = {
    version: "0.1",
    log: { level: "warn" },
    storage: { filesystem: { rootdirectory: join(directory, "images") } },
    http: { addr: address },
    ...(withPassword ? { auth: { htpasswd: { realm: "test", path: passwords } } } : {}),
  };
  const configFile = join(directory, "config.json");
  writeFileSync(configFile, JSON.stringify(config));
  const [command, ...network] = daemon.inItsNetwork;
  const child = spawn(command!, [...network, "docker-registry", "serve", configFile], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  t.teardown(async () => {
    const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await exited;
    }
    rmSync(directory, { recursive: true, force: true });
    if (!t.passing()) t.comment(output);
  });
  const probe = [...network, "curl", "-s", "-o", "/dev/null", `http://${address}/v2/`];
  await eventually("the registry answers", () => run(command!, probe).then(Boolean, () => undefined), 60_000);
  return address;
}

/** busybox with so many MiB that nothing compresses, under this name in its registry and nowhere else. Resolves to the digest. */
export async function publish(daemon: Daemon, image: string, { extraMiB = 0 } = {}): Promise<string> {
  const { docker } = daemon;
  const [repo, tag] = [image.slice(0, image.lastIndexOf(":")), image.slice(image.lastIndexOf(":") + 1)];
  const folder = mkdtempSync(join(tmpdir(), "picokube-image-"));
  try {
    // The image's own name makes it another image than the next, however small.
    writeFileSync(join(folder, "name"), image);
    if (extraMiB > 0) writeFileSync(join(folder, "data"), randomBytes(extraMiB * 1024 * 1024));
    const container = await docker.createContainer({ Image: "busybox", Cmd: ["sh"] });
    await run("docker", ["-H", `unix://${daemon.socket}`, "cp", `${folder}/.`, `${container.id}:/extra`]);
    await container.commit({ repo, tag });
    await container.remove({ force: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const pushed = await docker.getImage(image).push({ authconfig: { ...account, serveraddress: repo.split("/")[0]! } });
  const said = await new Promise<unknown[]>((resolve, reject) =>
    docker.modem.followProgress(pushed, (error, output) => (error ? reject(error) : resolve(output))),
  );
  const digest = said.map((line) => (line as { aux?: { Digest?: string } }).aux?.Digest).find(Boolean);
  if (!digest) throw new Error(`${image} was not pushed: ${JSON.stringify(said.at(-1))}`);
  await docker.getImage(image).remove({ force: true });
  return digest;
}
