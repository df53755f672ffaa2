// Which kills are still to come, in the order in which a pod's life has their actions. Kills nothing itself.

import type { Action, Kill } from "./crash-points.testing.js";

export interface KillQueue {
  /** How many are still to come. */
  readonly length: number;
  /** The next one for a pod that begins. */
  take(): Kill | undefined;
  /** One that the life of a pod after this kill may still come to. */
  takeAfter(kill: Kill): Kill | undefined;
  /** It was not come to. */
  giveBack(kill: Kill): void;
}

/** How many file actions there are to one kill at one of them. */
const fileActionsPerKill = process.env.PICOKUBE_EVERY_KILL ? 1 : 4;

/** Before or during each action that another program carries out, by turns: after one is before the next. And before one of
 * four changes of files, or, with PICOKUBE_EVERY_KILL, before each (twice the time). */
export function killQueue(actions: readonly Action[]): KillQueue {
  let carriedOut = 0;
  let ofFiles = 0;
  const waiting = actions.flatMap((action): Kill[] => {
    if (!/^(engine|run|api) /.test(action.name)) {
      return ofFiles++ % fileActionsPerKill === 0 ? [{ ...action, when: "before" }] : [];
    }
    return [{ ...action, when: carriedOut++ % 2 === 0 ? "during" : "before" }];
  });
  const order = new Map(waiting.map((kill, index) => [kill, index]));
  // Those that only a pod's first kubelet comes to, for the next one counts from the start.
  const alone: Kill[] = [];
  return {
    get length() {
      return alone.length + waiting.length;
    },
    take: () => alone.shift() ?? waiting.shift(),
    takeAfter(kill) {
      const later = (other: Kill) => other.count === 1 && order.get(other)! > order.get(kill)!;
      const index = waiting.findIndex(later);
      return index < 0 ? undefined : waiting.splice(index, 1)[0];
    },
    giveBack: (kill) => alone.push(kill),
  };
}
