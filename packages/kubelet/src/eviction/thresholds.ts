// Eviction thresholds out of configuration, in upstream's words where they are wrong (helpers.go ParseThresholdConfig),
// and the amount that each stands for. Pure.

import { Quantity } from "@picokube/api/quantity";
import { parseDuration } from "@picokube/component-base/duration";
import { type Signal, signals } from "./signals.js";

/** An amount, or a fraction of the capacity. */
export type ThresholdValue = { readonly quantity: Quantity } | { readonly fraction: number };

/** Met while less than the value is available; 0 ms of grace makes it a hard one. */
export interface Threshold {
  readonly signal: Signal;
  readonly value: ThresholdValue;
  readonly gracePeriodMs: number;
  /** How much more than the value must be available before it counts as resolved. */
  readonly minReclaim?: ThresholdValue;
}

type Statements = Readonly<Record<string, string>>;

/** The maps of KubeletConfiguration that eviction is configured by. */
export interface ThresholdConfig {
  readonly evictionHard: Statements;
  readonly evictionSoft: Statements;
  readonly evictionSoftGracePeriod: Statements;
  readonly evictionMinimumReclaim: Statements;
  /** enforceNodeAllocatable has "pods": hard memory thresholds hold below kubepods too. */
  readonly enforcesPods: boolean;
}

function signalOf(name: string): Signal {
  if (!Object.hasOwn(signals, name)) throw new Error(`unsupported eviction signal ${name}`);
  return name as Signal;
}

/** Upstream reckons in float32, and so 10% is a little more than a tenth. */
function parseFraction(text: string): number {
  const number = text.replace(/%+$/, "");
  const value = Number(number);
  if (number.trim() === "" || Number.isNaN(value)) {
    throw new Error(`strconv.ParseFloat: parsing ${JSON.stringify(number)}: invalid syntax`);
  }
  return Math.fround(Math.fround(value) / 100);
}

/** One "memory.available<100Mi"; undefined for 0% and 100%, which switch a threshold off. */
export function parseThreshold(name: string, text: string): Threshold | undefined {
  const signal = signalOf(name);
  if (text.endsWith("%")) {
    if (text === "0%" || text === "100%") return undefined;
    const fraction = parseFraction(text);
    if (fraction < 0) throw new Error(`eviction percentage threshold ${signal} must be >= 0%: ${text}`);
    if (fraction > 1) throw new Error(`eviction percentage threshold ${signal} must be <= 100%: ${text}`);
    return { signal, value: { fraction }, gracePeriodMs: 0 };
  }
  const quantity = Quantity.parse(text);
  if (quantity.sign <= 0) throw new Error(`eviction threshold ${signal} must be positive: ${quantity}`);
  return { signal, value: { quantity }, gracePeriodMs: 0 };
}

function parseAll(statements: Statements): Threshold[] {
  return Object.entries(statements).flatMap(([name, text]) => parseThreshold(name, text) ?? []);
}

function parseGracePeriods(statements: Statements): Map<Signal, number> {
  const periods = new Map<Signal, number>();
  for (const [name, text] of Object.entries(statements)) {
    const signal = signalOf(name);
    const periodMs = parseDuration(text);
    if (periodMs < 0) throw new Error(`invalid eviction grace period specified: ${text}, must be a positive value`);
    periods.set(signal, periodMs);
  }
  return periods;
}

function parseMinimumReclaims(statements: Statements): Map<Signal, ThresholdValue> {
  const reclaims = new Map<Signal, ThresholdValue>();
  for (const [name, text] of Object.entries(statements)) {
    const signal = signalOf(name);
    if (text.endsWith("%")) {
      const fraction = parseFraction(text);
      if (fraction <= 0) throw new Error(`eviction percentage minimum reclaim ${signal} must be positive: ${text}`);
      reclaims.set(signal, { fraction });
      continue;
    }
    const quantity = Quantity.parse(text);
    if (quantity.sign < 0) throw new Error(`negative eviction minimum reclaim specified for ${signal}`);
    reclaims.set(signal, { quantity });
  }
  return reclaims;
}

/** Hard ones, soft ones, then what follows from them. Throws an Error in upstream's words. */
export function parseThresholds(config: ThresholdConfig): Threshold[] {
  const hard = parseAll(config.evictionHard);
  const soft = parseAll(config.evictionSoft);
  const periods = parseGracePeriods(config.evictionSoftGracePeriod);
  const reclaims = parseMinimumReclaims(config.evictionMinimumReclaim);
  const graced = soft.map((threshold) => {
    const gracePeriodMs = periods.get(threshold.signal);
    if (gracePeriodMs === undefined) {
      throw new Error(`grace period must be specified for the soft eviction threshold ${threshold.signal}`);
    }
    return { ...threshold, gracePeriodMs };
  });
  const all = [...hard, ...graced].map((threshold): Threshold => {
    const minReclaim = reclaims.get(threshold.signal);
    return minReclaim ? { ...threshold, minReclaim } : threshold;
  });
  if (!config.enforcesPods) return all;
  const ofPods = all
    .filter((threshold) => threshold.signal === "memory.available" && isHard(threshold))
    .map((threshold): Threshold => ({ ...threshold, signal: "allocatableMemory.available" }));
  return [...all, ...ofPods];
}

/** Whether a pod goes at once, with next to no grace of its own. */
export function isHard({ gracePeriodMs }: Threshold): boolean {
  return gracePeriodMs === 0;
}

/** Upstream's GetThresholdQuantity. */
export function thresholdQuantity(value: ThresholdValue, capacity: Quantity): Quantity {
  if ("quantity" in value) return value.quantity;
  return Quantity.fromValue(Math.trunc(capacity.value() * value.fraction), "BinarySI");
}
