// One pod's life: syncing, terminating, terminated, finished. Mirrors upstream's pod_workers.go; the steps themselves, and
// when they are due, live beside it.

import type { Pod, PodStatus } from "@picokube/api/core/v1";
import { isPodTerminal } from "@picokube/api/pod";
import { PodResize } from "../allocation/pod-resize.js";
import type { PodOperation } from "../metrics/instruments.js";
import type { PodState } from "../parts.js";
import { abortable } from "./abortable.js";
import { removeDeadContainers, removePodFromRuntime } from "./collect-containers.js";
import { killPod } from "./kill-container.js";
import { observePod } from "./observe-pod.js";
import { computePodActions, isIdle } from "./pod-actions.js";
import type { PodContext } from "./pod-context.js";
import { generatePodStatus } from "./pod-status.js";
import { forgetPod, releasePod } from "./release-pod.js";
import { requireNetwork } from "./start-sandbox.js";
import { StepLoop } from "./step-loop.js";
import { type PodSync, type SyncOutcome, syncPod } from "./sync-pod.js";
import { TerminationMessages } from "./termination-messages.js";
import { deadlineExceeded, deadlineLeftMs, effectiveGraceSeconds, type Verdict } from "./verdict.js";

type Stage = "syncing" | "terminating" | "terminated" | "finished";

const retryAfterFailureMs = 10_000;

export class PodWorker {
  readonly #context: PodContext;
  readonly #onGone: (uid: string) => void;
  readonly #failures = new Map<string, { reason: string; message: string }>();
  readonly #messages: TerminationMessages;
  readonly #resize: PodResize;
  readonly #loop: StepLoop;
  #pod: Pod;
  #stage: Stage = "syncing";
  #verdict: Verdict | undefined;
  #status: PodStatus | undefined;
  #operation: PodOperation = "create";
  #removed = false;
  /** Of the termination under way. */
  #graceSeconds: number | undefined;

