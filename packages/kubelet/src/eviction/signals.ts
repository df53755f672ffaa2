// The signals that node-pressure eviction listens to: the resource each speaks of, the node condition it raises. Data
// alone (upstream: pkg/kubelet/eviction/api and helpers.go).

import type { Quantity } from "@picokube/api/quantity";

export type PressureCondition = "MemoryPressure" | "DiskPressure" | "PIDPressure";
export type StarvedResource = "memory" | "ephemeral-storage" | "inodes" | "pids";

interface SignalMeaning {
  readonly resource: StarvedResource;
  readonly condition: PressureCondition;
}

const disk: SignalMeaning = { resource: "ephemeral-storage", condition: "DiskPressure" };
const inodes: SignalMeaning = { resource: "inodes", condition: "DiskPressure" };
const memory: SignalMeaning = { resource: "memory", condition: "MemoryPressure" };

/** What each signal is about. */
export const signals = {
  "memory.available": memory,
  "allocatableMemory.available": memory,
  "nodefs.available": disk,
  "nodefs.inodesFree": inodes,
  "imagefs.available": disk,
  "imagefs.inodesFree": inodes,
  "containerfs.available": disk,
  "containerfs.inodesFree": inodes,
  "pid.available": { resource: "pids", condition: "PIDPressure" },
} as const satisfies Record<string, SignalMeaning>;

export type Signal = keyof typeof signals;

/** What is left of a resource, and how much there is in all. */
export interface Observation {
  readonly available: Quantity;
  readonly capacity: Quantity;
}

export type Observations = ReadonlyMap<Signal, Observation>;
