// One pod's resize from wish to deed: grants what the node has room for, remembers why it could not, and tells of both in
// conditions. Touches no container.

import type { Pod, PodCondition } from "@picokube/api/core/v1";
import type { PodState } from "../parts.js";
import { newestOf } from "../pods/container-spec.js";
import type { PodContext } from "../pods/pod-context.js";
import { resizableContainers } from "./allocated-pods.js";
import { resizeOf } from "./container-resize.js";
import { type PendingResize, pendingResize, resizeConditions } from "./judge-resize.js";

type Granting = Pick<PodContext, "allocations" | "otherPods" | "objects" | "settings">;

export class PodResize {
  readonly #context: Granting;
  #allocated: Pod;
  #pending: PendingResize | undefined;
  #error: string | undefined;

  constructor(context: Granting, pod: Pod) {
    this.#context = context;
    this.#allocated = context.allocations.apply(pod);
  }

  /** The pod as it was last given here, with the resources it was granted. */
  get allocated(): Pod {
    return this.#allocated;
  }

  /** A wish waits for room. */
  get waits(): boolean {
    return this.#pending !== undefined;
  }

  /** The pod's newer spec or metadata, without granting anything. */
  update(pod: Pod): void {
    this.#allocated = this.#context.allocations.apply(pod);
  }

  /** Grants what the spec wishes, if the node has it; a pod's first wish was judged when the node took it. */
  grant(pod: Pod): void {
    const { allocations, otherPods, objects, settings } = this.#context;
    const { uid } = pod.metadata;
    const isNew = !allocations.has(uid);
    this.#allocated = allocations.apply(pod);
    this.#pending = undefined;
    if (this.#allocated === pod && !isNew) return;
    if (!isNew) {
      const admission = { others: otherPods(uid), node: objects.node(), maxPods: settings.maxPods };
      this.#pending = pendingResize(pod, admission);
      if (this.#pending) return;
    }
    this.#error = undefined;
    allocations.set(pod);
    this.#allocated = pod;
  }

  /** How carrying it out went: the engine's words, or undefined. */
  carriedOut(error: string | undefined): void {
    this.#error = error;
  }

  /** PodResizePending and PodResizeInProgress, as far as they are true. */
  conditions(state: PodState): PodCondition[] {
    const inProgress = resizableContainers(this.#allocated).some((container) => {
      const status = newestOf(state, container.name);
      return status !== undefined && resizeOf(container, status) !== undefined;
    });
    return resizeConditions({ pending: this.#pending, inProgress, error: inProgress ? this.#error : undefined });
  }
}
