// Writes each Service's EndpointSlices: which pods stand behind it, ready, serving or terminating.
// Watches: Services, Pods, EndpointSlices, Nodes (zones). Writes: EndpointSlices.

import { type Node, nodes, pods, type Service, services } from "@picokube/api/core/v1";
import { type EndpointSlice, endpointslices } from "@picokube/api/discovery/v1";
import { isForbidden, isNotFound } from "@picokube/api/errors";
import type { NewObject } from "@picokube/api/meta/v1";
import { controllerRef } from "@picokube/api/owner";
import { selectorFromSet } from "@picokube/api/selectors/labels";
import type { Controller, WatchSource } from "@picokube/client/controller";
import { Expectations } from "@picokube/client/expectations";
import type { ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import { mapped, self } from "@picokube/client/watch-sources";
import { findCondition } from "../conditions.js";
import type { Dependencies } from "../dependencies.js";
import { servicesOf } from "../endpoints/endpoint-ports.js";
import { createTriggerTimes, withTriggerTime } from "../endpoints/trigger-times.js";
import { managedByLabel, manager, planEndpointSlices, type SlicePlan, serviceNameLabel } from "./endpointslice-plan.js";
import { type SliceChanges, withoutHints, withSameZoneHints } from "./slice-changes.js";
import { createTopologyHints, type HintsEvent } from "./topology-hints.js";

const byService = "service";

/** Upstream's endpointslice-controller. */
export function endpointSliceController({
  client,
  informers,
  clock,
  options,
  recorder: recorderOf,
}: Dependencies): Controller {
  const serviceInformer = informers.for(services);
  const podInformer = informers.for(pods);
  const nodeInformer = informers.for(nodes);
  const sliceInformer = informers.for(endpointslices);
  const recorder = recorderOf("endpoint-slice-controller");
  const expectations = new Expectations({ clock });
  const triggerTimes = createTriggerTimes();
  const hints = createTopologyHints();
  const serviceKeyOf = ({ metadata }: { metadata: { namespace?: string; labels?: Record<string, string> } }) =>
    metadata.labels?.[managedByLabel] === manager && metadata.labels[serviceNameLabel]
      ? [`${metadata.namespace}/${metadata.labels[serviceNameLabel]}`]
      : [];
  sliceInformer.addIndex(byService, serviceKeyOf);
  sliceInformer.addHandler({
    add(slice) {
      for (const key of serviceKeyOf(slice)) expectations.creationObserved(key);
    },
  });

  async function reconcile(key: ObjectKey) {
    const service = serviceInformer.get(key);
    // Slices of a Service that is gone go with it, by owner reference.
    if (!service) {
      triggerTimes.forget(key);
      hints.forget(key);
    }
    if (!service || service.metadata.deletionTimestamp) return;
    const selector = service.spec?.selector ?? {};
    if (Object.keys(selector).length === 0 || service.spec?.type === "ExternalName") return;
    // The cache lacks a slice that was just made: another one would double its endpoints.
    if (!expectations.satisfied(key)) return;
    const matches = selectorFromSet(selector);
    const namespace = service.metadata.namespace!;
    const selected = podInformer.list(namespace).filter((pod) => matches.matches(pod.metadata.labels));
    // Asked even when nothing is to be written: it must know what was seen.
    const triggerTime = triggerTimes.of(key, service, selected);
    const plan = planEndpointSlices({
      service,
      pods: selected,
      nodes: (name) => nodeInformer.get(name),
      existing: sliceInformer.byIndex(byService, key),
      owner: controllerRef(service, services),
      maxEndpoints: options.maxEndpointsPerSlice,
    });
    const hinted = plan.byAddressType.map((ofType) => withHints(key, service, ofType));
    const create = hinted.flatMap(({ changes }) => changes.create);
    try {
      if (create.length > 0) expectations.expectCreations(key, create.length);
      for (const slice of create)
        await client.create(endpointslices, triggeredAt(slice, triggerTime)).catch((error: unknown) => {
          expectations.creationObserved(key);
          throw error;
        });
      for (const slice of hinted.flatMap(({ changes }) => changes.update))
        await client.update(endpointslices, triggeredAt(slice, triggerTime));
      for (const { metadata } of [...plan.byAddressType.flatMap((ofType) => ofType.delete), ...plan.delete])
        await client.delete(endpointslices, { name: metadata.name, namespace }).catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      for (const { event } of hinted) if (event) recorder.record(service, event);
      const [skipped] = plan.skipped;
      if (skipped)
        throw new Error(
          `skipping Pod ${skipped.metadata.name} for Service ${key}: Node ${skipped.spec?.nodeName} Not Found`,
        );
    } catch (error) {
      if (create.length > 0) expectations.forget(key);
      if (isForbidden(error) && error.message.includes("because it is being terminated")) return;
      recorder.record(service, {
        type: "Warning",
        reason: "FailedToUpdateEndpointSlices",
        message: `Error updating Endpoint Slices for Service ${key}: ${(error as Error).message}`,
      });
      throw error;
    }
  }

  function withHints(
    key: ObjectKey,
    { metadata, spec }: Service,
    plan: SlicePlan,
  ): { changes: SliceChanges; event?: HintsEvent | undefined } {
    if (asksForTopology(metadata.annotations)) return hints.add(key, plan.addressType, plan);
    const event = hints.remove(key, plan.addressType);
    const changes = spec?.trafficDistribution === "PreferClose" ? withSameZoneHints(plan) : withoutHints(plan);
    return { changes, event };
  }

  // Nodes change zones' shares: Services whose hints no longer fit get new ones. Heartbeats change nothing.
  const ofNodes: WatchSource = {
    informer: nodeInformer,
    handler(enqueue) {
      const changed = () => {
        hints.nodesChanged(() => nodeInformer.list());
        for (const key of hints.overloaded()) enqueue(key);
      };
      return {
        add: changed,
        update: (previous: Node, node: Node) => {
          if (zoneAndReadiness(previous) !== zoneAndReadiness(node)) changed();
        },
        delete: changed,
      };
    },
  };

  return {
    name: "endpointslice-controller",
    watches: [
      self(serviceInformer),
      ofNodes,
      mapped(sliceInformer, serviceKeyOf),
      mapped(podInformer, (pod) => servicesOf(pod, serviceInformer.list(pod.metadata.namespace)).map(keyOf), {
        delayMs: options.endpointsliceUpdatesBatchPeriod,
      }),
    ],
    reconcile,
  };
}

function triggeredAt<T extends NewObject<EndpointSlice>>(slice: T, time: string | undefined): T {
  const { metadata } = slice;
  return { ...slice, metadata: { ...metadata, annotations: withTriggerTime(metadata?.annotations, time) } };
}

// The older annotation comes first where both are set (upstream: hintsEnabled).
function asksForTopology(annotations: Readonly<Record<string, string>> = {}): boolean {
  const value =
    annotations["service.kubernetes.io/topology-aware-hints"] ?? annotations["service.kubernetes.io/topology-mode"];
  return value === "Auto" || value === "auto";
}

function zoneAndReadiness({ metadata, status }: Node): string {
  const ready = findCondition(status?.conditions, "Ready")?.status === "True";
  return `${ready} ${metadata.labels?.["topology.kubernetes.io/zone"] ?? ""}`;
}
