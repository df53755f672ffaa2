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

/** Kills at all actions, which takes three times as long. */
const everyKill = process.env.PICOKUBE_EVERY_KILL !== undefined;

/** Before or during the actions that other programs carry out, by turns: after one is before the next; and before changes of
 *  files. One of so many actions of each kind has a kill. */
export function killQueue(
  actions: readonly Action[],
  { actionsPerKill, fileActionsPerKill }: { readonly actionsPerKill: number; readonly fileActionsPerKill: number },
): KillQueue {
  let carriedOut = 0;
  let ofFiles = 0;
  const waiting = actions.flatMap((action): Kill[] => {
    if (!/^(engine|run|api) /.test(action.name)) {
      return everyKill || ofFiles++ % fileActionsPerKill === 0 ? [{ ...action, when: "before" }] : [];
    }
    const number = carriedOut++;
    if (!everyKill && number % actionsPerKill !== 0) return [];
    return [{ ...action, when: (number / actionsPerKill) % 2 < 1 ? "during" : "before" }];
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
