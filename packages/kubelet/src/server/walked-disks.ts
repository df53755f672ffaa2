// What walks over disks found, remembered for a while: walking is dear, as upstream's resource analyzer knows.

import type { Clock } from "@picokube/component-base/clock";

/** Remembers what was measured by key. */
export interface WalkedDisks {
  get<Figures>(key: string, walk: () => Promise<Figures>): Promise<Figures>;
}

/** Forgets what nobody has asked for since. */
export function createWalkedDisks({ clock, periodMs }: { clock: Clock; periodMs: number }): WalkedDisks {
  const known = new Map<string, { atMs: number; figures: Promise<unknown> }>();
  return {
    get<Figures>(key: string, walk: () => Promise<Figures>) {
      const nowMs = clock.now();
      for (const [old, { atMs }] of known) if (nowMs - atMs > periodMs) known.delete(old);
      const found = known.get(key);
      if (found) return found.figures as Promise<Figures>;
      const figures = walk();
      figures.catch(() => known.delete(key));
      known.set(key, { atMs: nowMs, figures });
      return figures;
    },
  };
}
