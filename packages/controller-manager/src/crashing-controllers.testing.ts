// Controllers that die in the middle of their work and are started anew with empty memories. For tests only.

import { events } from "@picokube/api/core/v1";
import type { Resource } from "@picokube/api/resource";
import type { Client } from "@picokube/client/client";
import type { Controller } from "@picokube/client/controller";
import type { Clock } from "@picokube/component-base/clock";
import type { Dependencies } from "./dependencies.js";
import { runControllers } from "./run-controllers.testing.js";
import type { SeededRandom } from "./seeded-random.testing.js";

export interface CrashingControllers {
  /** How often they died. */
  crashes(): number;
  /** From now on they live. */
  calm(): void;
  /** What the present ones have logged. */
  log(): string;
}

/** A write that a dead controller never made, or whose answer it never saw. */
class Crash extends Error {}

/** Each life ends at one of its first writes: before the server sees it, or after it and before the answer is heard. */
export function crashingControllers(
  t: { teardown(callback: () => unknown): void },
  {
    client,
    create,
    clock,
    random,
    mostWrites = 12,
    beforeWrite = async () => {},
  }: {
    client: Client;
    create: readonly ((dependencies: Dependencies) => Controller | undefined)[];
    clock: Clock;
    random: SeededRandom;
    mostWrites?: number;
    /** Looks at each write before it is made. */
    beforeWrite?: (verb: string, args: readonly unknown[]) => Promise<void>;
  },
): CrashingControllers {
  let isCalm = false;
  let isOver = false;
  let crashes = 0;
  let current = live();
  t.teardown(() => {
    isOver = true;
  });

  function live() {
    let left = 1 + random.below(mostWrites);
    let isDead = false;
    const afterTheWrite = random.chance(0.5);
    const die = () => {
      isDead = true;
      crashes += 1;
      const last = current;
      void last.stop().then(() => {
        if (!isOver) current = live();
      });
      return new Crash("the controller died");
    };
    const guard = (verb: string, method: (...args: never[]) => Promise<unknown>) => {
      return async (...args: never[]) => {
        if (isDead) throw new Crash("the controller is dead");
        if ((args[0] as unknown as Resource).resource === events.resource) return method(...args);
        await beforeWrite(verb, args);
        if (isDead) throw new Crash("the controller is dead");
        if (!isCalm) left -= 1;
        if (left > 0) return method(...args);
        if (!afterTheWrite) throw die();
        isDead = true;
        await method(...args).catch(() => {});
        throw die();
      };
    };
    const writes = new Set<string | symbol>(["create", "update", "patch", "delete"]);
    const mortal = new Proxy(client, {
      get(target, name) {
        const value = target[name as keyof Client] as unknown;
        if (typeof value !== "function") return value;
        const method = value.bind(target) as (...args: never[]) => Promise<unknown>;
        return writes.has(name) ? guard(String(name), method) : method;
      },
    });
    return runControllers(t, { client: mortal, create, clock });
  }

  return {
    crashes: () => crashes,
    calm: () => {
      isCalm = true;
    },
    log: () => current.log(),
  };
}
