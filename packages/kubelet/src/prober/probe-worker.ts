// One probe of one container over time: waits for the container, for its start-up, for the initial delay, then asks
// once a period. Upstream's prober/worker.go. Decides nothing about restarts.

import type { Container, Pod, Probe } from "@picokube/api/core/v1";
import type { Clock, Timer } from "@picokube/component-base/clock";
import type { ContainerStatus } from "../cri/runtime.js";
import type { PodLookup, ProbeResult } from "../parts.js";
import { ProbeError, type ProbeOutcome } from "./probe-outcome.js";
import type { ProbeTarget } from "./run-probe.js";
import { Threshold } from "./threshold.js";

const maxTries = 3;
const waitForContainerMs = 200;

export type ProbeType = ProbeResult["probe"];

export interface ProbeWorkerOptions {
  pod: Pod;
  container: Container;
  type: ProbeType;
  probe: Probe;
  lookup: Pick<PodLookup, "state" | "podByUid">;
  clock: Clock;
  run: (probe: Probe, target: ProbeTarget) => Promise<ProbeOutcome>;
  /** Whether the container's startup probe, if it has one, has succeeded. */
  isStarted: (containerId: string) => boolean;
  /** A verdict for a container, at first and whenever it changes. */
  onVerdict: (containerId: string, success: boolean, message: string) => void;
  /** A container is new: upstream's initial value is set. */
  onContainer: (containerId: string, previousId: string | undefined) => void;
  onFailure: (words: string) => void;
  onWarning: (words: string) => void;
  /** Once a probe, whatever its tries. */
  onOutcome?: (outcome: "successful" | "failed" | "unknown", durationMs: number) => void;
  /** Spread of the first probe after the kubelet's own start, 0 to 1. */
  jitter: number;
}

export class ProbeWorker {
  readonly #options: ProbeWorkerOptions;
  readonly #threshold: Threshold;
  #timer: Timer | undefined;
  #stopped = false;
  #busy = false;
  #containerId: string | undefined;
  #verdict: boolean | undefined;
  /** Has failed for good: waits for the next container. */
  #onHold = false;

  constructor(options: ProbeWorkerOptions) {
    this.#options = options;
    this.#threshold = new Threshold(options.probe);
    this.#again(options.jitter * this.#periodMs);
  }

  get #periodMs(): number {
    return (this.#options.probe.periodSeconds ?? 10) * 1000;
  }

  /** Looks now instead of when the timer says. */
  trigger(): void {
    if (!this.#busy) this.#again(0);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #again(delayMs: number): void {
    this.#timer?.cancel();
    if (this.#stopped) return;
    this.#timer = this.#options.clock.after(delayMs, () => {
      this.#busy = true;
      void this.#look()
        // What is not a probe's own error must not end the worker.
        .catch(() => this.#periodMs)
        .then((nextMs) => {
          this.#busy = false;
          this.#again(nextMs);
        });
    });
  }

  /** Does what is due and returns when to look again. */
  async #look(): Promise<number> {
    const { pod, container, type, probe, lookup, clock, isStarted } = this.#options;
    const state = lookup.state(pod.metadata.uid);
    const current = state?.containers.find(({ name }) => name === container.name);
    if (!state || !current) return waitForContainerMs;
    if (current.id !== this.#containerId) this.#begin(current);
    if (this.#onHold) return waitForContainerMs * 5;
    if (current.state !== "running") {
      // A container that has ended is not ready; whether it starts again is no matter of its probes.
      if (current.state === "exited" && type === "readiness") this.#set(current.id, false, "");
      return waitForContainerMs;
    }
    const dueMs = current.startedAt + (probe.initialDelaySeconds ?? 0) * 1000;
    if (clock.now() < dueMs) return dueMs - clock.now();
    if (type === "startup" ? this.#verdict === true : !isStarted(current.id)) {
      return type === "startup" ? this.#periodMs : Math.min(this.#periodMs, 1000);
    }
    const begunMs = clock.now();
    const podIp = state.podIps[0] ?? "";
    const outcome = await this.#ask({ container, containerId: current.id, podIp });
    // The container may have been replaced while the probe ran.
    if (this.#stopped || current.id !== this.#containerId) return 0;
    const restMs = Math.max(0, this.#periodMs - (clock.now() - begunMs));
    if (outcome === undefined) return restMs;
    const verdict = this.#threshold.add(outcome.success);
    if (verdict !== undefined) {
      this.#set(current.id, verdict, outcome.message);
      if (!verdict && type !== "readiness") {
        this.#onHold = true;
        this.#threshold.reset();
      }
    }
    return restMs;
  }

  #begin(current: ContainerStatus): void {
    this.#options.onContainer(current.id, this.#containerId);
    this.#containerId = current.id;
    this.#verdict = this.#options.type === "startup" ? undefined : this.#options.type === "liveness";
    this.#onHold = false;
    this.#threshold.reset();
  }

  /** Undefined when the probe could not be run: as upstream, that says nothing about the container. */
  async #ask(target: ProbeTarget): Promise<ProbeOutcome | undefined> {
    const { type, probe, run, clock, onFailure, onWarning, onOutcome } = this.#options;
    const begunMs = clock.now();
    const name = `${type[0]!.toUpperCase()}${type.slice(1)}`;
    for (let tries = 1; ; tries++) {
      try {
        const outcome = await run(probe, target);
        onOutcome?.(outcome.success ? "successful" : "failed", clock.now() - begunMs);
        if (!outcome.success) onFailure(`${name} probe failed: ${outcome.message}`);
        else if (outcome.isWarning) onWarning(`${name} probe warning: ${outcome.message}`);
        return outcome;
      } catch (error) {
        if (!(error instanceof ProbeError)) throw error;
        if (tries < maxTries) continue;
        onOutcome?.("unknown", clock.now() - begunMs);
        onFailure(`${name} probe errored and resulted in unknown state: ${error.message}`);
        return undefined;
      }
    }
  }

  #set(containerId: string, success: boolean, message: string): void {
    if (this.#verdict === success) return;
    this.#verdict = success;
    this.#options.onVerdict(containerId, success, message);
  }
}
