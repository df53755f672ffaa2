// One reflector for each kind that the server can list, watch and delete; each feeds the graph and keeps no objects.
// Upstream's GraphBuilder monitors.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import { apiVersionOf, groupResourceName, type Resource } from "@picokube/api/resource";
import type { Client } from "@picokube/client/client";
import { runReflector } from "@picokube/client/reflector";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { Discovery } from "../discovery.js";
import type { Graph } from "./graph.js";

// Events are many, own nothing and are owned by nothing.
const ignored = new Set(["events", "events.events.k8s.io"]);

interface Monitor {
  readonly resource: Resource;
  readonly uids: Set<string>;
  readonly stop: AbortController;
  readonly done: Promise<void>;
  synced: boolean;
}

export interface MonitorsOptions {
  readonly client: Client;
  readonly graph: Graph;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Called at each change of an object, and at each list that has some. */
  readonly onChange: (resource: Resource) => void;
}

/** The resources whose objects can own and be owned. Upstream's GetDeletableResources. */
export function collectable({ preferred }: Discovery): Resource[] {
  const usable = preferred.filter(({ verbs }) => ["delete", "list", "watch"].every((verb) => verbs.has(verb)));
  return usable.map(({ resource }) => resource).filter((resource) => !ignored.has(groupResourceName(resource)));
}

export class Monitors {
  readonly #options: MonitorsOptions;
  readonly #running = new Map<string, Monitor>();

  constructor(options: MonitorsOptions) {
    this.#options = options;
  }

  /** All that are running have had their first list. */
  hasSynced(): boolean {
    return [...this.#running.values()].every(({ synced }) => synced);
  }

  /** Starts what is new and stops what is no longer served; a group that could not be discovered stays as it is. */
  follow(discovery: Discovery): void {
    const { failures } = discovery;
    const wanted = new Map<string, Resource>();
    for (const resource of collectable(discovery))
      wanted.set(`${groupResourceName(resource)}/${resource.version}`, resource);
    for (const [key, monitor] of this.#running) {
      if (wanted.has(key) || failures.has(apiVersionOf(monitor.resource))) continue;
      monitor.stop.abort();
      this.#running.delete(key);
      // In another version the same objects are seen again: they are not gone.
      const elsewhere = [...wanted.values()].some(
        (resource) => groupResourceName(resource) === groupResourceName(monitor.resource),
      );
      if (!elsewhere) for (const uid of monitor.uids) this.#options.graph.forget(uid);
    }
    for (const [key, resource] of wanted) if (!this.#running.has(key)) this.#running.set(key, this.#start(resource));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  #start(resource: Resource): Monitor {
    const { client, graph, clock, logger, signal, onChange } = this.#options;
    const stop = new AbortController();
    const uids = new Set<string>();
    const seen = (object: KubernetesObject) => {
      uids.add(object.metadata.uid);
      graph.observe(resource, object);
    };
    const gone = (uid: string) => {
      if (uids.delete(uid)) graph.forget(uid);
    };
    const monitor: Monitor = {
      resource,
      uids,
      stop,
      synced: false,
      done: runReflector<KubernetesObject>({
        client,
        resource,
        logger,
        clock,
        signal: AbortSignal.any([signal, stop.signal]),
        selection: { metadataOnly: true },
        store: {
          replace(items) {
            const left = new Set(items.map(({ metadata }) => metadata.uid));
            for (const uid of [...uids]) if (!left.has(uid)) gone(uid);
            for (const item of items) seen(item);
            monitor.synced = true;
            // Between the discovery that led here and this list, something may have come.
            if (items.length > 0) onChange(resource);
          },
          apply({ type, object }) {
            if (type === "DELETED") gone(object.metadata.uid);
            else seen(object);
            onChange(resource);
          },
        },
      }),
    };
    return monitor;
  }
}
