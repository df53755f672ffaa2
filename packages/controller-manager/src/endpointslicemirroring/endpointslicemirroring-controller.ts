// Writes the EndpointSlices of Endpoints that somebody keeps by hand for a Service without a selector, so that whoever reads
// slices alone sees them too. Never touches slices that others manage.
// Watches: Endpoints, Services, EndpointSlices. Writes: EndpointSlices.

import { type Endpoints, endpoints, type Service, services } from "@picokube/api/core/v1";
import { type EndpointSlice, endpointslices } from "@picokube/api/discovery/v1";
import type { Controller, WatchSource } from "@picokube/client/controller";
import { Expectations } from "@picokube/client/expectations";
import { ifThere } from "@picokube/client/if-there";
import type { Informer, ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import { mapped, self } from "@picokube/client/watch-sources";
import type { Dependencies } from "../dependencies.js";
import { managedByLabel, serviceNameLabel } from "../endpointslice/endpointslice-plan.js";
import { isNamespaceTerminating } from "../pod-control.js";
import { createMirrorMetrics } from "./mirror-metrics.js";
import { isMirrored, type MirrorPlan, mirrorManager, planMirror } from "./mirror-plan.js";

const byEndpoints = "mirroredEndpoints";

/** Upstream's endpointslice-mirroring-controller. */
export function endpointSliceMirroringController({
  client,
  informers,
  clock,
  logger,
  options,
  metrics,
  recorder: recorderOf,
}: Dependencies): Controller {
  const endpointsInformer = informers.for(endpoints);
  const serviceInformer = informers.for(services);
  const sliceInformer = informers.for(endpointslices);
  const recorder = recorderOf("endpoint-slice-mirroring-controller");
  const expectations = new Expectations({ clock });
  const maxPerSubset = options.mirroringMaxEndpointsPerSubset;
  const measures = createMirrorMetrics(metrics, maxPerSubset);
  sliceInformer.addIndex(byEndpoints, mirroredKey);
  sliceInformer.addHandler({
    add(slice) {
      for (const key of mirroredKey(slice)) expectations.creationObserved(key);
    },
  });

  async function reconcile(key: ObjectKey): Promise<void> {
    const startedMs = clock.now();
    try {
      await sync(key);
    } finally {
      measures.synced((clock.now() - startedMs) / 1000);
    }
  }

  async function sync(key: ObjectKey): Promise<void> {
    const source = endpointsInformer.get(key);
    const service = serviceInformer.get(key);
    const existing = sliceInformer.byIndex(byEndpoints, key);
    if (!source || !isMirrored(source) || !service || hasSelector(service)) {
      expectations.forget(key);
      measures.forget(key);
      await Promise.all(existing.map(remove));
      return;
    }
    // The cache lacks a slice that was just made: another one would double its endpoints.
    if (!expectations.satisfied(key)) return;
    const plan = planMirror({ endpoints: source, existing, maxPerSubset });
    tell(source, plan);
    measures.planned(key, plan);
    await carryOut({ key, source, plan });
  }

  async function carryOut({ key, source, plan }: { key: ObjectKey; source: Endpoints; plan: MirrorPlan }) {
    if (!source.metadata.deletionTimestamp && plan.create.length > 0) {
      expectations.expectCreations(key, plan.create.length);
      try {
        for (const slice of plan.create) {
          await client.create(endpointslices, slice);
          measures.changed("create");
        }
      } catch (cause) {
        expectations.forget(key);
        // All that is made in a namespace that ends fails: there is nothing to try again.
        if (isNamespaceTerminating(cause)) return;
        throw new Error(`failed to create EndpointSlice for Endpoints ${key}: ${(cause as Error).message}`, { cause });
      }
    }
    for (const slice of plan.update) {
      await client.update(endpointslices, slice);
      measures.changed("update");
    }
    for (const slice of plan.delete) {
      await remove(slice);
      measures.changed("delete");
    }
  }

  async function remove({ metadata: { name, namespace } }: EndpointSlice): Promise<void> {
    await ifThere(client.delete(endpointslices, { name, namespace: namespace! }));
  }

  function tell(source: Endpoints, { invalid, skipped }: MirrorPlan): void {
    const warn = (reason: string, message: string) => {
      recorder.record(source, { type: "Warning", reason, message });
      logger.v(2).info(message, { endpoints: keyOf(source) });
    };
    if (invalid > 0)
      warn("InvalidIPAddress", `Skipped ${invalid} invalid IP addresses when mirroring to EndpointSlices`);
    if (skipped > invalid)
      warn(
        "TooManyAddressesToMirror",
        `A max of ${maxPerSubset} addresses can be mirrored to EndpointSlices per Endpoints subset. ${skipped} addresses were skipped`,
      );
  }

  return {
    name: "endpointslice-mirroring-controller",
    watches: [
      self(endpointsInformer),
      selectorChanges(serviceInformer),
      mapped(sliceInformer, mirroredKey, { delayMs: options.mirroringEndpointsliceUpdatesBatchPeriod }),
    ],
    reconcile,
  };
}

/** The Endpoints that a slice of ours mirrors. */
function mirroredKey({ metadata: { namespace, labels } }: EndpointSlice): ObjectKey[] {
  const name = labels?.[serviceNameLabel];
  return name && labels?.[managedByLabel] === mirrorManager ? [`${namespace}/${name}`] : [];
}

function hasSelector({ spec }: Service): boolean {
  return Object.keys(spec?.selector ?? {}).length > 0;
}

// Of a Service only this matters: whether it has a selector.
function selectorChanges(serviceInformer: Informer<Service>): WatchSource {
  return {
    informer: serviceInformer,
    handler: (enqueue) => {
      const custom = (service: Service) => {
        if (!hasSelector(service)) enqueue(keyOf(service));
      };
      return {
        add: custom,
        update(previous: Service, service: Service) {
          if (hasSelector(previous) !== hasSelector(service)) enqueue(keyOf(service));
        },
        delete: custom,
      };
    },
  };
}
