// What is wrong with the options that divide the node's resources, in upstream's words
// (pkg/kubelet/apis/config/validation). Pure; reads no file.

import { cpus } from "node:os";
import { parseQuantity } from "@picokube/api/quantity";
import { ConfigError } from "@picokube/component-base/config-error";
import { formatDuration } from "@picokube/component-base/duration";
import { parseThresholds, type Threshold } from "./eviction/thresholds.js";
import { type ShutdownPeriod, shutdownPeriods } from "./nodeshutdown/shutdown-groups.js";

type Statements = Readonly<Record<string, string>>;

export interface ResourceOptions {
  readonly evictionHard: Statements;
  readonly evictionSoft: Statements;
  readonly evictionSoftGracePeriod: Statements;
  readonly evictionMinimumReclaim: Statements;
  readonly enforceNodeAllocatable: readonly string[];
  readonly cgroupsPerQos: boolean;
  readonly kubeReserved: Statements;
  readonly systemReserved: Statements;
  readonly imageGcHighThreshold: number;
  readonly imageGcLowThreshold: number;
  readonly minimumImageTtlDuration: number;
  readonly imageMaximumGcAge: number;
  readonly nodeStatusMaxImages: number;
  readonly serializeImagePulls: boolean;
  readonly maxParallelImagePulls: number | undefined;
}

const wrong = (words: string) => new ConfigError(`invalid configuration: ${words}`);

/** Throws ConfigError when a threshold cannot be read. */
export function thresholdsOf(options: ResourceOptions): Threshold[] {
  try {
    return parseThresholds({ ...options, enforcesPods: options.enforceNodeAllocatable.includes("pods") });
  } catch (error) {
    throw new ConfigError((error as Error).message, { cause: error });
  }
}

export interface ShutdownOptions {
  readonly shutdownGracePeriod: number;
  readonly shutdownGracePeriodCriticalPods: number;
}

/** Throws ConfigError for periods that contradict each other. byPodPriority is the file's, unread. */
export function shutdownPeriodsOf(options: ShutdownOptions, byPodPriority: unknown): ShutdownPeriod[] {
  const { shutdownGracePeriod: gracePeriodMs, shutdownGracePeriodCriticalPods: criticalPodsMs } = options;
  const [grace, critical] = [formatDuration(gracePeriodMs), formatDuration(criticalPodsMs)];
  if (criticalPodsMs > gracePeriodMs) {
    throw wrong(`shutdownGracePeriodCriticalPods {${critical}} must be <= shutdownGracePeriod {${grace}}`);
  }
  const check = (field: string, ms: number, shown: string) => {
    if (ms < 0 || (ms > 0 && ms < 1000)) throw wrong(`${field} {${shown}} must be either zero or otherwise >= 1 sec`);
  };
  check("shutdownGracePeriod", gracePeriodMs, grace);
  check("shutdownGracePeriodCriticalPods", criticalPodsMs, critical);
  const listed = (byPodPriority ?? []) as readonly ShutdownPeriod[];
  const isPeriod = ({ priority, shutdownGracePeriodSeconds }: ShutdownPeriod) =>
    Number.isInteger(priority) && Number.isInteger(shutdownGracePeriodSeconds);
  if (!Array.isArray(listed) || !listed.every((item) => item !== null && isPeriod(item))) {
    throw wrong("shutdownGracePeriodByPodPriority must be a list of priority and shutdownGracePeriodSeconds");
  }
  if (listed.length > 0 && gracePeriodMs > 0) {
    throw wrong("Cannot specify both shutdownGracePeriodByPodPriority and shutdownGracePeriod at the same time");
  }
  return shutdownPeriods({ gracePeriodMs, criticalPodsMs, byPodPriority: listed });
}

