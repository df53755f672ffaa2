// Which pods should run here, each with its worker: the API's, and those from files. Routes every signal (API, PLEG,
// probes) to the right worker; decides nothing about a pod beyond whether the node takes it.

import type { Pod } from "@picokube/api/core/v1";
import { isPodTerminal } from "@picokube/api/pod";
import type { Informer } from "@picokube/client/informer";
import type { Clock } from "@picokube/component-base/clock";
import { shareByQos } from "../cgroups/qos-cgroups.js";
import { isCriticalPod } from "../eviction/pressure-admission.js";
import type { PodLookup } from "../parts.js";
import { predicateRefusalOf, type Refusal, refusalOf, shortagesOf } from "./admission.js";
import { collectOrphans } from "./orphans.js";
import type { Pleg } from "./pleg.js";
import type { PodContext } from "./pod-context.js";
import { PodWorker } from "./pod-worker.js";
import { podsToPreempt, preempted } from "./preemption.js";
import type { Verdict } from "./verdict.js";

export interface PodManager extends PodLookup {
  /** A pod that a file defines; with undefined the file is gone. */
  setStatic(uid: string, pod: Pod | undefined): void;
  wake(podUid: string): void;
  /** As wake, but for news that the pod's own failures may be the cause of. */
  runtimeChanged(podUid: string): void;
  /** Pods that were here before the kubelet have their workers. */
  started(): boolean;
  /** Those that have not ended and were not refused. */
  active(): Pod[];
  /** The active ones but this, with the resources they were granted. */
  otherPods(podUid: string): Pod[];
  /** The kubelet ends the pod of its own accord. */
  end(podUid: string, verdict: Verdict): void;
  /** Nothing of it runs, and its volumes are gone. */
  cleanedUp(podUid: string): boolean;
  run(signal: AbortSignal): Promise<void>;
}

