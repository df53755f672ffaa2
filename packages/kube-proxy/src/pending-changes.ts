// Services of which something changed since their rules were last made: what the next sync takes, and gets back when it
// fails. Mirrors the pending part of upstream's ServiceChangeTracker and EndpointsChangeTracker. Decides nothing.

export type ChangeKind = "endpoint" | "service";

/** When each Service's changes came about in the cluster, in ms; a change that does not say so adds nothing. */
export type TriggerTimes = ReadonlyMap<string, readonly number[]>;

export interface PendingChanges {
  add(service: string, kind: ChangeKind, triggeredMs?: number): void;
  /** How many Services wait for a change of that kind. */
  count(kind: ChangeKind): number;
  /** All that wait; nothing does any more. */
  take(): TakenChanges;
}

export interface TakenChanges {
  readonly services: TriggerTimes;
  /** They wait again, beside what came since. */
  putBack(): void;
}

export function createPendingChanges(): PendingChanges {
  let times = new Map<string, number[]>();
  let waiting = { endpoint: new Set<string>(), service: new Set<string>() };

  return {
    add(service, kind, triggeredMs) {
      waiting[kind].add(service);
      const own = times.get(service) ?? [];
      if (triggeredMs !== undefined) own.push(triggeredMs);
      times.set(service, own);
    },
    count: (kind) => waiting[kind].size,
    take() {
      const [services, taken] = [times, waiting];
      times = new Map();
      waiting = { endpoint: new Set(), service: new Set() };
      return {
        services,
        putBack() {
          for (const [service, own] of services) times.set(service, [...own, ...(times.get(service) ?? [])]);
          for (const kind of ["endpoint", "service"] as const)
            for (const service of taken[kind]) waiting[kind].add(service);
        },
      };
    },
  };
}
