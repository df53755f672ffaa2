// Exec, attach, logs and port-forward on Docker: everything of the driver that carries bytes to and fro.

import type { Duplex, Readable } from "node:stream";
import type Docker from "dockerode";
import type { ExecResult, ExecSession, LogOptions } from "../runtime.js";
import { demux } from "./demux.js";
import { translateError } from "./errors.js";
import { logStream } from "./log-stream.js";

const outputLimitBytes = 1024 * 1024;
const exitPollMs = 10;
const exitPolls = 200;

/** Docker's own word on how an exec ended; the stream may close an instant before it. */
async function execExitCode(exec: Docker.Exec): Promise<number | undefined> {
  for (let poll = 0; poll < exitPolls; poll++) {
    const info = await exec.inspect();
    if (!info.Running && info.ExitCode !== null) return info.ExitCode;
    await new Promise((resolve) => setTimeout(resolve, exitPollMs));
  }
  return undefined;
}

function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    stream.once("end", resolve);
    stream.once("close", resolve);
    stream.once("error", () => resolve());
  });
}

async function createExec(
  container: Docker.Container,
  options: { command: readonly string[]; tty: boolean; stdin: boolean },
): Promise<Docker.Exec> {
  return container.exec({
    Cmd: [...options.command],
    AttachStdin: options.stdin,
    AttachStdout: true,
    AttachStderr: !options.tty,
    Tty: options.tty,
  });
}

/** Runs a command in the container with its streams attached. */
export async function openExec(
  container: Docker.Container,
  options: { command: readonly string[]; tty: boolean; stdin: boolean },
): Promise<ExecSession> {
  const exec = await createExec(container, options).catch(translateError);
  const stream = (await exec
    .start({ hijack: true, stdin: options.stdin, Tty: options.tty })
    .catch(translateError)) as Duplex;
  const ended = closed(stream);
  const { stdout, stderr } = options.tty ? { stdout: stream as Readable, stderr: undefined } : demux(stream);
  return {
    stdin: options.stdin ? stream : undefined,
    stdout,
    stderr,
    resize: async ({ width, height }) => {
      await exec.resize({ w: width, h: height });
    },
    exited: ended.then(() => execExitCode(exec)).catch(() => undefined),
    close: () => stream.destroy(),
  };
}

/** Attaches to the container's own process. */
export async function openAttach(container: Docker.Container, options: { stdin: boolean }): Promise<ExecSession> {
  const info = await container.inspect().catch(translateError);
  const stream = (await container
    .attach({ stream: true, hijack: true, stdin: options.stdin, stdout: true, stderr: true })
    .catch(translateError)) as unknown as Duplex;
  const ended = closed(stream);
  const { stdout, stderr } = info.Config.Tty ? { stdout: stream as Readable, stderr: undefined } : demux(stream);
  const exitCode = async () => {
    await ended;
    const { State } = await container.inspect();
    return State.Running ? undefined : State.ExitCode;
  };
  return {
    stdin: options.stdin ? stream : undefined,
    stdout,
    stderr,
    resize: async ({ width, height }) => {
      await container.resize({ w: width, h: height });
    },
    exited: exitCode().catch(() => undefined),
    close: () => stream.destroy(),
  };
}

/** Collects a stream's beginning; to be asked for once it has ended. */
function firstOf(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    if (size < outputLimitBytes) chunks.push(chunk.subarray(0, outputLimitBytes - size));
    size += chunk.length;
  });
  return () => Buffer.concat(chunks).toString();
}

/** Runs a command to its end; on a timeout the process is killed, which Docker itself cannot do. */
export async function runExec(
  container: Docker.Container,
  command: readonly string[],
  timeoutMs: number,
): Promise<ExecResult> {
  const exec = await createExec(container, { command, tty: false, stdin: false }).catch(translateError);
  const stream = (await exec.start({ hijack: true, stdin: false }).catch(translateError)) as Duplex;
  const ended = closed(stream);
  const streams = demux(stream);
  const [stdout, stderr] = [firstOf(streams.stdout), firstOf(streams.stderr)];
  const said = () => ({ output: `${stdout()}${stderr()}`, stderr: stderr() });
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<"timeout">((resolve) => {
    timer = setTimeout(() => resolve("timeout"), timeoutMs);
  });
  const verdict = await Promise.race([ended, expiry]);
  clearTimeout(timer);
  if (verdict === "timeout") {
    const { Pid } = await exec.inspect();
    stream.destroy();
    if (Pid > 0) {
      try {
        process.kill(Pid, "SIGKILL");
      } catch {
        // It has ended by itself meanwhile.
      }
    }
    return { exitCode: -1, ...said(), timedOut: true };
  }
  const exitCode = await execExitCode(exec);
  return { exitCode: exitCode ?? -1, ...said(), timedOut: false };
}

/** dockerode's own logs() holds the whole log in memory unless it follows; this always streams. */
function dialLogs(container: Docker.Container, options: LogOptions): Promise<Readable> {
  const query = {
    stdout: true,
    stderr: true,
    timestamps: options.timestamps,
    follow: options.follow,
    ...(options.tailLines === undefined ? {} : { tail: options.tailLines }),
    ...(options.sinceMs === undefined ? {} : { since: (options.sinceMs / 1000).toFixed(3) }),
  };
  const request = {
    path: `/containers/${container.id}/logs?`,
    method: "GET",
    isStream: true,
    statusCodes: { 200: true, 404: "no such container", 500: "server error" },
    options: query,
  };
  return new Promise((resolve, reject) => {
    container.modem.dial(request, (error: unknown, stream: unknown) =>
      error ? reject(error) : resolve(stream as Readable),
    );
  });
}

/** The container's log: both streams of it, in the order they came. */
export async function openLogs(
  container: Docker.Container,
  options: LogOptions,
  signal: AbortSignal,
): Promise<Readable> {
  const info = await container.inspect().catch(translateError);
  const stream = await dialLogs(container, info.Config.Tty ? options : { ...options, timestamps: true }).catch(
    translateError,
  );
  signal.addEventListener("abort", () => stream.destroy(), { once: true });
  return info.Config.Tty ? stream : logStream(stream, options);
}
