// Writes each Service's Endpoints: the old form of what EndpointSlices say.
// Watches: Services, Pods, Endpoints. Writes: Endpoints.

import { type Endpoints, endpoints, pods, services } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { isAlreadyExists, isForbidden, isNotFound } from "@picokube/api/errors";
import { selectorFromSet } from "@picokube/api/selectors/labels";
import type { Controller, WatchSource } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { keyOf, splitKey } from "@picokube/client/object-key";
import { mapped, self } from "@picokube/client/watch-sources";
import type { Dependencies } from "../dependencies.js";
import { servicesOf } from "./endpoint-ports.js";
import { planEndpoints } from "./endpoints-plan.js";
import { createTriggerTimes, withTriggerTime } from "./trigger-times.js";

const headlessLabel = "service.kubernetes.io/headless";
// Old leader elections kept their lock in Endpoints without a Service.
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader";
const overCapacityAnnotation = "endpoints.kubernetes.io/over-capacity";
const truncatedMark = "truncated";

/** Upstream's endpoints-controller. */
export function endpointsController({ client, informers, options, recorder: recorderOf }: Dependencies): Controller {
  const serviceInformer = informers.for(services);
  const podInformer = informers.for(pods);
  const endpointsInformer = informers.for(endpoints);
  const recorder = recorderOf("endpoint-controller");
  const triggerTimes = createTriggerTimes();

  async function reconcile(key: ObjectKey) {
    const { namespace, name } = splitKey(key) as { namespace: string; name: string };
    const service = serviceInformer.get(key);
    if (!service) {
      triggerTimes.forget(key);
      if (!endpointsInformer.get(key)) return;
      await client.delete(endpoints, { namespace, name }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
      return;
    }
    const selector = service.spec?.selector ?? {};
    // Without a selector somebody else writes the Endpoints.
    if (Object.keys(selector).length === 0 || service.spec?.type === "ExternalName") return;
    const matches = selectorFromSet(selector);
    const selected = podInformer.list(namespace).filter((pod) => matches.matches(pod.metadata.labels));
    // Asked even when nothing is to be written: it must know what was seen.
    const triggerTime = triggerTimes.of(key, service, selected);
    const { subsets, truncated } = planEndpoints(service, selected);
    const current = endpointsInformer.get(key);
    const { [headlessLabel]: _, ...serviceLabels } = service.metadata.labels ?? {};
    const labels = {
      ...serviceLabels,
      "endpoints.kubernetes.io/managed-by": "endpoint-controller",
      ...(service.spec?.clusterIP === "None" ? { [headlessLabel]: "" } : {}),
    };
    const { [overCapacityAnnotation]: marked, ...others } = current?.metadata.annotations ?? {};
    if (
      current &&
      semanticDeepEqual(current.subsets, subsets) &&
      semanticDeepEqual(current.metadata.labels, labels) &&
      marked === (truncated ? truncatedMark : undefined)
    )
      return;
    const annotations = {
      ...withTriggerTime(others, triggerTime),
      ...(truncated ? { [overCapacityAnnotation]: truncatedMark } : {}),
    };
    try {
      if (current)
        await client.update(endpoints, { ...current, metadata: { ...current.metadata, labels, annotations }, subsets });
      else await client.create(endpoints, { metadata: { name, namespace, labels, annotations }, subsets });
    } catch (error) {
      if (isForbidden(error) && error.message.includes("because it is being terminated")) return;
      const verb = current ? "update" : "create";
      if (!isAlreadyExists(error))
        recorder.record(service, {
          type: "Warning",
          reason: current ? "FailedToUpdateEndpoint" : "FailedToCreateEndpoint",
          message: `Failed to ${verb} endpoint ${key}: ${(error as Error).message}`,
        });
      throw error;
    }
  }

  let enqueueEndpoints: (key: ObjectKey) => void = () => {};
  // Endpoints may be there before their Service: a file that is applied may name them first.
  const ofServices: WatchSource = {
    informer: endpointsInformer,
    handler(enqueue) {
      enqueueEndpoints = enqueue;
      const ofService = (object: Endpoints) => {
        if (serviceInformer.get(keyOf(object))) enqueue(keyOf(object));
      };
      return {
        add: ofService,
        update: (_previous: Endpoints, object: Endpoints) => ofService(object),
        delete: (object: Endpoints) => enqueue(keyOf(object)),
      };
    },
  };

  // Upstream's checkLeftoverEndpoints: Services that went while no controller ran.
  async function checkLeftovers(): Promise<void> {
    for (const object of endpointsInformer.list())
      if (object.metadata.annotations?.[leaderAnnotation] === undefined) enqueueEndpoints(keyOf(object));
  }

  return {
    name: "endpoints-controller",
    watches: [
      self(serviceInformer),
      ofServices,
      mapped(podInformer, (pod) => servicesOf(pod, serviceInformer.list(pod.metadata.namespace)).map(keyOf), {
        delayMs: options.endpointUpdatesBatchPeriod,
      }),
    ],
    reconcile,
    run: checkLeftovers,
  };
}
