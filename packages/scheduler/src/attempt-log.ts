// The latest verdicts of the scheduler, kept to be shown. Bounded; decides nothing.

import type { NodeScore } from "./cycle.js";

/** One attempt: where the pod went and how the nodes were scored, or why it went nowhere. */
export interface Attempt {
  readonly pod: string;
  readonly timeMs: number;
  readonly node?: string;
  readonly scores?: readonly NodeScore[];
  readonly message?: string;
  /** Node → reasons. */
  readonly rejections?: Readonly<Record<string, readonly string[]>>;
}

const MAX_ATTEMPTS = 500;

export class AttemptLog {
  #attempts: Attempt[] = [];

  add(attempt: Attempt): void {
    this.#attempts.push(attempt);
    if (this.#attempts.length > MAX_ATTEMPTS * 2) this.#attempts = this.#attempts.slice(-MAX_ATTEMPTS);
  }

  /** The newest last; those of one pod ("namespace/name") when it is given. */
  list(pod?: string): readonly Attempt[] {
    const kept = this.#attempts.slice(-MAX_ATTEMPTS);
    return pod === undefined ? kept : kept.filter((attempt) => attempt.pod === pod);
  }
}
