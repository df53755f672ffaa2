// Keeps the components running: starts each, starts it again with back-off when it ends, says in its log why it ended.
// Components outlive a supervisor that is killed; the next one takes them over. Knows nothing of Kubernetes.

import { spawn } from "node:child_process";
import { appendFileSync, closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { copyFile, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { exponential } from "@picokube/component-base/backoff";
import type { Clock } from "@picokube/component-base/clock";
import type { ComponentSpec } from "../cluster/components.js";
import { identify, isAlive, type ProcessIdentity, signalProcess, waitForExit } from "./process-identity.js";
import { type ProcessRow, readProcessTable, writeProcessTable } from "./process-table.js";

const logLimitBytes = 64 * 1024 * 1024;
const stopTimeoutMs = 15_000;
const adoptedPollMs = 250;
const neededPollMs = 100;
/** A component that ran this long starts its back-off anew. */
const steadyMs = 60_000;

export interface SupervisorOptions {
  readonly specs: readonly ComponentSpec[];
  readonly tablePath: string;
  readonly clock: Clock;
}

/** Runs until the signal aborts, then stops every component, the last started first. */
export async function supervise({ specs, tablePath, clock }: SupervisorOptions, signal: AbortSignal): Promise<void> {
  const previous = readProcessTable(tablePath).components;
  const rows = new Map<string, ProcessRow>();
  const self = identify(process.pid);
  const save = () => writeProcessTable(tablePath, { supervisor: self, components: Object.fromEntries(rows) });

  const keepers = specs.map((component) =>
    keep(component, {
      clock,
      signal,
      adopted: previous[component.name],
      record(row) {
        rows.set(component.name, row);
        save();
      },
    }),
  );
  const rotation = setInterval(() => void rotateLogs(specs), 30_000);
  await Promise.all(keepers);
  clearInterval(rotation);
  for (const { name } of [...specs].reverse()) {
    const row = rows.get(name);
    await stopProcess(row?.process);
    rows.set(name, { ...(row ?? { startedAt: 0, restarts: 0, lastExit: undefined }), process: undefined });
    save();
  }
  writeProcessTable(tablePath, { supervisor: undefined, components: Object.fromEntries(rows) });
}

/** SIGTERM, and SIGKILL when it does not end within 15 s. */
export async function stopProcess(identity: ProcessIdentity | undefined): Promise<void> {
  if (!signalProcess(identity, "SIGTERM")) return;
  if (await waitForExit(identity, stopTimeoutMs)) return;
  signalProcess(identity, "SIGKILL");
  await waitForExit(identity, stopTimeoutMs);
}

interface KeepOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly adopted: ProcessRow | undefined;
  record(row: ProcessRow): void;
}

async function keep(component: ComponentSpec, { clock, signal, adopted, record }: KeepOptions): Promise<void> {
  const backoff = exponential({ initialMs: 500, maxMs: 30_000, factor: 2, jitter: 0.1 });
  mkdirSync(dirname(component.logFile), { recursive: true });
  let row: ProcessRow = adopted ?? { process: undefined, startedAt: 0, restarts: 0, lastExit: undefined };
  let running = isAlive(row.process) ? ended(row.process, signal) : undefined;
  if (running) record(row);
  if (!running) await present(component.needs, clock, signal);
  for (let first = running === undefined; !signal.aborted; first = false) {
    if (!running) {
      const started = start(component);
      row = { ...row, process: started.identity, startedAt: clock.now(), restarts: row.restarts + (first ? 0 : 1) };
      if (first) row = { ...row, restarts: 0, lastExit: undefined };
      record(row);
      running = started.ended;
    }
    const why = await Promise.race([running, aborted(signal)]);
    if (why === undefined) return;
    running = undefined;
    if (clock.now() - row.startedAt > steadyMs) backoff.reset();
    const delayMs = backoff.next();
    row = { ...row, process: undefined, lastExit: why };
    record(row);
    note(component, `${component.name} ended with ${why}; starting it again in ${(delayMs / 1000).toFixed(1)} s`);
    await clock.sleep(delayMs, signal).catch(() => {});
  }
}

async function present(path: string | undefined, clock: Clock, signal: AbortSignal): Promise<void> {
  while (path !== undefined && !existsSync(path) && !signal.aborted)
    await clock.sleep(neededPollMs, signal).catch(() => {});
}

function start(component: ComponentSpec): { identity: ProcessIdentity | undefined; ended: Promise<string> } {
  const [command, ...args] = component.argv;
  const log = openSync(component.logFile, "a", 0o640);
  note(component, `starting ${component.argv.join(" ")}`);
  const child = spawn(command!, args, { stdio: ["ignore", log, log], detached: true, env: process.env });
  closeSync(log);
  const ended = new Promise<string>((done) => {
    child.once("error", (error) => done(`an error at its start: ${error.message}`));
    child.once("exit", (code, killedBy) => done(killedBy ? `signal ${killedBy}` : `exit code ${code}`));
  });
  return { identity: child.pid === undefined ? undefined : identify(child.pid), ended };
}

// A process that an earlier supervisor started is nobody's child here: it can only be looked at.
async function ended(identity: ProcessIdentity, signal: AbortSignal): Promise<string> {
  while (isAlive(identity) && !signal.aborted) await new Promise((done) => setTimeout(done, adoptedPollMs));
  return "an unknown exit code (an earlier supervisor had started it)";
}

function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((done) => signal.addEventListener("abort", () => done(undefined), { once: true }));
}

function note(component: ComponentSpec, text: string): void {
  appendFileSync(component.logFile, `${new Date().toISOString()} picokube: ${text}\n`);
}

// Components append to an open file, so the file is copied and cut, never moved.
async function rotateLogs(specs: readonly ComponentSpec[]): Promise<void> {
  for (const { logFile } of specs) {
    if (!existsSync(logFile) || statSync(logFile).size < logLimitBytes) continue;
    await copyFile(logFile, `${logFile}.1`);
    await truncate(logFile, 0);
  }
}
