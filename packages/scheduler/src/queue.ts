// The scheduling queue (upstream: internal/queue): pods to be tried now, by priority and age; pods in back-off; and pods
// that no node would take, which wait for an event that may help. Decides when a pod is tried, never where it goes.

import type { Pod } from "@picokube/api/core/v1";
import type { Clock, Timer } from "@picokube/component-base/clock";
import { type ClusterEvent, eventLabel } from "./framework/plugin.js";
import { type PodInfo, podInfoOf } from "./framework/pod-info.js";
import { Heap } from "./heap.js";

export interface QueuedPod {
  info: PodInfo;
  /** When it last came into the queue, ms. */
  timestampMs: number;
  /** When it was first tried, ms. */
  firstTriedMs?: number;
  /** When it was last tried without success, ms. */
  triedMs: number;
  attempts: number;
  /** Whose rejection it waits for to change; empty after an error that had nothing to do with nodes. */
  plugins: ReadonlySet<string>;
}

/** Whether an event may let the pod through one of the plugins that rejected it. */
export type MayHelp = (pod: PodInfo, plugins: ReadonlySet<string>, event: ClusterEvent) => boolean;

export type QueueName = "active" | "backoff" | "unschedulable" | "gated";

export interface QueueOptions {
  readonly clock: Clock;
  readonly mayHelp: MayHelp;
  /** Hears of every pod that comes into a queue, and of the event that brought it. */
  readonly onIncoming?: (queue: QueueName, event: string) => void;
  readonly initialBackoffMs?: number;
  readonly maxBackoffMs?: number;
}

/** A pod is tried again after this even though nothing seems to have changed. */
const MAX_UNSCHEDULABLE_MS = 5 * 60 * 1000;
const FLUSH_INTERVAL_MS = 30_000;
const POD_UPDATE: ClusterEvent = { resource: "other", name: "UnschedulablePodUpdate" };

const keyOf = (queued: QueuedPod) => queued.info.pod.metadata.uid;
const priorityOf = ({ info }: QueuedPod) => info.pod.spec?.priority ?? 0;
const isGated = ({ spec }: Pod) => (spec?.schedulingGates?.length ?? 0) > 0;

function isBefore(a: QueuedPod, b: QueuedPod): boolean {
  const difference = priorityOf(a) - priorityOf(b);
  return difference > 0 || (difference === 0 && a.timestampMs < b.timestampMs);
}

/** Something other than status changed. */
function isChanged(previous: Pod, current: Pod): boolean {
  const relevant = ({ spec, metadata }: Pod) =>
    JSON.stringify([spec, metadata.labels, metadata.annotations, metadata.deletionTimestamp]);
  return relevant(previous) !== relevant(current);
}

export class SchedulingQueue {
  readonly #active = new Heap<QueuedPod>(keyOf, isBefore);
  readonly #backoff = new Map<string, { queued: QueuedPod; timer: Timer }>();
  readonly #unschedulable = new Map<string, QueuedPod>();
  readonly #gated = new Map<string, Pod>();
  /** Pods that are being tried, and the events that came meanwhile. */
  readonly #inFlight = new Map<string, ClusterEvent[]>();
  readonly #options: Required<QueueOptions>;
  #wake: (() => void) | undefined;

  constructor(options: QueueOptions) {
    this.#options = { initialBackoffMs: 1000, maxBackoffMs: 10_000, onIncoming() {}, ...options };
  }

  /** How many pods wait, by upstream's names of the queues. */
  sizes(): Record<QueueName, number> {
    return {
      active: this.#active.size,
      backoff: this.#backoff.size,
      unschedulable: this.#unschedulable.size,
      gated: this.#gated.size,
    };
  }

  /** How many unschedulable pods each of these plugins turned down, by the pods' scheduler. */
  unschedulable(): Map<string, Map<string, number>> {
    const counts = new Map<string, Map<string, number>>();
    for (const { info, plugins } of this.#unschedulable.values()) {
      const profile = info.pod.spec?.schedulerName ?? "default-scheduler";
      const ofProfile = counts.get(profile) ?? new Map<string, number>();
      counts.set(profile, ofProfile);
      for (const plugin of plugins) ofProfile.set(plugin, (ofProfile.get(plugin) ?? 0) + 1);
    }
    return counts;
  }

  add(pod: Pod): void {
    if (isGated(pod)) {
      this.#gated.set(pod.metadata.uid, pod);
      this.#options.onIncoming("gated", "UnschedulablePodAdd");
      return;
    }
    const timestampMs = this.#options.clock.now();
    const queued = { info: podInfoOf(pod), timestampMs, triedMs: 0, attempts: 0, plugins: new Set<string>() };
    this.#activate(queued, "UnschedulablePodAdd");
  }