  /** onGone is called when nothing of the pod is left and the API has forgotten it. */
  constructor(context: PodContext, pod: Pod, onGone: (uid: string) => void) {
    this.#context = context;
    this.#pod = pod;
    this.#resize = new PodResize(context, pod);
    this.#onGone = onGone;
    this.#messages = new TerminationMessages(context.runtime);
    this.#loop = new StepLoop({
      clock: context.clock,
      step: (signal) => this.#step(signal),
      onFailure: (err) => this.#context.logger.error("Error syncing pod, skipping", { ...this.#logged(), err }),
    });
  }

  get pod(): Pod {
    return this.#pod;
  }

  get status(): PodStatus | undefined {
    return this.#status;
  }

  /** Nothing of it runs, nor will it again. */
  get ended(): boolean {
    return this.#verdict?.refused === true || this.#stage === "terminated" || this.cleanedUp;
  }

  /** It has ended, and its volumes and cgroup are gone. */
  get cleanedUp(): boolean {
    return this.#stage === "finished";
  }

  /** The API's (or the file's) newer word on the pod. */
  update(pod: Pod): void {
    const isDeletion = pod.metadata.deletionTimestamp !== undefined && !this.#pod.metadata.deletionTimestamp;
    this.#pod = pod;
    if (this.#status) this.#operation = "update";
    this.#resize.update(pod);
    if (isDeletion && this.#stage === "syncing") this.#loop.interrupt();
    this.#hurry();
    this.wake();
  }

  /** The pod must not run (any more); the first verdict counts. */
  end(verdict: Verdict): void {
    this.#verdict ??= verdict;
    if (this.#stage === "syncing") this.#loop.interrupt();
    this.#hurry();
    this.wake();
  }

  /** A termination under way makes way for one with less grace. */
  #hurry(): void {
    if (this.#stage !== "terminating") return;
    if (effectiveGraceSeconds(this.#pod, this.#verdict) < (this.#graceSeconds ?? Number.POSITIVE_INFINITY))
      this.#loop.interrupt();
  }

  /** The API (or the file) has forgotten the pod. */
  remove(): void {
    this.#removed = true;
    if (this.#stage === "syncing") this.#loop.interrupt();
    this.wake();
  }

  /** Begins when the others have ended, whatever wakes it before. */
  beginAfter(others: Promise<void>): void {
    this.#loop.beginAfter(others);
  }

  /** Something may have changed. Coalesces. */
  wake(): void {
    this.#tellMeanwhile(this.#context.states.get(this.#pod.metadata.uid));
    this.#loop.wake();
  }

  /** The runtime tells of a change. */
  runtimeChanged(): void {
    this.#tellMeanwhile(this.#context.states.get(this.#pod.metadata.uid));
    this.#loop.news();
  }

  /** Ends the loop and leaves the pod running, as a kubelet that stops does. */
  stop(): Promise<void> {
    return this.#loop.stop();
  }

  #logged() {
    const { name, namespace, uid } = this.#pod.metadata;
    return { pod: `${namespace}/${name}`, podUID: uid };
  }

  async #step(signal: AbortSignal): Promise<number | undefined> {
    const { clock, instruments } = this.#context;
    const [operation, beganMs] = [this.#operation, clock.now()];
    this.#operation = "sync";
    const againMs = await this.#next(signal);
    instruments.podSynced(this.#stage === "syncing" ? operation : "kill", clock.now() - beganMs);
    return againMs;
  }

  /** One step; resolves to when the next is due without anybody's waking. */
  async #next(signal: AbortSignal): Promise<number | undefined> {
    if (this.#stage === "syncing") {
      const leaving =
        this.#removed || this.#pod.metadata.deletionTimestamp !== undefined || this.#verdict !== undefined;
      if (!leaving && !isPodTerminal({ status: this.#status ?? this.#pod.status })) return this.#sync(signal);
      this.#stage = "terminating";
    }
    if (this.#stage === "terminating") await this.#terminate(signal);
    if (this.#stage === "terminated") await this.#release();
    if (this.#stage === "finished") await this.#finish();
    return undefined;
  }

  #observe(): Promise<PodState> {
    return observePod(this.#context, this.#pod, this.#messages);
  }

  #generate(state: PodState, { terminal }: { terminal: boolean }): PodStatus {
    const { prober, settings, clock, statuses } = this.#context;
    const old = this.#status ?? statuses.get(this.#pod.metadata.uid) ?? this.#pod.status;
    this.#status = generatePodStatus({
      pod: this.#resize.allocated,
      state,
      old,
      failures: this.#failures,
      readiness: (id) => prober.readiness(id),
      startup: (id) => prober.startup(id),
      terminationMessage: (id) => this.#messages.of(id, old),
      hostIps: settings.nodeIps,
      recursiveReadOnlyMounts: this.#context.recursiveReadOnlyMounts,
      nowMs: clock.now(),
      terminal,
      resizeConditions: terminal ? [] : this.#resize.conditions(state),
      ...(this.#verdict ? { verdict: this.#verdict } : {}),
    });
    return this.#status;
  }

  /** A wish of its own waits for room. */
  get waitsForResize(): boolean {
    return this.#stage === "syncing" && this.#resize.waits;
  }

  async #sync(signal: AbortSignal): Promise<number | undefined> {
    const { prober } = this.#context;
    this.#resize.grant(this.#pod);
    const state = await this.#observe();
    if (this.#overDeadline()) return 0;
    if (isPodTerminal({ status: this.#tell(state) })) return 0;
    prober.addPod(this.#pod);
    requireNetwork(this.#context, this.#pod);
    const pod = this.#resize.allocated;
    const actions = computePodActions(pod, state, prober);
    if (!actions.createSandbox) this.#context.volumes.update(this.#pod);
    // Beside the rest, and the pod's end does not wait for it: an engine may try for minutes to remove what it cannot.
    const removal = this.#removeDead(state);
    try {
      return isIdle(actions) ? this.#syncAgainMs() : await this.#carryOut({ pod, state, actions, signal });
    } finally {
      await abortable(removal, signal);
    }
  }

  async #carryOut(sync: Omit<PodSync, "failures">): Promise<number> {
    let outcome: SyncOutcome;
    try {
      outcome = await syncPod(this.#context, { ...sync, failures: this.#failures });
      this.#resize.carriedOut(outcome.resizeError);
    } finally {
      if (!sync.signal.aborted) this.#tell(await this.#observe());
    }
    // Everything but a back-off may need another step at once: the next init container.
    if (!outcome.failed && outcome.retryMs === undefined) return 0;
    const retryMs = outcome.failed ? retryAfterFailureMs * (1 + Math.random() * 0.5) : Number.POSITIVE_INFINITY;
    return Math.min(retryMs, outcome.retryMs ?? Number.POSITIVE_INFINITY, this.#syncAgainMs());
  }

  async #removeDead(state: PodState): Promise<void> {
    const { runtime, settings, clock } = this.#context;
    const collection = { policy: settings.deadContainers, nowMs: clock.now() };
    for (const { id, error } of await removeDeadContainers(runtime, state, collection)) this.#cannotRemove(id, error);
  }

  /** Neither the pod nor its end waits for what the engine cannot remove: the next sync, or the collector of orphans, asks again. */
  #cannotRemove(containerID: string, err: unknown): void {
    this.#context.logger.error("Cannot remove a dead container yet", { ...this.#logged(), containerID, err });
  }

  #syncAgainMs(): number {
    const { settings, clock } = this.#context;
    const leftMs = deadlineLeftMs(this.#pod, this.#status, clock.now());
    return Math.max(0, Math.min(settings.syncFrequencyMs * (1 + Math.random() * 0.5), leftMs));
  }

  #overDeadline(): boolean {
    if (deadlineLeftMs(this.#pod, this.#status, this.#context.clock.now()) > 0) return false;
    this.#context.events.normal(this.#pod, deadlineExceeded);
    this.#verdict ??= deadlineExceeded;
    return true;
  }

  /** Tells the API, but of no pod's end while anything of it runs: upstream's mergePodStatus. */
  #tell(state: PodState): PodStatus {
    const status = this.#generate(state, { terminal: false });
    const runs = state.containers.some((container) => container.state === "running");
    if (!runs || !isPodTerminal({ status })) this.#context.statuses.set(this.#pod, status);
    return status;
  }

  /** Its readiness counts also while it ends. */
  #tellMeanwhile(state: PodState | undefined): void {
    if (this.#stage !== "terminating") return;
    const hasEnded = isPodTerminal({ status: this.#status ?? this.#pod.status });
    if (state && !hasEnded && !this.#removed && !this.#verdict) this.#tell(state);
  }

  async #terminate(signal: AbortSignal): Promise<void> {
    const { statuses, prober } = this.#context;
    prober.stopLivenessAndStartup(this.#pod.metadata.uid);
    this.#graceSeconds = effectiveGraceSeconds(this.#pod, this.#verdict);
    const state = await this.#observe();
    this.#tellMeanwhile(state);
    await abortable(killPod(this.#context, this.#pod, state, { graceSeconds: this.#graceSeconds, signal }), signal);
    const after = await this.#observe();
    const alive = after.containers.filter((container) => container.state === "running");
    if (alive.length > 0)
      throw new Error(`detected running containers after KillPod: ${alive.map(({ name }) => name)}`);
    prober.removePod(this.#pod.metadata.uid);
    this.#failures.clear();
    this.#generate(after, { terminal: true });
    this.#stage = "terminated";
    if (!this.#removed) statuses.set(this.#pod, this.#status!);
  }

  async #release(): Promise<void> {
    await releasePod(this.#context, await this.#observe());
    this.#stage = "finished";
    if (!this.#removed) this.#context.statuses.terminate(this.#pod, this.#status!);
  }

  async #finish(): Promise<void> {
    const { statuses, runtime } = this.#context;
    const { uid, deletionTimestamp } = this.#pod.metadata;
    if (!this.#removed && deletionTimestamp !== undefined) statuses.terminate(this.#pod, this.#status!);
    if (!this.#removed && deletionTimestamp === undefined) return;
    for (const { id, error } of await removePodFromRuntime(runtime, await this.#observe()))
      this.#cannotRemove(id, error);
    if (!this.#removed) return;
    await forgetPod(this.#context, uid);
    this.#loop.end();
    this.#onGone(uid);
  }
}
