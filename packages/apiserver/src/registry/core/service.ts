// Services: the kind's declaration. Validation, allocation and normalising stand in the service-* files beside it.

import { setServiceDefaults } from "@picokube/api/core/service-defaults";
import { type Service, services } from "@picokube/api/core/v1";
import { ageColumn, column, formatLabels, loadBalancerAddresses, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column, ResourceDefinition } from "../resource-definition.js";
import { clusterIpsOf, releaseAddresses } from "./service-addresses.js";
import type { ServiceAllocator } from "./service-allocator.js";
import { dropTypeDependentFields, keepAllocated, normalizeClusterIps } from "./service-types.js";
import { validateService, validateServiceUpdate } from "./service-validation.js";
import { validateServiceStatus } from "./status-validation.js";

function externalIp({ spec, status }: Service): string {
  const external = spec?.externalIPs ?? [];
  switch (spec?.type) {
    case "ClusterIP":
    case "NodePort":
      return external.length > 0 ? external.join(",") : "<none>";
    case "LoadBalancer": {
      const all = loadBalancerAddresses(status?.loadBalancer?.ingress).concat(external);
      return all.length > 0 ? all.join(",") : "<pending>";
    }
    case "ExternalName":
      return spec.externalName ?? "";
    default:
      return "<unknown>";
  }
}

function portsOf({ spec }: Service): string {
  const ports = (spec?.ports ?? []).map(({ port, nodePort, protocol }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return ports.length > 0 ? ports.join(",") : "<none>";
}

const columns: Column<Service>[] = [
  nameColumn,
  column("Type", (service) => service.spec?.type ?? "", { field: "core.v1.ServiceSpec.type" }),
  column("Cluster-IP", (service) => service.spec?.clusterIPs?.[0] || service.spec?.clusterIP || "<none>", {
    field: "core.v1.ServiceSpec.clusterIP",
  }),
  column("External-IP", externalIp, { field: "core.v1.ServiceSpec.externalIPs" }),
  column("Port(s)", portsOf, { field: "core.v1.ServiceSpec.ports" }),
  ageColumn,
  column("Selector", (service) => formatLabels(service.spec?.selector), {
    wide: true,
    field: "core.v1.ServiceSpec.selector",
  }),
];

/** The definition of services. */
export function serviceDefinition(allocator: ServiceAllocator): ResourceDefinition {
  return define<Service>({
    resource: services,
    storagePrefix: "services/specs",
    nameRule: "label-1035",
    applyDefaults: setServiceDefaults,
    hasStatus: true,
    hasGeneration: false,
    prepareForCreate(service, context) {
      service.status = { loadBalancer: {} };
      normalizeClusterIps(service, undefined);
      // What is invalid is reported by validation, and must not hold an address meanwhile.
      if (validateService(service).length === 0) allocator.allocate(service, context);
    },
    prepareForUpdate(service, old, context) {
      normalizeClusterIps(service, old);
      keepAllocated(service, old);
      dropTypeDependentFields(service, old);
      if (service.spec?.type !== "LoadBalancer") service.status = { ...service.status, loadBalancer: {} };
      if (validateServiceUpdate(service, old).length === 0) allocator.allocate(service, context);
    },
    claim: (service, old, context) => allocator.claim(service, old, context),
    afterDelete: (service, { storage }) => releaseAddresses(clusterIpsOf(service), { service, storage }),
    validate: validateService,
    validateUpdate: validateServiceUpdate,
    validateStatusUpdate: validateServiceStatus,
    selectableFields: {
      "spec.clusterIP": (service) => service.spec?.clusterIP ?? "",
      "spec.type": (service) => service.spec?.type ?? "",
    },
    columns,
    streams: ["proxy"],
  });
}
