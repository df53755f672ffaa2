// Node-pressure eviction: watches the node's memory, disks and processes, frees what can be freed without harm, then
// evicts pods one by one. Mirrors upstream's eviction_manager.go; the decisions beside it are pure.

import type { Pod } from "@picokube/api/core/v1";
import type { EventRecorder } from "@picokube/client/event-recorder";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { Refusal } from "../pods/admission.js";
import type { PodEvents } from "../pods/pod-events.js";
import type { Verdict } from "../pods/verdict.js";
import { evicted, evictionMessage } from "./eviction-message.js";
import { hasLocalStorageLimit, localStorageViolation } from "./local-storage.js";
import type { Measurements } from "./measure-pods.js";
import type { UsageOf } from "./pod-usage.js";
import { isCriticalPod, pressureRefusal } from "./pressure-admission.js";
import { rankPods } from "./rank.js";
import { type Observations, type PressureCondition, type Signal, signals } from "./signals.js";
import { judgeThresholds, noThresholdsMet, thresholdsMet } from "./threshold-state.js";
import { isHard, type Threshold } from "./thresholds.js";

const monitoringPeriodMs = 10_000;
const immediateGraceSeconds = 1;
const cleanupTimeoutMs = 30_000;
const pollMs = 250;
/** Walking disks takes so small a share of the time, however much there is on them. */
const walkRestFactor = 20;

export interface EvictionManager {
  /** What presses now, and for the transition period after. */
  conditions(): readonly PressureCondition[];
  /** Why a node under pressure does not take the pod. */
  refusalOf(pod: Pod): Refusal | undefined;
  run(signal: AbortSignal): Promise<void>;
}

/** The pods, as eviction handles them. */
export interface EvictablePods {
  /** Those that ran here before are known: a condition raised earlier would refuse them, not evict them. */
  started(): boolean;
  /** Those that have not ended. */
  active(): Pod[];
  end(podUid: string, verdict: Verdict): void;
  /** Nothing of it runs, and its volumes are gone. */
  cleanedUp(podUid: string): boolean;
}

export interface EvictionManagerOptions {
  readonly nodeName: string;
  readonly thresholds: readonly Threshold[];
  readonly pressureTransitionPeriodMs: number;
  /** The most grace that a soft threshold leaves a pod. */
  readonly maxPodGracePeriodSeconds: number;
  /** Whether pods are held to limits of local storage of their own. */
  readonly localStorageCapacityIsolation: boolean;
  readonly observe: () => Promise<Observations>;
  readonly measure: (pods: readonly Pod[], what: Measurements) => Promise<UsageOf>;
  /** Whether images lie on another file system than the kubelet's root directory. */
  readonly dedicatedImageFs: () => Promise<boolean>;
  /** Frees what no pod needs: containers that have ended, unused images. */
  readonly reclaim: readonly (() => Promise<void>)[];
  readonly pods: EvictablePods;
  /** Told of each pod that goes, with upstream's eviction_signal. */
  readonly onEvicted: (signal: string) => void;
  readonly events: EventRecorder;
  readonly podEvents: PodEvents;
  readonly clock: Clock;
  readonly logger: Logger;
}

const isDisk = (signal: Signal) => signals[signal].condition === "DiskPressure";

