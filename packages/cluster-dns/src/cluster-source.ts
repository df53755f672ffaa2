// The records' source in a running cluster: informers with the indexes that lookups need.

import { type Namespace, namespaces, type Service, services } from "@picokube/api/core/v1";
import { type EndpointSlice, endpointslices } from "@picokube/api/discovery/v1";
import type { Informer, InformerFactory } from "@picokube/client/informer";
import type { RecordSource } from "./records.js";

const byService = "service";
const byIp = "ip";

/** Asks the factory for its informers; they must be running before records are read. */
export function createClusterSource(informers: InformerFactory): RecordSource & { hasSynced(): boolean } {
  const serviceInformer: Informer<Service> = informers.for(services);
  const sliceInformer: Informer<EndpointSlice> = informers.for(endpointslices);
  const namespaceInformer: Informer<Namespace> = informers.for(namespaces);
  serviceInformer.addIndex(byIp, ({ spec }) =>
    (spec?.clusterIPs ?? [spec?.clusterIP ?? ""]).filter((ip) => ip && ip !== "None"),
  );
  sliceInformer.addIndex(byService, ({ metadata }) => {
    const service = metadata.labels?.["kubernetes.io/service-name"];
    return service ? [`${metadata.namespace}/${service}`] : [];
  });
  sliceInformer.addIndex(byIp, ({ endpoints }) => (endpoints ?? []).flatMap(({ addresses }) => addresses));
  return {
    service: (namespace, name) => serviceInformer.get(`${namespace}/${name}`),
    slices: (namespace, service) => sliceInformer.byIndex(byService, `${namespace}/${service}`),
    namespaceExists: (name) => namespaceInformer.get(name) !== undefined,
    servicesByIp: (ip) => serviceInformer.byIndex(byIp, ip),
    slicesByIp: (ip) => sliceInformer.byIndex(byIp, ip),
    hasSynced: () => serviceInformer.hasSynced() && sliceInformer.hasSynced() && namespaceInformer.hasSynced(),
  };
}
