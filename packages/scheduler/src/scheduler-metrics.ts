// The scheduler's metrics under upstream's names (pkg/scheduler/metrics). Judges nothing.

import type { Metrics } from "@picokube/component-base/metrics";
import type { SchedulerCache } from "./cache.js";
import type { QueueName, SchedulingQueue } from "./queue.js";

/** The parts whose present sizes are told when somebody asks. */
export interface Measured {
  readonly queue: Pick<SchedulingQueue, "sizes" | "unschedulable">;
  readonly cache: Pick<SchedulerCache, "sizes">;
}

export interface SchedulerMetrics {
  /** One attempt is over, binding included. */
  attempt(attempt: { profile: string; result: "scheduled" | "unschedulable" | "error"; seconds: number }): void;
  /** Seconds that a cycle took. */
  cycle(seconds: number): void;
  /** A pod was bound: after how many attempts, and seconds since the first. */
  scheduled(pod: { attempts: number; seconds: number }): void;
  incoming(queue: QueueName, event: string): void;
  /** From now on these are measured. */
  measure(parts: Measured): void;
}

const doubling = (first: number, count: number) => Array.from({ length: count }, (_, power) => first * 2 ** power);

/** Registers them. */
export function createSchedulerMetrics(metrics: Metrics): SchedulerMetrics {
  let measured: Measured | undefined;
  const attempts = metrics.counter({
    name: "scheduler_schedule_attempts_total",
    help: "Number of attempts to schedule pods, by the result. 'unschedulable' means a pod could not be scheduled, while 'error' means an internal scheduler problem.",
    labels: ["profile", "result"],
  });
  const durations = metrics.histogram({
    name: "scheduler_scheduling_attempt_duration_seconds",
    help: "Scheduling attempt latency in seconds (scheduling algorithm + binding)",
    labels: ["profile", "result"],
    buckets: doubling(0.001, 15),
  });
  const cycles = metrics.histogram({
    name: "scheduler_scheduling_algorithm_duration_seconds",
    help: "Scheduling algorithm latency in seconds",
    buckets: doubling(0.001, 15),
  });
  const attemptsOfPods = metrics.histogram({
    name: "scheduler_pod_scheduling_attempts",
    help: "Number of attempts to successfully schedule a pod.",
    buckets: doubling(1, 5),
  });
  const latencies = metrics.histogram({
    name: "scheduler_pod_scheduling_sli_duration_seconds",
    help: "E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue and might involve multiple scheduling attempts.",
    labels: ["attempts"],
    buckets: doubling(0.01, 20),
  });
  const incoming = metrics.counter({
    name: "scheduler_queue_incoming_pods_total",
    help: "Number of pods added to scheduling queues by event and queue type.",
    labels: ["queue", "event"],
  });
  metrics.gauge({
    name: "scheduler_pending_pods",
    help: "Number of pending pods, by the queue type. 'active' means number of pods in activeQ; 'backoff' means number of pods in backoffQ; 'unschedulable' means number of pods in unschedulablePods that the scheduler attempted to schedule and failed; 'gated' is the number of unschedulable pods that the scheduler never attempted to schedule because they are gated.",
    labels: ["queue"],
    collect(gauge) {
      for (const [queue, size] of Object.entries(measured?.queue.sizes() ?? {})) gauge.set({ queue }, size);
    },
  });
  metrics.gauge({
    name: "scheduler_unschedulable_pods",
    help: "The number of unschedulable pods broken down by plugin name. A pod will increment the gauge for all plugins that caused it to not schedule and so this metric have meaning only when broken down by plugin.",
    labels: ["plugin", "profile"],
    collect(gauge) {
      gauge.reset();
      for (const [profile, plugins] of measured?.queue.unschedulable() ?? [])
        for (const [plugin, count] of plugins) gauge.set({ plugin, profile }, count);
    },
  });
  metrics.gauge({
    name: "scheduler_cache_size",
    help: "Number of nodes, pods, and assumed (bound) pods in the scheduler cache.",
    labels: ["type"],
    collect(gauge) {
      for (const [type, size] of Object.entries(measured?.cache.sizes() ?? {})) gauge.set({ type }, size);
    },
  });
  return {
    attempt({ profile, result, seconds }) {
      attempts.inc({ profile, result });
      durations.observe({ profile, result }, seconds);
    },
    cycle: (seconds) => cycles.observe(seconds),
    scheduled({ attempts: count, seconds }) {
      attemptsOfPods.observe(count);
      // As upstream: many attempts share one label, so that labels stay bounded.
      latencies.observe({ attempts: count >= 15 ? "15+" : String(count) }, seconds);
    },
    incoming: (queue, event) => incoming.inc({ queue, event }),
    measure(parts) {
      measured = parts;
    },
  };
}
