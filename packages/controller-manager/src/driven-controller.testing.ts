// One controller that a test drives step by step: it reconciles when told to, on a cache as fresh as told, and dies at any
// write. Between two steps nothing of it runs, so that a test can say what each step saw. For tests only.

import { setTimeout as sleep } from "node:timers/promises";
import { events } from "@picokube/api/core/v1";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { Resource } from "@picokube/api/resource";
import type { Client } from "@picokube/client/client";
import type { Controller } from "@picokube/client/controller";
import type { InformerFactory, ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import type { Clock } from "@picokube/component-base/clock";
import { eventually } from "@picokube/testing/eventually";
import type { Dependencies } from "./dependencies.js";
import { testDependencies } from "./run-controllers.testing.js";

/** What a controller is about to do. */
export interface Write {
  readonly verb: "create" | "update" | "patch" | "delete";
  readonly resource: Resource;
  readonly args: readonly unknown[];
}

export interface DrivenController {
  /** What the controller sees. */
  readonly informers: InformerFactory;
  /** Waits until the caches of these show what the server has. */
  catchUp(...resources: readonly Resource[]): Promise<void>;
  /** One reconcile. It dies at write number deathAt, before the server sees it or after; then a new life begins. Resolves to what was thrown. */
  step(key: ObjectKey, death?: { at: number; afterTheWrite: boolean }): Promise<unknown>;
}

class Crash extends Error {}

/** Holds news back: a cache must not change under a step, or nobody could say what it saw. */
interface Gate {
  opened: Promise<void>;
  open(): void;
}

function closedGate(): Gate {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

async function* late<T>(source: AsyncIterable<T>, delayMs: number, gate: () => Gate | undefined): AsyncIterable<T> {
  for await (const each of source) {
    if (delayMs > 0) await sleep(delayMs);
    for (let closed = gate(); closed; closed = gate()) await closed.opened;
    yield each;
  }
}

export async function driveController(
  t: { teardown(callback: () => unknown): void },
  {
    client,
    create,
    clock,
    onWrite,
    onStep = () => {},
    watchDelayMs = 0,
  }: {
    client: Client;
    create: (dependencies: Dependencies) => Controller | undefined;
    clock: Clock;
    /** Hears of each write before it is made. */
    onWrite: (write: Write) => void;
    /** Called when a step begins: what the caches show now is what it sees to its end. */
    onStep?: () => void;
    /** By how much each event is late: what was written is then not seen at once. */
    watchDelayMs?: number;
  },
): Promise<DrivenController> {
  let death: { at: number; afterTheWrite: boolean } | undefined;
  let writes = 0;
  let isDead = false;
  let gate: Gate | undefined;

  async function guard(write: Write, make: () => Promise<unknown>): Promise<unknown> {
    if (isDead) throw new Crash("the controller is dead");
    if (write.resource.resource === events.resource) return make();
    onWrite(write);
    writes += 1;
    if (!death || writes < death.at) return make();
    isDead = true;
    if (death.afterTheWrite) await make().catch(() => {});
    throw new Crash("the controller died");
  }

  const verbs = new Set<string | symbol>(["create", "update", "patch", "delete"]);
  const mortal = new Proxy(client, {
    get(target, name) {
      const value = target[name as keyof Client] as unknown;
      if (name === "watch")
        return (...args: Parameters<Client["watch"]>) => late(client.watch(...args), watchDelayMs, () => gate);
      if (typeof value !== "function") return value;
      const method = value.bind(target) as (...args: unknown[]) => Promise<unknown>;
      if (!verbs.has(name)) return method;
      return (...args: unknown[]) =>
        guard({ verb: name as Write["verb"], resource: args[0] as Resource, args: args.slice(1) }, () =>
          method(...args),
        );
    },
  });

  async function live() {
    const ending = new AbortController();
    const dependencies = testDependencies({ client: mortal, clock });
    const controller = create(dependencies)!;
    for (const { informer, handler } of controller.watches) informer.addHandler(handler(() => {}));
    dependencies.informers.start(ending.signal);
    await dependencies.informers.waitForSync(ending.signal);
    return { controller, informers: dependencies.informers, end: () => ending.abort() };
  }

  let current = await live();
  t.teardown(() => current.end());
  const versions = (objects: readonly KubernetesObject[]) =>
    objects
      .map((object) => `${keyOf(object)} ${object.metadata.resourceVersion}`)
      .sort()
      .join();

  return {
    get informers() {
      return current.informers;
    },
    async catchUp(...resources) {
      for (const resource of resources)
        await eventually(`the cache of ${resource.resource}`, async () => {
          const { items } = await client.list(resource);
          return versions(items) === versions(current.informers.for(resource).list());
        });
    },
    async step(key, nextDeath) {
      death = nextDeath;
      writes = 0;
      let thrown: unknown;
      gate = closedGate();
      // What had passed the gate reaches the cache.
      await sleep(1);
      onStep();
      try {
        await current.controller.reconcile(key, new AbortController().signal);
      } catch (error) {
        thrown = error;
      }
      const closed = gate;
      gate = undefined;
      closed.open();
      if (isDead) {
        current.end();
        isDead = false;
        death = undefined;
        current = await live();
      }
      return thrown;
    },
  };
}