/** Makes the one EvictionManager of a kubelet. */
export function createEvictionManager(options: EvictionManagerOptions): EvictionManager {
  const { thresholds, pods, clock, logger } = options;
  const nodeReference = { apiVersion: "v1", kind: "Node", name: options.nodeName, uid: options.nodeName };
  let conditions: readonly PressureCondition[] = [];
  let state = noThresholdsMet;
  let walkDueMs = 0;

  interface Eviction {
    readonly message: string;
    readonly graceSeconds: number;
    /** An eviction for the node's sake disrupts the pod; one for its own excess does not count as such. */
    readonly disruption: boolean;
    readonly signal: string;
  }

  /** False for a pod that must stay. */
  function evict(pod: Pod, { message, graceSeconds, disruption, signal }: Eviction): boolean {
    const named = { pod: `${pod.metadata.namespace}/${pod.metadata.name}`, podUID: pod.metadata.uid };
    if (isCriticalPod(pod)) {
      logger.error("Eviction manager: cannot evict a critical pod", named);
      return false;
    }
    options.podEvents.warning(pod, { reason: evicted, message });
    options.onEvicted(signal);
    logger.v(3).info("Evicting pod", { ...named, message });
    const condition = { type: "DisruptionTarget", status: "True", reason: "TerminationByKubelet", message } as const;
    pods.end(pod.metadata.uid, {
      phase: "Failed",
      reason: evicted,
      message,
      graceSeconds,
      ...(disruption ? { conditions: [condition] } : {}),
    });
    return true;
  }

  /** Pods beyond their own limits go first, all at once; that may relieve the node already. */
  async function evictForOwnLimits(active: readonly Pod[], dedicatedImageFs: boolean): Promise<Pod[]> {
    const limited = options.localStorageCapacityIsolation ? active.filter(hasLocalStorageLimit) : [];
    const beganMs = clock.now();
    if (limited.length === 0 || beganMs < walkDueMs) return [];
    const usageOf = await options.measure(limited, { disks: true });
    walkDueMs = clock.now() + (clock.now() - beganMs) * walkRestFactor;
    return limited.filter((pod) => {
      const usage = usageOf(pod);
      const violation = usage && localStorageViolation(pod, usage, { dedicatedImageFs });
      return violation && evict(pod, { ...violation, graceSeconds: immediateGraceSeconds, disruption: false });
    });
  }

  /** True when the node needs no eviction any more. */
  async function reclaimNodeLevel({ signal }: Threshold, dedicatedImageFs: boolean): Promise<boolean> {
    if (!isDisk(signal) || (dedicatedImageFs && signal.startsWith("nodefs"))) return false;
    for (const reclaim of options.reclaim) {
      await reclaim().catch((err: unknown) => {
        const resourceName = signals[signal].resource;
        logger.info("Eviction manager: unexpected error when attempting to reduce resource pressure", {
          resourceName,
          err,
        });
      });
    }
    return thresholdsMet(thresholds, await options.observe(), { withReclaim: true }).length === 0;
  }

  function graceFor(pod: Pod, threshold: Threshold): number {
    if (isHard(threshold)) return immediateGraceSeconds;
    const own = pod.spec?.terminationGracePeriodSeconds ?? Number.POSITIVE_INFINITY;
    return Math.min(options.maxPodGracePeriodSeconds, own);
  }

  async function evictForNode(
    toReclaim: readonly Threshold[],
    { observations, dedicatedImageFs }: { observations: Observations; dedicatedImageFs: boolean },
  ): Promise<Pod[]> {
    const threshold = toReclaim[0]!;
    const { signal } = threshold;
    const { resource } = signals[signal];
    logger.info("Eviction manager: attempting to reclaim", { resourceName: resource });
    const message = `Attempting to reclaim ${resource}`;
    options.events.record(nodeReference, { type: "Warning", reason: "EvictionThresholdMet", message });
    if (await reclaimNodeLevel(threshold, dedicatedImageFs)) {
      logger.info("Eviction manager: able to reduce resource pressure without evicting pods.", {
        resourceName: resource,
      });
      return [];
    }
    logger.info("Eviction manager: must evict pod(s) to reclaim", { resourceName: resource });
    const active = pods.active();
    if (active.length === 0) {
      logger.error("Eviction manager: eviction thresholds have been met, but no pods are active to evict");
      return [];
    }
    const usageOf = await options.measure(active, { disks: isDisk(signal) });
    const ranked = rankPods(active, { signal, usageOf, dedicatedImageFs });
    logger.info("Eviction manager: pods ranked for eviction", {
      pods: ranked.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
    });
    const cause = { resource, thresholds: toReclaim, observations };
    const first = ranked.find((pod) =>
      evict(pod, {
        message: evictionMessage(pod, usageOf(pod), cause),
        graceSeconds: graceFor(pod, threshold),
        disruption: true,
        signal,
      }),
    );
    if (!first) logger.info("Eviction manager: unable to evict any pods from the node");
    return first ? [first] : [];
  }

  /** One round; resolves to the pods that were told to go. */
  async function synchronize(): Promise<Pod[]> {
    const [observations, dedicatedImageFs] = await Promise.all([options.observe(), options.dedicatedImageFs()]);
    const round = judgeThresholds(thresholds, {
      observations,
      state,
      transitionPeriodMs: options.pressureTransitionPeriodMs,
      nowMs: clock.now(),
    });
    state = round.state;
    conditions = round.conditions;
    const overLimits = await evictForOwnLimits(pods.active(), dedicatedImageFs);
    if (overLimits.length > 0 || round.toReclaim.length === 0) return overLimits;
    return evictForNode(round.toReclaim, { observations, dedicatedImageFs });
  }

  async function untilCleanedUp(gone: readonly Pod[], signal: AbortSignal): Promise<void> {
    const names = gone.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    logger.info("Eviction manager: pods evicted, waiting for pod to be cleaned up", { pods: names });
    const untilMs = clock.now() + cleanupTimeoutMs;
    while (!signal.aborted && clock.now() < untilMs) {
      if (gone.every(({ metadata }) => pods.cleanedUp(metadata.uid))) {
        logger.info("Eviction manager: pods successfully cleaned up", { pods: names });
        return;
      }
      await clock.sleep(pollMs, signal).catch(() => undefined);
    }
    if (!signal.aborted) logger.info("Eviction manager: timed out waiting for pods to be cleaned up", { pods: names });
  }

  return {
    conditions: () => conditions,
    refusalOf: (pod) => pressureRefusal(pod, conditions),
    async run(signal) {
      while (!signal.aborted && !pods.started()) await clock.sleep(pollMs, signal).catch(() => undefined);
      while (!signal.aborted) {
        let gone: readonly Pod[] = [];
        try {
          gone = await synchronize();
        } catch (err) {
          if (!signal.aborted) logger.error("Eviction manager: failed to synchronize", { err });
        }
        if (gone.length > 0) await untilCleanedUp(gone, signal);
        else await clock.sleep(monitoringPeriodMs, signal).catch(() => undefined);
      }
    },
  };
}
