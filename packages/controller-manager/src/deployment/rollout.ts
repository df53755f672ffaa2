// One pass over one Deployment: its writes to ReplicaSets and to itself, in upstream's order (sync.go, rolling.go, recreate.go).
// The decisions stand in rollout-plan.ts and deployment-status.ts.

import type { Deployment, ReplicaSet } from "@picokube/api/apps/v1";
import { replicasets } from "@picokube/api/apps/v1";
import type { Pod } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { controllerOf } from "@picokube/api/owner";
import { isPodTerminal } from "@picokube/api/pod";
import { findCondition } from "../conditions.js";
import { annotatedCount, desiredReplicasAnnotation, withReplicas } from "./annotations.js";
import { calculateStatus, hasProgressDeadline, rolloutStatus } from "./deployment-status.js";
import { newReplicaSet } from "./new-replica-set.js";
import { active, countedReplicas, fenceposts, findNewReplicaSet, isComplete, oldReplicaSets } from "./replica-sets.js";
import { rollBack } from "./rollback.js";
import { planCleanup, planRollingUpdate, planScale, type Scaling } from "./rollout-plan.js";
import { type RolloutDependencies, RolloutState } from "./rollout-state.js";

/** Carries one Deployment one step further. */
export class Rollout {
  readonly #state: RolloutState;
  readonly #pods: readonly Pod[];

  constructor(
    dependencies: RolloutDependencies,
    {
      deployment,
      replicaSets,
      pods,
    }: { deployment: Deployment; replicaSets: readonly ReplicaSet[]; pods: readonly Pod[] },
  ) {
    this.#state = new RolloutState(dependencies, { deployment, replicaSets });
    this.#pods = pods;
  }