  update(previous: Pod, current: Pod): void {
    const { uid } = current.metadata;
    if (this.#gated.has(uid)) {
      this.#gated.delete(uid);
      this.add(current);
      return;
    }
    const queued = this.#active.get(uid) ?? this.#backoff.get(uid)?.queued ?? this.#unschedulable.get(uid);
    if (!queued) {
      if (this.#inFlight.has(uid)) {
        if (isChanged(previous, current)) this.#inFlight.get(uid)!.push(POD_UPDATE);
      } else this.add(current);
      return;
    }
    queued.info = podInfoOf(current);
    if (this.#active.get(uid)) this.#active.set(queued);
    else if (this.#unschedulable.has(uid) && isChanged(previous, current))
      this.#requeue(queued, eventLabel(POD_UPDATE));
  }

  delete(uid: string): void {
    this.#active.delete(uid);
    this.#backoff.get(uid)?.timer.cancel();
    this.#backoff.delete(uid);
    this.#unschedulable.delete(uid);
    this.#gated.delete(uid);
  }

  /** The next pod to try; waits for one. Undefined once the signal aborts. done or fail must follow. */
  async pop(signal: AbortSignal): Promise<QueuedPod | undefined> {
    while (!signal.aborted) {
      const queued = this.#active.pop();
      if (queued) {
        queued.attempts++;
        queued.firstTriedMs ??= this.#options.clock.now();
        this.#inFlight.set(keyOf(queued), []);
        return queued;
      }
      await new Promise<void>((resolve) => {
        const wake = () => {
          signal.removeEventListener("abort", wake);
          this.#wake = undefined;
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener("abort", wake);
      });
    }
    return undefined;
  }

  /** The attempt is over and the pod needs no other. */
  done(queued: QueuedPod): void {
    this.#inFlight.delete(keyOf(queued));
  }

  /** The attempt failed; pod is its present state. No plugins: an error, to be tried again after back-off. */
  fail(queued: QueuedPod, { pod, plugins }: { pod: Pod; plugins: ReadonlySet<string> }): void {
    const events = this.#inFlight.get(keyOf(queued)) ?? [];
    this.#inFlight.delete(keyOf(queued));
    const nowMs = this.#options.clock.now();
    queued.info = podInfoOf(pod);
    queued.timestampMs = nowMs;
    queued.triedMs = nowMs;
    queued.plugins = plugins;
    const helped = plugins.size === 0 || events.some((event) => this.#helps(queued, event));
    if (helped) {
      this.#requeue(queued, "ScheduleAttemptFailure");
      return;
    }
    this.#unschedulable.set(keyOf(queued), queued);
    this.#options.onIncoming("unschedulable", "ScheduleAttemptFailure");
  }

  /** Something happened: pods it may help come back. */
  move(event: ClusterEvent): void {
    for (const events of this.#inFlight.values()) events.push(event);
    for (const queued of [...this.#unschedulable.values()]) {
      if (this.#helps(queued, event)) this.#requeue(queued, eventLabel(event));
    }
  }

  /** Brings back pods that have waited for too long; runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(FLUSH_INTERVAL_MS, signal).catch(() => undefined);
      for (const queued of [...this.#unschedulable.values()]) {
        if (clock.now() - queued.triedMs > MAX_UNSCHEDULABLE_MS) this.#requeue(queued, "UnschedulableTimeout");
      }
    }
    for (const { timer } of this.#backoff.values()) timer.cancel();
  }

  #helps(queued: QueuedPod, event: ClusterEvent): boolean {
    return event.resource === "other" || this.#options.mayHelp(queued.info, queued.plugins, event);
  }

  #backoffMs({ attempts }: QueuedPod): number {
    const { initialBackoffMs, maxBackoffMs } = this.#options;
    return Math.min(initialBackoffMs * 2 ** (attempts - 1), maxBackoffMs);
  }

  #requeue(queued: QueuedPod, event: string): void {
    const key = keyOf(queued);
    const { clock } = this.#options;
    this.#unschedulable.delete(key);
    const delayMs = queued.triedMs + this.#backoffMs(queued) - clock.now();
    if (delayMs <= 0) {
      this.#activate(queued, event);
      return;
    }
    const timer = clock.after(delayMs, () => {
      this.#backoff.delete(key);
      this.#activate(queued, "BackoffComplete");
    });
    this.#backoff.set(key, { queued, timer });
    this.#options.onIncoming("backoff", event);
  }

  #activate(queued: QueuedPod, event: string): void {
    this.#active.set(queued);
    this.#options.onIncoming("active", event);
    this.#wake?.();
  }
}
