// In which order pods are evicted for a starved resource: upstream's rankMemoryPressure, rankDiskPressureFunc and
// rankPIDPressure (helpers.go). Pure.

import type { Pod } from "@picokube/api/core/v1";
import { podRequests } from "@picokube/api/pod";
import { type FsPart, type PodUsage, podFsUsage, type UsageOf } from "./pod-usage.js";
import { type Signal, signals } from "./signals.js";

type Compare = (a: Pod, b: Pod) => number;
type Measure = (pod: Pod, usage: PodUsage) => number;

const requested = (pod: Pod, resource: string) => podRequests(pod).get(resource)?.value() ?? 0;
const trueFirst = (a: boolean, b: boolean) => Number(b) - Number(a);
const byPriority: Compare = (a, b) => (a.spec?.priority ?? 0) - (b.spec?.priority ?? 0);

/** Pods nobody could measure come first, then by what compare says of the two measures. */
function measured(usageOf: UsageOf, measure: Measure, compare: (a: number, b: number) => number): Compare {
  return (a, b) => {
    const [ofA, ofB] = [usageOf(a), usageOf(b)];
    if (!ofA || !ofB) return trueFirst(ofA === undefined, ofB === undefined);
    return compare(measure(a, ofA), measure(b, ofB));
  };
}

const exceeding = (usageOf: UsageOf, over: Measure) => measured(usageOf, over, (a, b) => trueFirst(a > 0, b > 0));
const largest = (usageOf: UsageOf, over: Measure) => measured(usageOf, over, (a, b) => b - a);

/** With image layers on a disk of their own, each disk answers only for what is on it. */
export function partsOn(signal: Signal, { dedicatedImageFs }: { dedicatedImageFs: boolean }): ReadonlySet<FsPart> {
  if (!dedicatedImageFs) return new Set<FsPart>(["rootfs", "logs", "volumes"]);
  return new Set<FsPart>(signal.startsWith("nodefs") ? ["logs", "volumes"] : ["rootfs"]);
}

/** The pods, the first to go first. */
export function rankPods(
  pods: readonly Pod[],
  { signal, usageOf, dedicatedImageFs }: { signal: Signal; usageOf: UsageOf; dedicatedImageFs: boolean },
): Pod[] {
  const by = (...compares: Compare[]) =>
    [...pods].sort((a, b) => {
      for (const compare of compares) {
        const order = compare(a, b);
        if (order !== 0) return order;
      }
      return 0;
    });
  const { resource } = signals[signal];
  if (resource === "pids")
    return by(
      byPriority,
      largest(usageOf, (_, { processes }) => processes),
    );
  if (resource === "memory") {
    const over: Measure = (pod, { memoryBytes }) => memoryBytes - requested(pod, "memory");
    return by(exceeding(usageOf, over), byPriority, largest(usageOf, over));
  }
  const parts = partsOn(signal, { dedicatedImageFs });
  const used: Measure = (_, usage) => podFsUsage(usage, parts)[resource === "inodes" ? "inodes" : "bytes"];
  // Nobody can request inodes, but upstream subtracts the bytes requested from them all the same.
  const limit = (pod: Pod) => (resource === "inodes" ? 0 : requested(pod, "ephemeral-storage"));
  return by(
    exceeding(usageOf, (pod, usage) => used(pod, usage) - limit(pod)),
    byPriority,
    largest(usageOf, (pod, usage) => used(pod, usage) - requested(pod, "ephemeral-storage")),
  );
}
