// What the machine must have before anything is started. Each fault is a ConfigError that names the mend.

import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { ConfigError } from "@picokube/component-base/config-error";
import type { Cluster } from "./cluster.js";

const run = promisify(execFile);

export function requireRoot(): void {
  if (process.getuid?.() !== 0)
    throw new ConfigError("root rights are needed (containers, iptables, mounts): run it again with sudo");
}

function isOnPath(command: string): boolean {
  return `${process.env["PATH"] ?? ""}${delimiter}/usr/sbin${delimiter}/sbin`.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Throws naming every missing command at once. */
export function requireTools(cluster: Cluster): void {
  const wanted = cluster.controlPlaneOnly
    ? []
    : ["docker", "iptables", "iptables-restore", "conntrack", "ip", "nsenter", "mount"];
  const missing = wanted.filter((command) => !isOnPath(command));
  if (missing.length > 0)
    throw new ConfigError(
      `missing on this machine: ${missing.join(", ")}; npm run up installs them on Debian and Ubuntu`,
    );
}

/** Throws when this machine cannot start engines for local VMs: they are its own dockerd's, whatever DOCKER_HOST says. */
export function requireLocalEngines(): void {
  if (!isOnPath("dockerd"))
    throw new ConfigError("local VMs run engines of their own: install dockerd on this machine (Debian: docker.io)");
}

/** Throws when no Docker Engine answers. */
export async function dockerAnswers(): Promise<void> {
  try {
    await run("docker", ["version", "--format", "{{.Server.Version}}"]);
  } catch (error) {
    const words = (error as { stderr?: string }).stderr?.trim().split("\n").at(-1) ?? "";
    throw new ConfigError(
      `no Docker Engine answers (${words}); start it with systemctl start docker, or use npm run up, which does`,
      { cause: error },
    );
  }
}
