// What the flags' values must be beyond their types, in upstream's words. Pure.

import { ConfigError } from "@picokube/component-base/config-error";
import type { ControllerManagerValues } from "./options.js";

interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** Flags whose controllers upstream refuses to run without a worker. */
const workers = [
  "concurrent-cron-job-syncs",
  "concurrent-daemonset-syncs",
  "concurrent-deployment-syncs",
  "concurrent-endpoint-syncs",
  "concurrent-ephemeralvolume-syncs",
  "concurrent-gc-syncs",
  "concurrent-job-syncs",
  "concurrent-namespace-syncs",
  "concurrent-rc-syncs",
  "concurrent-replicaset-syncs",
  "concurrent-resource-quota-syncs",
  "concurrent-statefulset-syncs",
  "concurrent-ttl-after-finished-syncs",
] as const;

const bounded: Readonly<Record<string, Bounds>> = {
  "concurrent-service-endpoint-syncs": { least: 1, most: 50 },
  "max-endpoints-per-slice": { least: 1, most: 1000 },
  "mirroring-concurrent-service-endpoint-syncs": { least: 1, most: 50 },
  "mirroring-max-endpoints-per-subset": { least: 1, most: 1000 },
};

/** Throws a ConfigError that names the first flag that is wrong. */
export function validateOptions(options: ControllerManagerValues): void {
  const numberOf = (flag: string) =>
    (options as unknown as Record<string, number>)[flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())]!;
  for (const flag of workers)
    if (numberOf(flag) < 1) throw new ConfigError(`${flag} must be greater than 0, but got ${numberOf(flag)}`);
  for (const [flag, { least, most }] of Object.entries(bounded)) {
    const value = numberOf(flag);
    if (value < least) throw new ConfigError(`${flag} must not be less than ${least}, but got ${value}`);
    if (value > most) throw new ConfigError(`${flag} must not be more than ${most}, but got ${value}`);
  }
}
