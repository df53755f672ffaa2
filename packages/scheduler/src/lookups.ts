// What plugins look up beside nodes and pods, from informers (upstream: helper.DefaultSelector).

import { replicasets, statefulsets } from "@picokube/api/apps/v1";
import { namespaces, type Pod, replicationcontrollers, services } from "@picokube/api/core/v1";
import {
  type Requirement,
  type Selector,
  selectorFromLabelSelector,
  selectorFromSet,
  selectorOf,
} from "@picokube/api/selectors/labels";
import type { InformerFactory } from "@picokube/client/informer";
import type { Lookups } from "./framework/plugin.js";
import type { VolumeLookups } from "./framework/volume-lookups.js";

/** Lookups that read listers, and what the volume binder knows. */
export function createLookups(informers: InformerFactory, volumes: VolumeLookups): Lookups {
  const namespaceLister = informers.for(namespaces);
  const serviceLister = informers.for(services);
  const replicaSetLister = informers.for(replicasets);
  const statefulSetLister = informers.for(statefulsets);
  const controllerLister = informers.for(replicationcontrollers);

  function ownerSelector(pod: Pod): Selector | undefined {
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller);
    const key = `${pod.metadata.namespace}/${owner?.name}`;
    switch (owner && `${owner.apiVersion} ${owner.kind}`) {
      case "apps/v1 ReplicaSet": {
        const found = replicaSetLister.get(key);
        return found && selectorFromLabelSelector(found.spec?.selector);
      }
      case "apps/v1 StatefulSet": {
        const found = statefulSetLister.get(key);
        return found && selectorFromLabelSelector(found.spec?.selector);
      }
      case "v1 ReplicationController": {
        const found = controllerLister.get(key);
        return found && selectorFromSet(found.spec?.selector);
      }
      default:
        return undefined;
    }
  }

  return {
    volumes,
    namespaceLabels: (namespace) => namespaceLister.get(namespace)?.metadata.labels,
    siblingSelector(pod) {
      const requirements: Requirement[] = [];
      for (const { spec } of serviceLister.list(pod.metadata.namespace)) {
        const selector = selectorFromSet(spec?.selector);
        if (!selector.empty && selector.matches(pod.metadata.labels)) requirements.push(...selector.requirements);
      }
      requirements.push(...(ownerSelector(pod)?.requirements ?? []));
      return requirements.length === 0 ? undefined : selectorOf(requirements);
    },
  };
}
