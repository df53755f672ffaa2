// The loop: takes a pod from the queue, runs the cycle, binds beside it, and tells of failures. Holds no rule about nodes.

import { setImmediate as nextTurn } from "node:timers/promises";
import { type Pod, pods } from "@picokube/api/core/v1";
import { isNotFound } from "@picokube/api/errors";
import { podCondition, withPodCondition } from "@picokube/api/pod";
import type { Client } from "@picokube/client/client";
import type { EventRecorder } from "@picokube/client/event-recorder";
import type { InformerFactory } from "@picokube/client/informer";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { AttemptLog } from "./attempt-log.js";
import { SchedulerCache } from "./cache.js";
import { runCycle } from "./cycle.js";
import { addEventHandlers, LIVE_PODS } from "./event-handlers.js";
import { fitErrorMessage, preemptionMessage } from "./framework/fit-error.js";
import type { WeightedPlugin } from "./framework/plugin.js";
import type { PodInfo } from "./framework/pod-info.js";
import type { Reservation } from "./framework/reservation.js";
import { type QueuedPod, SchedulingQueue } from "./queue.js";
import type { SchedulerMetrics } from "./scheduler-metrics.js";

/** One schedulerName with its plugins. */
export interface Profile {
  readonly schedulerName: string;
  readonly plugins: readonly WeightedPlugin[];
  readonly percentageOfNodesToScore: number;
  readonly recorder: EventRecorder;
}