function validateImages(options: ResourceOptions): void {
  const { imageGcHighThreshold: high, imageGcLowThreshold: low, minimumImageTtlDuration: minAge } = options;
  const percent = (field: string, flag: string, value: number) => {
    if (value < 0 || value > 100) throw wrong(`${field} (--${flag}) ${value} must be between 0 and 100, inclusive`);
  };
  percent("imageGCHighThresholdPercent", "image-gc-high-threshold", high);
  percent("imageGCLowThresholdPercent", "image-gc-low-threshold", low);
  if (low >= high) {
    throw wrong(
      `imageGCLowThresholdPercent (--image-gc-low-threshold) ${low} must be less than imageGCHighThresholdPercent (--image-gc-high-threshold) ${high}`,
    );
  }
  const maxAge = options.imageMaximumGcAge;
  if (minAge < 0) throw wrong(`imageMinimumGCAge ${formatDuration(minAge)} must not be negative`);
  if (maxAge < 0) throw wrong(`imageMaximumGCAge ${formatDuration(maxAge)} must not be negative`);
  if (maxAge > 0 && maxAge <= minAge) {
    throw wrong(
      `imageMaximumGCAge ${formatDuration(maxAge)} must be greater than imageMinimumGCAge ${formatDuration(minAge)}`,
    );
  }
  const { nodeStatusMaxImages } = options;
  if (nodeStatusMaxImages < -1) {
    throw wrong(`nodeStatusMaxImages (--node-status-max-images) ${nodeStatusMaxImages} must be -1 or greater`);
  }
  const { maxParallelImagePulls: pulls, serializeImagePulls } = options;
  if (pulls !== undefined && pulls < 1) throw wrong(`maxParallelImagePulls ${pulls} must be a positive number`);
  if (serializeImagePulls && pulls !== undefined && pulls > 1) {
    throw wrong(
      "maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls (--serialize-image-pulls) is set to false",
    );
  }
}

function validateReservations(options: ResourceOptions): void {
  for (const [flag, reserved] of [
    ["kube-reserved", options.kubeReserved],
    ["system-reserved", options.systemReserved],
  ] as const) {
    for (const [name, text] of Object.entries(reserved)) {
      if (!["cpu", "memory", "ephemeral-storage", "pid"].includes(name)) {
        throw new ConfigError(`cannot reserve ${JSON.stringify(name)} resource`);
      }
      let quantity: ReturnType<typeof parseQuantity>;
      try {
        quantity = parseQuantity(text);
      } catch (error) {
        const why = `failed to parse quantity ${JSON.stringify(text)} for ${JSON.stringify(name)} resource`;
        throw new ConfigError(`--${flag} value failed to parse: ${why}: ${(error as Error).message}`, { cause: error });
      }
      if (quantity.sign < 0) {
        throw new ConfigError(`resource quantity for ${JSON.stringify(name)} cannot be negative: ${text}`);
      }
    }
  }
}

/** Throws ConfigError for the first thing that is wrong. */
export function validateResourceOptions(options: ResourceOptions): void {
  validateImages(options);
  validateReservations(options);
  const levels = options.enforceNodeAllocatable;
  if (levels.includes("none") && levels.length > 1) {
    throw wrong(
      'enforceNodeAllocatable (--enforce-node-allocatable) may not contain additional enforcements when "none" is specified',
    );
  }
  for (const level of levels) {
    if (level === "none" || level === "") continue;
    if (level !== "pods") {
      throw wrong(
        `option ${JSON.stringify(level)} specified for enforceNodeAllocatable (--enforce-node-allocatable). Valid options are "pods" or "none"`,
      );
    }
    if (!options.cgroupsPerQos) {
      throw wrong(
        `cgroupsPerQOS (--cgroups-per-qos) must be set to true when ${JSON.stringify(level)} contained in enforceNodeAllocatable (--enforce-node-allocatable)`,
      );
    }
  }
}

/** Upstream's: as many a core, but never more than --max-pods. Throws ConfigError. */
export function maxPodsOf({ maxPods, podsPerCore }: { maxPods: number; podsPerCore: number }): number {
  const wrong = (field: string, flag: string, value: number) =>
    new ConfigError(`invalid configuration: ${field} (--${flag}) ${value} must not be a negative number`);
  if (maxPods < 0) throw wrong("maxPods", "max-pods", maxPods);
  if (podsPerCore < 0) throw wrong("podsPerCore", "pods-per-core", podsPerCore);
  return podsPerCore === 0 ? maxPods : Math.min(maxPods, podsPerCore * cpus().length);
}

/** Of the kubelet itself. Throws ConfigError. */
export function oomScoreAdjOf(score: number): number {
  if (score >= -1000 && score <= 1000) return score;
  throw new ConfigError(
    `invalid configuration: oomScoreAdj (--oom-score-adj) ${score} must be between -1000 and 1000, inclusive`,
  );
}
