// One pass over one Job: deletes or creates pods, then counts those that ended. The second half of upstream's syncJob.

import { type Job, jobs } from "@picokube/api/batch/v1";
import { type Pod, pods } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { isNotFound } from "@picokube/api/errors";
import { controllerRef } from "@picokube/api/owner";
import { isPodReady } from "@picokube/api/pod";
import { formatTime } from "@picokube/api/time";
import type { Client } from "@picokube/client/client";
import type { EventRecorder } from "@picokube/client/event-recorder";
import type { Expectations } from "@picokube/client/expectations";
import type { ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import type { Clock } from "@picokube/component-base/clock";
import { isNamespaceTerminating, type PodControl, slowStart } from "../pod-control.js";
import type { FinalizerExpectations } from "./finalizer-expectations.js";
import { type Account, enterEnded, isSettled, settle, tidy } from "./job-accounting.js";
import { completionsReached, ensureCondition, finalVerdict, type Verdict } from "./job-conditions.js";
import type { JobMetrics, SyncAction } from "./job-metrics.js";
import type { JobObservation } from "./job-observation.js";
import { planPods } from "./job-plan.js";
import { newJobPod } from "./job-pod-template.js";
import { hasTrackingFinalizer, withoutTrackingFinalizer } from "./job-pods.js";

type Status = NonNullable<Job["status"]>;

export interface JobPassDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly recorder: EventRecorder;
  readonly podControl: PodControl;
  readonly expectations: Expectations;
  readonly releases: FinalizerExpectations;
  readonly metrics: JobMetrics;
}

/** The numbers as they are after the pass acted. */
interface Acted {
  readonly active: number;
  readonly ready: number;
  readonly terminating: number;
  /** When back-off lets pods be created, ms. */
  readonly waitMs?: number | undefined;
  readonly error?: unknown;
}

/** Carries one Job one step further. */
export class JobPass {
  readonly #dependencies: JobPassDependencies;
  readonly #seen: JobObservation;
  readonly #key: ObjectKey;
  /** Whether the cache shows all that was asked for before. */
  readonly #mayManage: boolean;
  #action: SyncAction = "reconciling";

  constructor(dependencies: JobPassDependencies, { seen, mayManage }: { seen: JobObservation; mayManage: boolean }) {
    this.#dependencies = dependencies;
    this.#seen = seen;
    this.#key = keyOf(seen.job);
    this.#mayManage = mayManage;
  }

  /** What the step did about pods. */
  get action(): SyncAction {
    return this.#action;
  }

