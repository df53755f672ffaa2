// Follows the CustomResourceDefinitions: settles their names, serves what they declare, ends it when they go. Upstream's
// naming, establishing, finalizing and serving controllers in one loop, one definition at a time. Answers no request.

import { type CustomResourceDefinition, customresourcedefinitions } from "@picokube/api/apiextensions/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { isNotFound } from "@picokube/api/errors";
import type { GroupResource } from "@picokube/api/resource";
import { formatTime } from "@picokube/api/time";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { ServedRegistry } from "../storage/storage-registry.js";
import { conditionOf, namedStatus } from "./crd-conditions.js";
import { CLEANUP_FINALIZER, instanceDeletion } from "./instance-deletion.js";

const RETRY_MS = 1000;

/** What of a definition decides how it is served. */
interface Serving {
  readonly resource: GroupResource;
  readonly spec: CustomResourceDefinition["spec"];
  readonly acceptedNames: NonNullable<CustomResourceDefinition["status"]>["acceptedNames"] | undefined;
}

export interface CustomResources {
  /** Resolves when all that is stored is served. */
  start(): Promise<void>;
  stop(): void;
}

/** Over the storage of the definitions themselves. */
export function createCustomResources({
  registry,
  clock,
  logger,
}: {
  registry: ServedRegistry;
  clock: Clock;
  logger: Logger;
}): CustomResources {
  const crds = registry.for(customresourcedefinitions);
  const serving = new Map<string, Serving>();
  const queue = new Set<string>();
  const deletion = instanceDeletion({ registry, crds, clock, again: enqueue });
  let running: Promise<void> | undefined;
  let stopped = false;
  let unsubscribe: () => void = () => {};

  function enqueue(name: string): void {
    if (stopped) return;
    queue.add(name);
    running ??= work().finally(() => {
      running = undefined;
    });
  }

  async function work(): Promise<void> {
    // Not within the change that led here: the caches tell others of it first.
    await Promise.resolve();
    for (const name of queue) {
      queue.delete(name);
      try {
        await reconcile(name);
      } catch (error) {
        if (stopped) return;
        logger.warn("a CustomResourceDefinition could not be brought in line; trying again", { name, err: error });
        clock.after(RETRY_MS, () => enqueue(name));
      }
    }
  }

  async function reconcile(name: string): Promise<void> {
    const crd = crds.get("", name);
    if (!crd) return withdraw(name);
    const isDoomed = crd.metadata.deletionTimestamp !== undefined;
    const status = isDoomed ? crd.status : nextStatus(crd);
    const settled = { ...crd, ...(status ? { status } : {}) };
    const isAccepted = ["NamesAccepted", "Established"].some((type) => conditionOf(settled, type)?.status === "True");
    if (isAccepted) await serve(settled);
    else withdraw(name);
    if (!isDoomed && !semanticDeepEqual(status, crd.status)) {
      await unlessGone(
        crds.update("", name, (current) => {
          current.status = nextStatus(current);
        }),
      );
    }
    if (isDoomed && crd.metadata.finalizers?.includes(CLEANUP_FINALIZER)) await deletion.advance(crd);
  }

  function nextStatus(crd: CustomResourceDefinition): NonNullable<CustomResourceDefinition["status"]> {
    const others = crds
      .list()
      .filter(({ metadata, spec }) => spec?.group === crd.spec?.group && metadata.name !== crd.metadata.name);
    return namedStatus(crd, others, formatTime(clock.now()));
  }

  async function serve(crd: CustomResourceDefinition): Promise<void> {
    const { name } = crd.metadata;
    const { spec, status } = crd;
    const known = serving.get(name);
    const acceptedNames = status?.acceptedNames;
    if (known && semanticDeepEqual([known.spec, known.acceptedNames], [spec, acceptedNames])) return;
    const resource = { group: spec!.group, resource: spec!.names.plural };
    // Only here, so that a server without custom resources does not carry what they need.
    const { customDefinitions } = await import("./custom-definitions.js");
    const isTerminating = () => crds.get("", name)?.metadata.deletionTimestamp !== undefined;
    await registry.serve(resource, customDefinitions(crd, isTerminating));
    serving.set(name, { resource, spec, acceptedNames });
    logger.v(2).info("Serving custom resources", { crd: name });
  }

  function withdraw(name: string): void {
    const known = serving.get(name);
    deletion.forget(name);
    if (!known) return;
    serving.delete(name);
    registry.withdraw(known.resource);
    logger.v(2).info("No longer serving custom resources", { crd: name });
  }

  /** Names that were refused may be free now. */
  function enqueueRefused(group: string | undefined): void {
    for (const crd of crds.list()) {
      if (crd.spec?.group === group && conditionOf(crd, "NamesAccepted")?.status === "False")
        enqueue(crd.metadata.name);
    }
  }

  return {
    async start() {
      unsubscribe = crds.onChange(({ object, previous }) => {
        enqueue(object.metadata.name);
        if (previous) enqueueRefused(object.spec?.group);
      });
      for (const { metadata } of crds.list()) enqueue(metadata.name);
      await running;
    },
    stop() {
      stopped = true;
      unsubscribe();
    },
  };
}

async function unlessGone(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
