// A Deployment and its ReplicaSets as the API server last answered them, and the writes that change them.
// Decides nothing.

import {
  type Deployment,
  type DeploymentStatus,
  deployments,
  type ReplicaSet,
  replicasets,
} from "@picokube/api/apps/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import type { Client } from "@picokube/client/client";
import type { EventRecorder } from "@picokube/client/event-recorder";
import type { Clock } from "@picokube/component-base/clock";
import { withCondition } from "../conditions.js";
import { revisionAnnotation } from "./annotations.js";
import { newCondition } from "./deployment-status.js";

export interface RolloutDependencies {
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
}

/** What the condition Progressing says. */
export interface ProgressingWords {
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

/** Holds what came back from each write, so that a pass never fights itself. */
export class RolloutState {
  readonly dependencies: RolloutDependencies;
  deployment: Deployment;
  replicaSets: ReplicaSet[];

  constructor(
    dependencies: RolloutDependencies,
    { deployment, replicaSets }: { deployment: Deployment; replicaSets: readonly ReplicaSet[] },
  ) {
    this.dependencies = dependencies;
    this.deployment = deployment;
    this.replicaSets = [...replicaSets];
  }

  /** Writes nothing when the status is so already. */
  async writeStatus(status: DeploymentStatus): Promise<Deployment> {
    if (semanticDeepEqual(status, this.deployment.status)) return this.deployment;
    return this.#write({ ...this.deployment, status });
  }

  /** Writes the revision annotation and, when given, the condition Progressing, in one: by way of the status, so that it
   * is no new generation. */
  async setRevision(revision: string, progressing?: ProgressingWords): Promise<void> {
    const { metadata, status } = this.deployment;
    if (metadata.annotations?.[revisionAnnotation] === revision && !progressing) return;
    const annotations = { ...metadata.annotations, [revisionAnnotation]: revision };
    await this.#write({
      ...this.deployment,
      metadata: { ...metadata, annotations },
      ...(progressing ? { status: this.#withProgressing(progressing) } : status ? { status } : {}),
    });
  }

  /** Replaces the condition Progressing. */
  async setProgressing(words: ProgressingWords): Promise<void> {
    await this.writeStatus(this.#withProgressing(words));
  }

  /** Writes one ReplicaSet and remembers the answer. */
  async updateReplicaSet(next: ReplicaSet): Promise<ReplicaSet> {
    const updated = await this.dependencies.client.update(replicasets, next);
    this.replicaSets = this.replicaSets.map((each) => (each.metadata.uid === updated.metadata.uid ? updated : each));
    return updated;
  }

  #withProgressing(words: ProgressingWords): DeploymentStatus {
    const condition = newCondition({ type: "Progressing", ...words, nowMs: this.dependencies.clock.now() });
    return { ...this.deployment.status, conditions: withCondition(this.deployment.status?.conditions, condition) };
  }

  async #write(next: Deployment): Promise<Deployment> {
    this.deployment = await this.dependencies.client.update(deployments, next, { subresource: "status" });
    return this.deployment;
  }
}
