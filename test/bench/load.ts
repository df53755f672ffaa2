// Closed-loop load: so many clients, each with a connection of its own, each with one request under way. What counts is
// the best of several rounds in turn with the baseline, because other work of the machine only ever takes away.

import { readFileSync } from "node:fs";
import type { BenchServer } from "./api-server.js";
import { type Connection, openConnection, type Request } from "./connection.js";

/** Of the kernel's accounts (sysconf: _SC_CLK_TCK). */
const TICKS_PER_SECOND = 100;

export interface Load {
  readonly ratePerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the server alone. */
  readonly cpuSecondsPer10000: number;
  /** The part of the time in which a synced write was under way. */
  readonly commitShare: number;
}

export interface Subject {
  readonly server: BenchServer;
  /** The next request of that client. */
  request(client: number): Request;
}

export interface LoadOptions {
  readonly clients: number;
  readonly rounds: number;
  readonly roundMs: number;
}

/** CPU seconds that a process has used so far. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Puts each subject under load, in turns; the best round of each. */
export async function underLoad<Name extends string>(
  subjects: { readonly [name in Name]: Subject },
  { clients, rounds, roundMs }: LoadOptions,
): Promise<{ [name in Name]: Load }> {
  const best = {} as { [name in Name]: Load };
  const entries = Object.entries(subjects) as [Name, Subject][];
  const connections = new Map<BenchServer, Connection[]>();
  for (const server of new Set(entries.map(([, subject]) => subject.server))) {
    connections.set(server, await Promise.all(Array.from({ length: clients }, () => openConnection(server.target))));
  }
  // The first round only warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const [name, subject] of entries) {
      const load = await oneRound(subject, connections.get(subject.server)!, round === 0 ? roundMs / 2 : roundMs);
      if (round === 1 || (round > 1 && load.ratePerSecond > best[name].ratePerSecond)) best[name] = load;
    }
  }
  for (const connection of [...connections.values()].flat()) connection.close();
  return best;
}

async function oneRound(subject: Subject, connections: readonly Connection[], roundMs: number): Promise<Load> {
  const { pid } = subject.server;
  const latenciesMs: number[] = [];
  const commitBefore = (await subject.server.stats()).commitSeconds;
  const cpuBefore = cpuSecondsOf(pid);
  const startedMs = performance.now();
  const untilMs = startedMs + roundMs;
  await Promise.all(
    connections.map(async (connection, client) => {
      for (let sentMs = performance.now(); sentMs < untilMs; sentMs = performance.now()) {
        await connection.fetch(subject.request(client));
        latenciesMs.push(performance.now() - sentMs);
      }
    }),
  );
  const seconds = (performance.now() - startedMs) / 1000;
  const cpuAfter = cpuSecondsOf(pid);
  latenciesMs.sort((a, b) => a - b);
  const at = (share: number) => latenciesMs[Math.floor((latenciesMs.length - 1) * share)]!;
  return {
    ratePerSecond: latenciesMs.length / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    cpuSecondsPer10000: ((cpuAfter - cpuBefore) / latenciesMs.length) * 10_000,
    commitShare: ((await subject.server.stats()).commitSeconds - commitBefore) / seconds,
  };
}
