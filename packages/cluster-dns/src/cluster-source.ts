// The records' source in a running cluster: informers with the indexes that lookups need.

import { type Namespace, namespaces, type Pod, pods, type Service, services } from "@picokube/api/core/v1";
import { type EndpointSlice, endpointslices } from "@picokube/api/discovery/v1";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { Informer, InformerFactory } from "@picokube/client/informer";
import type { Clock } from "@picokube/component-base/clock";
import { canonicalIp } from "./names.js";
import type { RecordSource } from "./records.js";

const byService = "service";
const byIp = "ip";

export interface ClusterSourceOptions {
  readonly informers: InformerFactory;
  readonly clock: Clock;
  /** Pods are watched only when their names are verified. */
  readonly watchesPods: boolean;
}

/** Asks the factory for its informers; they must be running before records are read. */
export function createClusterSource({
  informers,
  clock,
  watchesPods,
}: ClusterSourceOptions): RecordSource & { hasSynced(): boolean } {
  const serviceInformer: Informer<Service> = informers.for(services);
  const sliceInformer: Informer<EndpointSlice> = informers.for(endpointslices);
  const namespaceInformer: Informer<Namespace> = informers.for(namespaces);
  const podInformer: Informer<Pod> | undefined = watchesPods ? informers.for(pods) : undefined;
  serviceInformer.addIndex(byIp, ({ spec }) =>
    (spec?.clusterIPs ?? [spec?.clusterIP ?? ""]).filter((ip) => ip && ip !== "None").map(canonicalIp),
  );
  sliceInformer.addIndex(byService, ({ metadata }) => {
    const service = metadata.labels?.["kubernetes.io/service-name"];
    return service ? [`${metadata.namespace}/${service}`] : [];
  });
  sliceInformer.addIndex(byIp, ({ endpoints }) =>
    (endpoints ?? []).flatMap(({ addresses }) => addresses.map(canonicalIp)),
  );
  podInformer?.addIndex(byIp, ({ metadata, status }) =>
    (status?.podIPs ?? []).map(({ ip }) => `${metadata.namespace}/${canonicalIp(ip ?? "")}`),
  );

  const watched: Informer<never>[] = [serviceInformer, sliceInformer, namespaceInformer, podInformer].filter(
    (informer) => informer !== undefined,
  ) as never;
  let changes = 0;
  let modifiedMs = clock.now();
  const note = () => {
    changes++;
    modifiedMs = clock.now();
  };
  for (const informer of watched)
    (informer as Informer<KubernetesObject>).addHandler({
      add: note,
      // A resync tells the same again.
      update: (previous, current) => {
        if (previous.metadata.resourceVersion !== current.metadata.resourceVersion) note();
      },
      delete: note,
    });

  return {
    service: (namespace, name) => serviceInformer.get(`${namespace}/${name}`),
    slices: (namespace, service) => sliceInformer.byIndex(byService, `${namespace}/${service}`),
    namespaceExists: (name) => namespaceInformer.get(name) !== undefined,
    servicesByIp: (ip) => serviceInformer.byIndex(byIp, ip),
    slicesByIp: (ip) => sliceInformer.byIndex(byIp, ip),
    podExists: (namespace, ip) => (podInformer?.byIndex(byIp, `${namespace}/${ip}`).length ?? 0) > 0,
    changes: () => changes,
    modifiedSeconds: () => Math.floor(modifiedMs / 1000),
    hasSynced: () => watched.every((informer) => informer.hasSynced()),
  };
}
