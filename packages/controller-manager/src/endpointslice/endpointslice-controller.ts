// Writes each Service's EndpointSlices: which pods stand behind it, ready, serving or terminating.
// Watches: Services, Pods, EndpointSlices, Nodes (zones). Writes: EndpointSlices.

import { nodes, pods, services } from "@picokube/api/core/v1";
import { endpointslices } from "@picokube/api/discovery/v1";
import { isForbidden, isNotFound } from "@picokube/api/errors";
import { controllerRef } from "@picokube/api/owner";
import { selectorFromSet } from "@picokube/api/selectors/labels";
import type { Controller } from "@picokube/client/controller";
import { Expectations } from "@picokube/client/expectations";
import type { ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import { mapped, self } from "@picokube/client/watch-sources";
import type { Dependencies } from "../dependencies.js";
import { servicesOf } from "../endpoints/endpoint-ports.js";
import { managedByLabel, manager, planEndpointSlices, serviceNameLabel } from "./endpointslice-plan.js";

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
    if (!service || service.metadata.deletionTimestamp) return;
    const selector = service.spec?.selector ?? {};
    if (Object.keys(selector).length === 0 || service.spec?.type === "ExternalName") return;
    // The cache lacks a slice that was just made: another one would double its endpoints.
    if (!expectations.satisfied(key)) return;
    const matches = selectorFromSet(selector);
    const namespace = service.metadata.namespace!;
    const plan = planEndpointSlices({
      service,
      pods: podInformer.list(namespace).filter((pod) => matches.matches(pod.metadata.labels)),
      nodes: (name) => nodeInformer.get(name),
      existing: sliceInformer.byIndex(byService, key),
      owner: controllerRef(service, services),
      maxEndpoints: options.maxEndpointsPerSlice,
    });
    try {
      if (plan.create.length > 0) expectations.expectCreations(key, plan.create.length);
      for (const slice of plan.create)
        await client.create(endpointslices, slice).catch((error: unknown) => {
          expectations.creationObserved(key);
          throw error;
        });
      for (const slice of plan.update) await client.update(endpointslices, slice);
      for (const { metadata } of plan.delete)
        await client.delete(endpointslices, { name: metadata.name, namespace }).catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
    } catch (error) {
      if (plan.create.length > 0) expectations.forget(key);
      if (isForbidden(error) && error.message.includes("because it is being terminated")) return;
      recorder.record(service, {
        type: "Warning",
        reason: "FailedToUpdateEndpointSlices",
        message: `Error updating Endpoint Slices for Service ${key}: ${(error as Error).message}`,
      });
      throw error;
    }
  }

  return {
    name: "endpointslice-controller",
    watches: [
      self(serviceInformer),
      mapped(sliceInformer, serviceKeyOf),
      mapped(podInformer, (pod) => servicesOf(pod, serviceInformer.list(pod.metadata.namespace)).map(keyOf), {
        delayMs: options.endpointsliceUpdatesBatchPeriod,
      }),
    ],
    reconcile,
  };
}