  /** One pass; returns the Deployment as it then is. */
  async step(): Promise<Deployment> {
    const { metadata, spec } = this.#state.deployment;
    if (metadata.deletionTimestamp) return this.#syncStatus(undefined);
    await this.#syncPausedCondition();
    if (spec?.paused) return this.#syncScale();
    if (await rollBack(this.#state)) return this.#state.deployment;
    if (this.#isScalingEvent()) return this.#syncScale();
    return spec?.strategy?.type === "Recreate" ? this.#recreate() : this.#rollingUpdate();
  }

  async #rollingUpdate(): Promise<Deployment> {
    const newest = await newReplicaSet(this.#state, { create: true });
    if (!newest) return this.#syncRollout(undefined);
    const old = oldReplicaSets(this.#state.replicaSets, newest);
    const plan = planRollingUpdate({ deployment: this.#state.deployment, newest, old });
    await this.#carryOut(plan);
    if (plan.length === 0) await this.#cleanupWhenComplete(newest);
    return this.#syncRollout(newest);
  }

  async #recreate(): Promise<Deployment> {
    let newest = await newReplicaSet(this.#state, { create: false });
    const old = oldReplicaSets(this.#state.replicaSets, newest);
    const running = active(old);
    if (running.length > 0) {
      await this.#carryOut(running.map((replicaSet) => ({ replicaSet, replicas: 0 })));
      return this.#syncRollout(newest);
    }
    if (this.#oldPodsRunning(old)) return this.#syncRollout(newest);
    newest ??= await newReplicaSet(this.#state, { create: true });
    if (newest) {
      await this.#carryOut([{ replicaSet: newest, replicas: this.#state.deployment.spec?.replicas ?? 1 }]);
      await this.#cleanupWhenComplete(newest);
    }
    return this.#syncRollout(newest);
  }

  async #syncScale(): Promise<Deployment> {
    const newest = await newReplicaSet(this.#state, { create: false });
    const old = oldReplicaSets(this.#state.replicaSets, newest);
    await this.#carryOut(planScale({ deployment: this.#state.deployment, newest, old }));
    if (this.#state.deployment.spec?.paused) await this.#cleanup(newest);
    return this.#syncStatus(newest);
  }

  #isScalingEvent(): boolean {
    const desired = this.#state.deployment.spec?.replicas ?? 1;
    return active(this.#state.replicaSets).some((replicaSet) => {
      const annotated = annotatedCount(replicaSet, desiredReplicasAnnotation);
      return annotated !== undefined && annotated !== desired;
    });
  }

  #oldPodsRunning(old: readonly ReplicaSet[]): boolean {
    if (countedReplicas(old, "replicas") > 0) return true;
    const owners = new Set(old.map(({ metadata }) => metadata.uid));
    return this.#pods.some((pod) => owners.has(controllerOf(pod)?.uid ?? "") && !isPodTerminal(pod));
  }

  async #syncPausedCondition(): Promise<void> {
    const { spec, status } = this.#state.deployment;
    if (!hasProgressDeadline(this.#state.deployment)) return;
    const current = findCondition(status?.conditions, "Progressing");
    if (current?.reason === "ProgressDeadlineExceeded") return;
    const wasPaused = current?.reason === "DeploymentPaused";
    if (Boolean(spec?.paused) === wasPaused) return;
    await this.#state.setProgressing(
      spec?.paused
        ? { status: "Unknown", reason: "DeploymentPaused", message: "Deployment is paused" }
        : { status: "Unknown", reason: "DeploymentResumed", message: "Deployment is resumed" },
    );
  }

  async #carryOut(plan: readonly Scaling[]): Promise<void> {
    const { recorder } = this.#state.dependencies;
    const desired = this.#state.deployment.spec?.replicas ?? 1;
    const max = desired + fenceposts(this.#state.deployment).maxSurge;
    for (const { replicaSet, replicas } of plan) {
      const before = replicaSet.spec?.replicas ?? 1;
      const annotations = withReplicas(replicaSet.metadata.annotations, { desired, max });
      if (before === replicas && semanticDeepEqual(annotations, replicaSet.metadata.annotations)) continue;
      await this.#state.updateReplicaSet({
        ...replicaSet,
        metadata: { ...replicaSet.metadata, annotations },
        spec: { ...replicaSet.spec!, replicas },
      });
      if (before === replicas) continue;
      const direction = before < replicas ? "up" : "down";
      const message = `Scaled ${direction} replica set ${replicaSet.metadata.name} from ${before} to ${replicas}`;
      recorder.record(this.#state.deployment, { type: "Normal", reason: "ScalingReplicaSet", message });
    }
  }

  async #cleanupWhenComplete(newest: ReplicaSet): Promise<void> {
    if (isComplete(this.#state.deployment, this.#state.deployment.status ?? {})) await this.#cleanup(newest);
  }

  async #cleanup(newest: ReplicaSet | undefined): Promise<void> {
    for (const { metadata } of planCleanup(this.#state.deployment, oldReplicaSets(this.#state.replicaSets, newest))) {
      await this.#state.dependencies.client.delete(replicasets, {
        name: metadata.name,
        namespace: metadata.namespace!,
      });
      this.#state.replicaSets = this.#state.replicaSets.filter((each) => each.metadata.uid !== metadata.uid);
    }
  }

  #syncStatus(newest: ReplicaSet | undefined): Promise<Deployment> {
    const { clock } = this.#state.dependencies;
    const replicaSets = this.#state.replicaSets;
    const known = newest ?? findNewReplicaSet(this.#state.deployment, replicaSets);
    return this.#state.writeStatus(
      calculateStatus({ deployment: this.#state.deployment, replicaSets, newest: known, nowMs: clock.now() }),
    );
  }

  #syncRollout(newest: ReplicaSet | undefined): Promise<Deployment> {
    const { clock } = this.#state.dependencies;
    // The pass may have changed sizes: what counts is what the API server answered.
    const current = this.#state.replicaSets.find(({ metadata }) => metadata.uid === newest?.metadata.uid);
    return this.#state.writeStatus(
      rolloutStatus({
        deployment: this.#state.deployment,
        replicaSets: this.#state.replicaSets,
        newest: current,
        nowMs: clock.now(),
      }),
    );
  }
}
