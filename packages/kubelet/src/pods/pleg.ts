// The pod lifecycle event generator: tells which pods changed in the runtime. The engine's event stream drives it, a
// slow relist backs it up; a lost engine is waited for. Knows nothing of what pods should be.

import { exponential } from "@picokube/component-base/backoff";
import type { Clock } from "@picokube/component-base/clock";
import { formatDuration } from "@picokube/component-base/duration";
import type { Logger } from "@picokube/component-base/logger";
import type { Runtime } from "../cri/runtime.js";

export interface Pleg {
  run(signal: AbortSignal): Promise<void>;
  /** Upstream's sentences; empty when healthy. */
  problems(): string[];
  /** Uids of all pods of which the runtime had anything at the last relist. */
  podUids(): string[];
}

export interface PlegOptions {
  readonly runtime: Runtime;
  /** Called with the uid of a pod that changed. */
  readonly onChange: (podUid: string) => void;
  /** Told how long each relist took. */
  readonly onRelist?: (durationMs: number) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

const relistPeriodMs = 10_000;
const relistThresholdMs = 180_000;
const reconnectMaxMs = 5_000;

/** Makes the one PLEG of a kubelet. */
export function createPleg({ runtime, onChange, onRelist, clock, logger }: PlegOptions): Pleg {
  let prints = new Map<string, string>();
  let relistedAtMs: number | undefined;
  let failure: string | undefined;

  async function relist(): Promise<void> {
    const beganMs = clock.now();
    const [sandboxes, containers] = await Promise.all([runtime.listSandboxes(), runtime.listContainers()]);
    const next = new Map<string, string>();
    const add = (podUid: string, print: string) => next.set(podUid, `${next.get(podUid) ?? ""}${print};`);
    for (const { podUid, id, ready } of sandboxes) add(podUid, `${id}:${ready}`);
    for (const { podUid, id, state } of containers) add(podUid, `${id}:${state}`);
    const changed = [...new Set([...prints.keys(), ...next.keys()])].filter((uid) => prints.get(uid) !== next.get(uid));
    prints = next;
    relistedAtMs = clock.now();
    onRelist?.(relistedAtMs - beganMs);
    if (failure !== undefined) logger.info("Container runtime is back");
    failure = undefined;
    for (const uid of changed) onChange(uid);
  }

  async function relistOrTell(): Promise<boolean> {
    try {
      await relist();
      return true;
    } catch (err) {
      if (failure === undefined) logger.error("Relisting the container runtime failed", { err });
      failure = (err as Error).message;
      return false;
    }
  }

  async function relistPeriodically(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(relistPeriodMs, signal).catch(() => undefined);
      if (!signal.aborted) await relistOrTell();
    }
  }

  async function followEvents(signal: AbortSignal): Promise<void> {
    const retry = exponential({ initialMs: 100, maxMs: reconnectMaxMs });
    while (!signal.aborted) {
      try {
        const events = runtime.events(signal)[Symbol.asyncIterator]();
        const first = events.next();
        // Awaited below; until then its failure, an engine that is down, is nobody's unhandled rejection.
        first.catch(() => undefined);
        // What happened before the stream was up is seen by a list alone.
        if (await relistOrTell()) retry.reset();
        for (let next = await first; !next.done; next = await events.next()) {
          if (next.value.type !== "created") onChange(next.value.podUid);
        }
      } catch (err) {
        if (signal.aborted) return;
        logger.info("Container runtime's event stream ended, connecting again", { err });
        await clock.sleep(retry.next(), signal).catch(() => undefined);
      }
    }
  }

  return {
    run: async (signal) => {
      await Promise.all([followEvents(signal), relistPeriodically(signal)]);
    },
    problems: () => {
      if (failure !== undefined) return ["container runtime is down"];
      if (relistedAtMs === undefined) return ["PLEG is not healthy: pleg has yet to be successful"];
      const agoMs = clock.now() - relistedAtMs;
      if (agoMs <= relistThresholdMs) return [];
      const [ago, threshold] = [formatDuration(agoMs), formatDuration(relistThresholdMs)];
      return [`PLEG is not healthy: pleg was last seen active ${ago} ago; threshold is ${threshold}`];
    },
    podUids: () => [...prints.keys()],
  };
}