  /** Returns when to come back for the back-off, ms; throws what went wrong after all that could be done was. */
  async step(): Promise<number | undefined> {
    const { job } = this.#seen;
    const ending = this.#seen.verdict;
    const acted = ending ? await this.#deleteActive() : await this.#manage();
    // Pods that could not be deleted, or that the cache does not show yet, still have to be counted.
    const isOver = ending !== undefined && acted.active === 0 && this.#mayManage;
    const verdict = ending ? (isOver ? ending : undefined) : this.#completion(acted.active);
    const { ready, terminating } = acted;
    let status: Status = { ...job.status, active: acted.active, ready, terminating };
    if (!ending && !verdict && this.#mayManage && !job.metadata.deletionTimestamp) status = this.#suspension(status);
    const account = enterEnded(this.#seen, status, verdict);
    await this.#settleAccount(account, verdict);
    if (acted.error) throw acted.error;
    return acted.waitMs;
  }

  #completion(active: number): Verdict | undefined {
    const { job, succeeded } = this.#seen;
    if (active > 0) return undefined;
    const { completions } = job.spec!;
    return (completions === undefined ? succeeded > 0 : succeeded >= completions) ? completionsReached : undefined;
  }

  async #manage(): Promise<Acted> {
    const { active, ready, terminating, job } = this.#seen;
    const unchanged = { active: active.length, ready, terminating };
    if (!this.#mayManage || job.metadata.deletionTimestamp) return unchanged;
    const plan = planPods(this.#seen, this.#dependencies.clock.now());
    this.#action = plan.delete.length > 0 ? "pods_deleted" : plan.create.length > 0 ? "pods_created" : "tracking";
    if (plan.delete.length > 0) return this.#deleteUncounted(plan.delete);
    if (plan.create.length === 0) return { ...unchanged, waitMs: plan.waitMs };
    const { created, error } = await this.#create(plan.create);
    return { ...unchanged, active: active.length + created, error };
  }

  async #create(indexes: readonly (number | undefined)[]): Promise<{ created: number; error: unknown }> {
    const { expectations, podControl, metrics } = this.#dependencies;
    const { job, awaitingReplacement } = this.#seen;
    expectations.expectCreations(this.#key, indexes.length);
    const reference = controllerRef(job, jobs);
    const left = [...indexes];
    const { successes, skipped, error } = await slowStart(indexes.length, async () => {
      const index = left.shift();
      const replaced = index === undefined ? undefined : awaitingReplacement.get(index);
      try {
        await podControl.create({ owner: job, reference, ...newJobPod(job, { index, replaced }) });
      } catch (cause) {
        expectations.creationObserved(this.#key);
        // All that is made in a namespace that ends fails: there is nothing to try again.
        if (!isNamespaceTerminating(cause)) throw cause;
      }
    });
    for (let i = 0; i < skipped; i++) expectations.creationObserved(this.#key);
    metrics.created(this.#seen, { succeeded: successes, failed: indexes.length - successes - skipped });
    return { created: successes, error };
  }

  // Pods that are one too many, or suspended, are not counted: their finalizer goes first.
  async #deleteUncounted(doomed: readonly Pod[]): Promise<Acted> {
    const { expectations } = this.#dependencies;
    expectations.expectDeletions(this.#key, doomed.map(keyOf));
    return this.#deleteEach(doomed, async (pod) => {
      try {
        if (hasTrackingFinalizer(pod)) await this.#removeFinalizer(pod);
        await this.#dependencies.podControl.delete({ owner: this.#seen.job, pod });
      } catch (error) {
        expectations.deletionObserved(this.#key, keyOf(pod));
        throw error;
      }
    });
  }

  // The Job ends: its pods keep their finalizers until they are counted.
  #deleteActive(): Promise<Acted> {
    const { podControl } = this.#dependencies;
    return this.#deleteEach(this.#seen.active, (pod) => podControl.delete({ owner: this.#seen.job, pod }));
  }

  async #deleteEach(doomed: readonly Pod[], act: (pod: Pod) => Promise<void>): Promise<Acted> {
    const { active, ready, terminating } = this.#seen;
    const ignoreGone = (error: unknown) => {
      if (!isNotFound(error)) throw error;
    };
    const results = await Promise.allSettled(doomed.map((pod) => act(pod).catch(ignoreGone)));
    const deleted = doomed.filter((_, index) => results[index]!.status === "fulfilled");
    const error: unknown = results.find((result) => result.status === "rejected")?.reason;
    return {
      active: active.length - deleted.length,
      ready: ready - deleted.filter(isPodReady).length,
      terminating: terminating + deleted.length,
      error,
    };
  }

  #suspension(status: Status): Status {
    const { clock, recorder } = this.#dependencies;
    const { job } = this.#seen;
    const nowMs = clock.now();
    const suspended = job.spec?.suspend === true;
    const [reason, message] = suspended ? ["JobSuspended", "Job suspended"] : ["JobResumed", "Job resumed"];
    const { conditions, changed } = ensureCondition(status.conditions, {
      type: "Suspended",
      status: suspended ? "True" : "False",
      reason: reason!,
      message: message!,
      nowMs,
    });
    if (!changed) return status;
    recorder.record(job, { type: "Normal", reason: suspended ? "Suspended" : "Resumed", message: message! });
    // activeDeadlineSeconds counts the time since the Job runs without a break.
    return { ...status, conditions, ...(suspended ? {} : { startTime: formatTime(nowMs) }) };
  }

  async #settleAccount(account: Account, verdict: Verdict | undefined): Promise<void> {
    const { clock, metrics } = this.#dependencies;
    let job = await this.#write(this.#seen.job, announce(account.status, verdict, clock.now()));
    metrics.judged(account.judged);
    const { held, error } = await this.#release(account);
    const status = settle(job.status!, held);
    const isLast = verdict && !error && !account.full && isSettled(status) && !status.terminating;
    if (!isLast) {
      await this.#write(job, status);
      if (error) throw error;
      return;
    }
    const end = finalVerdict(verdict);
    const nowMs = clock.now();
    const { conditions } = ensureCondition(status.conditions, { ...end, status: "True", nowMs });
    const completionTime = end.type === "Complete" ? { completionTime: formatTime(nowMs) } : {};
    job = await this.#write(job, { ...status, conditions, ...completionTime });
    metrics.finished(job, end);
    this.#tellEnd(job, end);
  }

  async #release({ release, held }: Account): Promise<{ held: ReadonlySet<string>; error: unknown }> {
    const { releases } = this.#dependencies;
    const stillHeld = new Set(held);
    releases.expect(
      this.#key,
      release.map(({ metadata }) => metadata.uid),
    );
    const results = await Promise.allSettled(
      release.map(async (pod) => {
        const { uid } = pod.metadata;
        try {
          await this.#removeFinalizer(pod);
        } catch (error) {
          releases.observed(this.#key, uid);
          if (!isNotFound(error)) throw error;
        }
        stillHeld.delete(uid);
      }),
    );
    return { held: stillHeld, error: results.find((result) => result.status === "rejected")?.reason };
  }

  async #removeFinalizer(pod: Pod): Promise<void> {
    const { name, namespace } = pod.metadata;
    const where = { name, namespace: namespace! };
    await this.#dependencies.client.patch(pods, where, withoutTrackingFinalizer(pod), { type: "strategic" });
  }

  async #write(job: Job, next: Status): Promise<Job> {
    const status = tidy(next);
    if (semanticDeepEqual(status, job.status)) return job;
    const { client, metrics } = this.#dependencies;
    const written = await client.update(jobs, { ...job, status }, { subresource: "status" });
    metrics.counted(written, job.status);
    return written;
  }

  #tellEnd(job: Job, { type, reason, message }: Verdict): void {
    const { recorder } = this.#dependencies;
    if (type === "Failed") {
      recorder.record(job, { type: "Warning", reason, message });
      return;
    }
    const { completions } = job.spec!;
    if (completions !== undefined && (job.status?.succeeded ?? 0) > completions) {
      const words = "Too many succeeded pods running after completion count reached";
      recorder.record(job, { type: "Warning", reason: "TooManySucceededPods", message: words });
    }
    recorder.record(job, { type: "Normal", reason: "Completed", message: "Job completed" });
  }
}

function announce(status: Status, verdict: Verdict | undefined, nowMs: number): Status {
  if (!verdict) return status;
  const known = status.conditions?.some(({ type, status: state }) => type === verdict.type && state === "True");
  if (known) return status;
  const { conditions } = ensureCondition(status.conditions, { ...verdict, status: "True", nowMs });
  return { ...status, conditions };
}