export interface PodManagerOptions {
  /** A promise's context: the parts that it holds need the lookup first. */
  readonly context: () => PodContext;
  readonly informer: Informer<Pod>;
  readonly pleg: () => Pleg;
  /** Why the node's state forbids a pod, before its room is looked at. */
  readonly refusalOf: (pod: Pod) => Refusal | undefined;
  /** Resolves when pods, services and the node have been read once: what the API's pods need to start. */
  readonly ready: (signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
}

const mirrorAnnotation = "kubernetes.io/config.mirror";
const housekeepingMs = 60_000;
const preemptionPollMs = 100;

/** Makes the one PodManager of a kubelet. */
export function createPodManager(options: PodManagerOptions): PodManager {
  const { context, informer, pleg, ready, clock } = options;
  const workers = new Map<string, PodWorker>();
  /** What stands behind a worker; without it the worker ends. */
  const wanted = new Map<string, Pod>();
  /** Pods of files start at once, those of the API when it has been read. */
  let started = false;
  let adopted = false;
  const statics = new Set<string>();
  let stopping: AbortSignal | undefined;

  /** Mirrors only show what files define. */
  const isMirror = (pod: Pod) => pod.metadata.annotations?.[mirrorAnnotation] !== undefined;

  function set(pod: Pod): void {
    const { uid } = pod.metadata;
    wanted.set(uid, pod);
    const worker = workers.get(uid);
    if (worker) worker.update(pod);
    else if (started || statics.has(uid)) startWorker(pod);
  }

  function startWorker(pod: Pod): void {
    const worker = new PodWorker(context(), pod, (uid) => {
      workers.delete(uid);
      // There is room now: wishes that waited for it are looked at anew.
      for (const other of workers.values()) if (other.waitsForResize) other.wake();
    });
    workers.set(pod.metadata.uid, worker);
    const { refusal, makeRoom } = judge(pod);
    if (refusal) {
      context().events.warning(pod, { reason: refusal.reason, message: refusal.message });
      worker.end({
        phase: "Failed",
        reason: refusal.reason,
        message: `Pod was rejected: ${refusal.message}`,
        refused: true,
      });
    } else if (makeRoom.length > 0) worker.beginAfter(preempt(makeRoom));
    else worker.wake();
  }

  /** Why the node refuses the pod, or whose end makes room for it. */
  function judge(pod: Pod): { refusal?: Refusal | undefined; makeRoom: Pod[] } {
    if (isPodTerminal(pod) || pod.metadata.deletionTimestamp) return { makeRoom: [] };
    const { settings, objects, allocations } = context();
    const admission = { others: otherPods(pod.metadata.uid), node: objects.node(), maxPods: settings.maxPods };
    const granted = allocations.apply(pod);
    const refusal = options.refusalOf(pod) ?? refusalOf(granted, admission);
    const shortages = shortagesOf(granted, admission);
    if (!refusal || shortages.length === 0 || !isCriticalPod(pod)) return { refusal, makeRoom: [] };
    // A critical pod is not refused for want of resources.
    const other = options.refusalOf(pod) ?? predicateRefusalOf(granted, admission);
    if (other) return { refusal: other, makeRoom: [] };
    try {
      return { makeRoom: podsToPreempt(granted, admission.others, shortages) };
    } catch (error) {
      const message = `Unexpected error while attempting to recover from admission failure: ${(error as Error).message}`;
      return { refusal: { reason: "UnexpectedAdmissionError", message }, makeRoom: [] };
    }
  }

  /** Ends the pods; resolves when they have. */
  async function preempt(victims: readonly Pod[]): Promise<void> {
    const ending = victims.flatMap((pod) => workers.get(pod.metadata.uid) ?? []);
    for (const worker of ending) {
      context().events.warning(worker.pod, { reason: preempted.reason, message: preempted.message });
      worker.end(preempted);
    }
    while (!stopping?.aborted && ending.some(({ ended }) => !ended)) {
      await clock.sleep(preemptionPollMs, stopping).catch(() => undefined);
    }
  }

  const active = () => [...workers.values()].filter(({ ended, pod }) => !ended && !isPodTerminal(pod));
  const otherPods = (podUid: string) =>
    active().flatMap(({ pod }) => (pod.metadata.uid === podUid ? [] : [context().allocations.apply(pod)]));

  function unset(uid: string): void {
    statics.delete(uid);
    wanted.delete(uid);
    workers.get(uid)?.remove();
  }

  informer.addHandler({
    add: (pod) => {
      const shown = pod.metadata.annotations?.[mirrorAnnotation];
      if (shown === undefined) set(pod);
      // A mirror that is new says nothing yet of the pod that it shows.
      else workers.get(shown)?.wake();
    },
    update: (_, pod) => {
      if (!isMirror(pod)) set(pod);
    },
    delete: (pod) => {
      if (isMirror(pod)) return;
      // The last state tells the grace period of a deletion.
      workers.get(pod.metadata.uid)?.update(pod);
      unset(pod.metadata.uid);
    },
  });

  /** Also where pods have gone, or were resized. */
  function shareProcessors(): void {
    const { cgroups, allocations, logger } = context();
    if (!cgroups) return;
    try {
      shareByQos(
        cgroups,
        active().map(({ pod }) => allocations.apply(pod)),
      );
    } catch (err) {
      logger.v(2).info("Failed to update QoS cgroup configuration", { err });
    }
  }

  /** Pods that the runtime still has, and that came here before the kubelet did, must be taken over, not removed. */
  async function housekeep(signal: AbortSignal): Promise<void> {
    const known = new Set([...wanted.keys(), ...workers.keys()]);
    shareProcessors();
    await collectOrphans(context(), { known, inRuntime: pleg().podUids(), signal });
  }

  return {
    podByName: (namespace, name) =>
      [...wanted.values()].find(({ metadata }) => metadata.name === name && metadata.namespace === namespace),
    podByUid: (uid) => wanted.get(uid) ?? workers.get(uid)?.pod,
    pods: () => [...wanted.values()],
    state: (uid) => context().states.get(uid),
    status: (uid) => workers.get(uid)?.status,
    setStatic: (uid, pod) => {
      if (!pod) return unset(uid);
      statics.add(uid);
      set(pod);
    },
    wake: (uid) => workers.get(uid)?.wake(),
    runtimeChanged: (uid) => workers.get(uid)?.runtimeChanged(),
    started: () => adopted,
    active: () => active().map(({ pod }) => pod),
    otherPods,
    end: (uid, verdict) => workers.get(uid)?.end(verdict),
    cleanedUp: (uid) => workers.get(uid)?.cleanedUp ?? true,

    async run(signal) {
      stopping = signal;
      await ready(signal).catch(() => undefined);
      started = !signal.aborted;
      // The oldest first: what ran here before must not be refused for what came later.
      const byAge = [...wanted.values()].sort((a, b) =>
        a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp),
      );
      for (const pod of byAge) if (started && !workers.has(pod.metadata.uid)) startWorker(pod);
      if (started) context().allocations.keepOnly(new Set(wanted.keys()));
      adopted = started;
      while (!signal.aborted) {
        await housekeep(signal).catch((err: unknown) => {
          if (!signal.aborted) context().logger.error("Housekeeping failed", { err });
        });
        await clock.sleep(housekeepingMs, signal).catch(() => undefined);
      }
      await Promise.all([...workers.values()].map((worker) => worker.stop()));
    },
  };
}