export interface SchedulerOptions {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly attempts: AttemptLog;
  readonly metrics: SchedulerMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Scheduler {
  /** Schedules until the signal aborts; the informers must be running. */
  run(signal: AbortSignal): Promise<void>;
}

interface Reserved {
  readonly plugin: string;
  readonly reservation: Reservation;
}

const secondsSince = (startedMs: number) => (performance.now() - startedMs) / 1000;
const nameOf = ({ metadata }: Pod) => `${metadata.namespace}/${metadata.name}`;

/** The scheduler of one process. */
export function createScheduler(options: SchedulerOptions): Scheduler {
  const { client, informers, profiles, attempts, metrics, clock, logger } = options;
  const { initialBackoffMs, maxBackoffMs } = options;
  const cache = new SchedulerCache();
  const podLister = informers.for(pods, LIVE_PODS);
  const profileOf = (pod: Pod) => profiles.get(pod.spec?.schedulerName ?? "default-scheduler");
  const queue = new SchedulingQueue({
    clock,
    initialBackoffMs,
    maxBackoffMs,
    onIncoming: metrics.incoming,
    mayHelp: (info, rejectors, event) =>
      (profileOf(info.pod)?.plugins ?? []).some(
        ({ plugin }) => rejectors.has(plugin.name) && (plugin.mayHelp?.(info, event) ?? true),
      ),
  });
  metrics.measure({ queue, cache });
  let startIndex = 0;
  let stopping = new AbortController().signal;

  async function setUnschedulable(pod: Pod, { reason, message }: { reason: string; message: string }): Promise<void> {
    const known = podCondition(pod.status, "PodScheduled");
    if (known?.status === "False" && known.reason === reason && known.message === message) return;
    const conditions = withPodCondition(
      pod.status?.conditions,
      { type: "PodScheduled", status: "False", reason, message },
      clock.now(),
    ).filter(({ type }) => type === "PodScheduled");
    const { name, namespace } = pod.metadata;
    const named = { name, namespace: namespace! };
    await client.patch(pods, named, { status: { conditions } }, { type: "strategic", subresource: "status" });
  }

  /** Upstream's handleSchedulingFailure. */
  function handleFailure(
    queued: QueuedPod,
    {
      reason,
      message,
      plugins,
    }: { reason: "Unschedulable" | "SchedulerError"; message: string; plugins: ReadonlySet<string> },
  ): void {
    const attempted = queued.info.pod;
    const pod = podLister.get(nameOf(attempted));
    if (!pod || pod.metadata.uid !== attempted.metadata.uid || pod.spec?.nodeName) {
      queue.done(queued);
      return;
    }
    queue.fail(queued, { pod, plugins });
    profileOf(pod)?.recorder.record(pod, { type: "Warning", reason: "FailedScheduling", message });
    setUnschedulable(pod, { reason, message }).catch((error: unknown) => {
      if (!isNotFound(error)) logger.error("Error updating pod", { pod: nameOf(pod), err: error });
    });
  }

  async function bind(
    queued: QueuedPod,
    {
      nodeName,
      profile,
      startedMs,
      reserved,
    }: { nodeName: string; profile: Profile; startedMs: number; reserved: readonly Reserved[] },
  ): Promise<void> {
    const { pod } = queued.info;
    const { name, namespace, uid } = pod.metadata;
    let doing = "";
    try {
      for (const { plugin, reservation } of reserved) {
        doing = `running PreBind plugin "${plugin}"`;
        await reservation.complete(stopping);
      }
      doing = 'running Bind plugin "DefaultBinder"';
      const binding = {
        apiVersion: "v1",
        kind: "Binding",
        metadata: { name, namespace, uid },
        target: { kind: "Node", name: nodeName },
      };
      await client.createSubresource(pods, { name, namespace: namespace! }, "binding", binding);
    } catch (error) {
      for (const { reservation } of reserved) reservation.release();
      cache.forget(uid);
      queue.move({ resource: "assignedPod", previous: pod, current: undefined });
      metrics.attempt({ profile: profile.schedulerName, result: "error", seconds: secondsSince(startedMs) });
      const message = `${doing}: ${(error as Error).message}`;
      handleFailure(queued, { reason: "SchedulerError", message, plugins: new Set() });
      return;
    }
    queue.done(queued);
    metrics.attempt({ profile: profile.schedulerName, result: "scheduled", seconds: secondsSince(startedMs) });
    const { attempts: tries, firstTriedMs = clock.now() } = queued;
    metrics.scheduled({ attempts: tries, seconds: (clock.now() - firstTriedMs) / 1000 });
    logger.v(2).info("Successfully bound pod to node", { pod: nameOf(pod), node: nodeName });
    const message = `Successfully assigned ${nameOf(pod)} to ${nodeName}`;
    profile.recorder.record(pod, { type: "Normal", reason: "Scheduled", message });
  }

  function reserve(
    info: PodInfo,
    {
      plugins,
      nodeName,
      states,
    }: { plugins: readonly WeightedPlugin[]; nodeName: string; states: ReadonlyMap<string, unknown> },
  ): Reserved[] {
    const node = cache.get(nodeName)!;
    return plugins.flatMap(({ plugin }) => {
      const reservation = states.has(plugin.name) && plugin.reserve?.(info, node, states.get(plugin.name));
      return reservation ? [{ plugin: plugin.name, reservation }] : [];
    });
  }

  function scheduleOne(queued: QueuedPod): void {
    const { info } = queued;
    const { pod } = info;
    const profile = profileOf(pod);
    if (!profile || cache.isAssumed(pod.metadata.uid)) {
      queue.done(queued);
      return;
    }
    if (pod.metadata.deletionTimestamp !== undefined) {
      const message = `skip schedule deleting pod: ${nameOf(pod)}`;
      profile.recorder.record(pod, { type: "Warning", reason: "FailedScheduling", message });
      queue.done(queued);
      return;
    }
    const startedMs = performance.now();
    const { plugins, percentageOfNodesToScore } = profile;
    const verdict = runCycle(info, { plugins, percentageOfNodesToScore, snapshot: cache, startIndex });
    metrics.cycle(secondsSince(startedMs));
    if (verdict.kind === "scheduled") {
      startIndex = (startIndex + verdict.evaluated) % Math.max(cache.nodes.length, 1);
      attempts.add({ pod: nameOf(pod), timeMs: clock.now(), node: verdict.node, scores: verdict.scores });
      const reserved = reserve(info, { plugins, nodeName: verdict.node, states: verdict.states });
      cache.assume(info, verdict.node);
      void bind(queued, { nodeName: verdict.node, profile, startedMs, reserved });
      return;
    }
    const { diagnosis } = verdict;
    const never = pod.spec?.preemptionPolicy === "Never";
    const message = fitErrorMessage(diagnosis, preemptionMessage(diagnosis, { never }));
    const rejections = Object.fromEntries([...diagnosis.rejections].map(([node, { reasons }]) => [node, reasons]));
    attempts.add({ pod: nameOf(pod), timeMs: clock.now(), message, rejections });
    metrics.attempt({ profile: profile.schedulerName, result: "unschedulable", seconds: secondsSince(startedMs) });
    // Without nodes nobody rejected the pod: any node that comes may help.
    const rejectors = diagnosis.nodeCount === 0 ? new Set(plugins.map(({ plugin }) => plugin.name)) : diagnosis.plugins;
    handleFailure(queued, { reason: "Unschedulable", message, plugins: rejectors });
  }

  addEventHandlers({ informers, cache, queue, isOurs: (pod) => profileOf(pod) !== undefined });

  return {
    async run(signal) {
      stopping = signal;
      await informers.waitForSync(signal);
      const flushing = queue.run(signal);
      for (;;) {
        const queued = await queue.pop(signal);
        if (!queued) break;
        const startedMs = performance.now();
        try {
          scheduleOne(queued);
        } catch (error) {
          logger.error("Scheduling a pod failed", { pod: nameOf(queued.info.pod), err: error });
          const profile = queued.info.pod.spec?.schedulerName ?? "default-scheduler";
          metrics.attempt({ profile, result: "error", seconds: secondsSince(startedMs) });
          const message = (error as Error).message;
          handleFailure(queued, { reason: "SchedulerError", message, plugins: new Set() });
        }
        // Bindings and watches get their turn between two pods.
        await nextTurn();
      }
      await flushing;
    },
  };
}
