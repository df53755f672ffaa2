// A Docker daemon of a test's own, in a network namespace of its own, that the test may kill. Imported by tests alone.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@picokube/testing/eventually";
import Docker from "dockerode";
import type { Test } from "tap";
import { run } from "./kubelet.testing.js";

export interface DockerDaemonOptions {
  /** Of the machine's own daemon. */
  readonly images: readonly string[];
  /** Gives its images a disk of this size; without it they lie on the machine's. */
  readonly diskMiB?: number;
}

/** A daemon with these images. Gone when the test ends, with all it ran. */
export async function startDockerDaemon(t: Test, { images, diskMiB }: DockerDaemonOptions) {
  const directory = mkdtempSync(join(tmpdir(), "picokube-docker-"));
  const namespace = `picodocker-${process.pid}`;
  const socket = join(directory, "docker.sock");
  const pidFile = join(directory, "docker.pid");
  const docker = new Docker({ socketPath: socket });
  let output = "";
  let child: ChildProcess | undefined;

  async function start({ liveRestore = false } = {}): Promise<void> {
    // A killed daemon's pid may be somebody else's by now, and the daemon would not start.
    rmSync(pidFile, { force: true });
    child = spawn(
      "nsenter",
      [
        `--net=/run/netns/${namespace}`,
        "dockerd",
        `--data-root=${join(directory, "data")}`,
        `--exec-root=${join(directory, "exec")}`,
        `--host=unix://${socket}`,
        `--pidfile=${pidFile}`,
        "--bridge=none",
        "--iptables=false",
        `--live-restore=${liveRestore}`,
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    await eventually("the daemon answers", () => docker.ping().then(Boolean, () => undefined), 60_000);
  }

  async function stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => child!.once("exit", () => resolve()));
    const containerdPidFile = join(directory, "exec", "containerd", "containerd.pid");
    const containerd = Number(readFileSync(containerdPidFile, "utf8"));
    // nsenter has become the daemon: the pid is its own.
    process.kill(Number(readFileSync(pidFile, "utf8")), signal);
    await exited;
    // It dies with its daemon, a moment later: a new daemon would take the dying one for its own.
    await eventually("containerd has ended", async () => !existsSync(`/proc/${containerd}`));
    rmSync(containerdPidFile, { force: true });
  }

  t.teardown(async () => {
    const left = await docker.listContainers({ all: true }).catch(() => []);
    // Engine 20.10 may say for ever that a removal is in progress; what it holds goes with it.
    await Promise.all(left.map(({ Id }) => docker.getContainer(Id).remove({ force: true }))).catch(() => {});
    await stop("SIGTERM");
    await run("ip", ["netns", "del", namespace]);
    await unmountBelow(directory);
    rmSync(directory, { recursive: true, force: true });
    if (!t.passing()) t.comment(output);
  });
  await run("ip", ["netns", "add", namespace]);
  await run("ip", ["-n", namespace, "link", "set", "lo", "up"]);
  if (diskMiB !== undefined) {
    mkdirSync(join(directory, "data"));
    await run("mount", ["-t", "tmpfs", "-o", `size=${diskMiB}m`, "tmpfs", join(directory, "data")]);
  }
  await start();
  const archive = join(directory, "images.tar");
  await run("docker", ["save", "-o", archive, ...images]);
  await run("docker", ["-H", `unix://${socket}`, "load", "-i", archive]);
  rmSync(archive);
  if (!existsSync(pidFile)) throw new Error("the daemon wrote no pid file");
  return {
    socket,
    docker,
    start,
    stop,
    /** SIGSTOP makes it hang, SIGCONT lets it go on. */
    signal: (signal: "SIGSTOP" | "SIGCONT") => process.kill(Number(readFileSync(pidFile, "utf8")), signal),
    dataRoot: join(directory, "data"),
    /** Command and arguments that put a program into the daemon's network. */
    inItsNetwork: ["nsenter", `--net=/run/netns/${namespace}`],
  };
}

/** The newest first, and again while there are any: a daemon that was killed leaves mounts upon mounts, and some go with others. */
async function unmountBelow(directory: string): Promise<void> {
  await eventually(`nothing is mounted below ${directory}`, async () => {
    const points = readFileSync("/proc/mounts", "utf8")
      .split("\n")
      .flatMap((line) => line.split(" ")[1] ?? [])
      .filter((point) => point.startsWith(`${directory}/`))
      .reverse();
    for (const point of points) await run("umount", ["-l", point]).catch(() => {});
    return points.length === 0;
  });
}
