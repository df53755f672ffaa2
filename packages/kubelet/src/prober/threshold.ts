// Counts outcomes in a row until they are a verdict. Pure.

import type { Probe } from "@picokube/api/core/v1";

/** Turns single outcomes into verdicts: undefined while the row is too short to change anything. */
export class Threshold {
  readonly #success: number;
  readonly #failure: number;
  #last: boolean | undefined;
  #row = 0;

  constructor({ successThreshold = 1, failureThreshold = 3 }: Pick<Probe, "successThreshold" | "failureThreshold">) {
    this.#success = successThreshold;
    this.#failure = failureThreshold;
  }

  add(success: boolean): boolean | undefined {
    this.#row = this.#last === success ? this.#row + 1 : 1;
    this.#last = success;
    return this.#row >= (success ? this.#success : this.#failure) ? success : undefined;
  }

  reset(): void {
    this.#row = 0;
    this.#last = undefined;
  }
}
