// Whether the runtime answers at all: an engine that hangs fails nothing, it only never answers. Mirrors upstream's
// updateRuntimeUp. What it runs is the PLEG's.

import type { Clock } from "@picokube/component-base/clock";
import type { Runtime } from "../cri/runtime.js";

export interface RuntimeSync {
  run(signal: AbortSignal): Promise<void>;
  /** Upstream's sentence; empty while the runtime answers. */
  problems(): string[];
}

const periodMs = 5_000;
/** Upstream's maxWaitForContainerRuntime. */
const thresholdMs = 30_000;

/** Takes the runtime for one that answers now. */
export function createRuntimeSync({ runtime, clock }: { runtime: Runtime; clock: Clock }): RuntimeSync {
  let answeredAtMs = clock.now();
  let asking = false;

  async function ask(): Promise<void> {
    asking = true;
    try {
      await runtime.version();
      answeredAtMs = clock.now();
    } catch {
      // It is down, which the PLEG says as well.
    } finally {
      asking = false;
    }
  }

  return {
    async run(signal) {
      while (!signal.aborted) {
        // One question at a time, however long it takes.
        if (!asking) void ask();
        await clock.sleep(periodMs, signal).catch(() => undefined);
      }
    },
    problems: () => (clock.now() - answeredAtMs > thresholdMs ? ["container runtime is down"] : []),
  };
}
