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
    this.deployment = await this.dependencies.client.update(
      deployments,
      { ...this.deployment, status },
      { subresource: "status" },
    );
    return this.deployment;
  }

  /** Replaces the condition Progressing. */
  async setProgressing(words: {
    status: "True" | "False" | "Unknown";
    reason: string;
    message: string;
  }): Promise<void> {
    const condition = newCondition({ type: "Progressing", ...words, nowMs: this.dependencies.clock.now() });
    const conditions = withCondition(this.deployment.status?.conditions, condition);
    await this.writeStatus({ ...this.deployment.status, conditions });
  }

  /** Writes the revision annotation of the Deployment. */
  async setRevision(revision: string): Promise<void> {
    const { metadata } = this.deployment;
    if (metadata.annotations?.[revisionAnnotation] === revision) return;
    const annotations = { ...metadata.annotations, [revisionAnnotation]: revision };
    this.deployment = await this.dependencies.client.update(deployments, {
      ...this.deployment,
      metadata: { ...metadata, annotations },
    });
  }

  /** Writes one ReplicaSet and remembers the answer. */
  async updateReplicaSet(next: ReplicaSet): Promise<ReplicaSet> {
    const updated = await this.dependencies.client.update(replicasets, next);
    this.replicaSets = this.replicaSets.map((each) => (each.metadata.uid === updated.metadata.uid ? updated : each));
    return updated;
  }
}
