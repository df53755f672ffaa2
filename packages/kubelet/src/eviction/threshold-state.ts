// From what is observed to what follows: which thresholds are met, for how long, which conditions the node has, and what
// must be reclaimed now. Mirrors the first half of upstream's synchronize. Pure.

import { type Observation, type Observations, type PressureCondition, signals } from "./signals.js";
import { type Threshold, type ThresholdValue, thresholdQuantity } from "./thresholds.js";

/** What one round hands to the next. */
export interface ThresholdState {
  /** When a threshold was first seen met, by its key. */
  readonly firstObservedAt: ReadonlyMap<string, number>;
  /** Met with their grace periods, and not resolved. */
  readonly met: readonly Threshold[];
  readonly conditionLastObservedAt: ReadonlyMap<PressureCondition, number>;
}

export const noThresholdsMet: ThresholdState = {
  firstObservedAt: new Map(),
  met: [],
  conditionLastObservedAt: new Map(),
};

export interface Round {
  readonly observations: Observations;
  readonly state: ThresholdState;
  /** A condition stays for so long after it was last observed. */
  readonly transitionPeriodMs: number;
  readonly nowMs: number;
}

const valueKey = (value: ThresholdValue) => ("quantity" in value ? String(value.quantity.nanos) : `${value.fraction}x`);
const keyOf = ({ signal, value, gracePeriodMs }: Threshold) => `${signal} ${valueKey(value)} ${gracePeriodMs}`;

function isMet({ value, minReclaim }: Threshold, observed: Observation, withReclaim: boolean): boolean {
  let wanted = thresholdQuantity(value, observed.capacity);
  if (withReclaim && minReclaim) wanted = wanted.add(thresholdQuantity(minReclaim, observed.capacity));
  return wanted.compare(observed.available) > 0;
}

/** Upstream's thresholdsMet; with reclaim, more than the threshold must be free. */
export function thresholdsMet(
  thresholds: readonly Threshold[],
  observations: Observations,
  { withReclaim }: { withReclaim: boolean },
): Threshold[] {
  return thresholds.filter((threshold) => {
    const observed = observations.get(threshold.signal);
    return observed !== undefined && isMet(threshold, observed, withReclaim);
  });
}

/** One round: the next state, the node's conditions, and the thresholds to act on, memory first. */
export function judgeThresholds(
  thresholds: readonly Threshold[],
  { observations, state, transitionPeriodMs, nowMs }: Round,
): { state: ThresholdState; conditions: PressureCondition[]; toReclaim: Threshold[] } {
  const met = thresholdsMet(thresholds, observations, { withReclaim: false });
  const known = new Set(met.map(keyOf));
  for (const threshold of thresholdsMet(state.met, observations, { withReclaim: true })) {
    if (!known.has(keyOf(threshold))) met.push(threshold);
  }
  const firstObservedAt = new Map(met.map((one) => [keyOf(one), state.firstObservedAt.get(keyOf(one)) ?? nowMs]));
  const conditionLastObservedAt = new Map(state.conditionLastObservedAt);
  for (const { signal } of met) conditionLastObservedAt.set(signals[signal].condition, nowMs);
  const conditions = [...conditionLastObservedAt]
    .filter(([, observedAt]) => nowMs - observedAt < transitionPeriodMs)
    .map(([condition]) => condition);
  const due = met.filter((one) => nowMs - firstObservedAt.get(keyOf(one))! >= one.gracePeriodMs);
  return {
    state: { firstObservedAt, met: due, conditionLastObservedAt },
    conditions,
    toReclaim: [...due].sort((a, b) => Number(isMemory(b)) - Number(isMemory(a))),
  };
}

const isMemory = ({ signal }: Threshold) => signals[signal].resource === "memory";
