// APIServices: the kind's declaration. Never proxies a request to the service that one names.

import { setApiServiceDefaults } from "@picokube/api/apiregistration/defaults";
import { type APIService, apiservices } from "@picokube/api/apiregistration/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column } from "../resource-definition.js";
import { validateApiService, validateApiServiceStatus } from "./api-service-validation.js";

function available({ status }: APIService): string {
  const condition = (status?.conditions ?? []).find(({ type }) => type === "Available");
  if (!condition) return "Unknown";
  return condition.status === "True" ? "True" : `${condition.status} (${condition.reason ?? ""})`;
}

function localAvailable(nowMs: number) {
  return {
    type: "Available",
    status: "True",
    lastTransitionTime: new Date(nowMs).toISOString().replace(/\.\d+Z$/, "Z"),
    reason: "Local",
    message: "Local APIServices are always available",
  };
}

const columns: Column<APIService>[] = [
  nameColumn,
  column("Service", ({ spec }) => (spec?.service ? `${spec.service.namespace}/${spec.service.name}` : "Local"), {
    description: "The reference to the service that hosts this API endpoint.",
  }),
  column("Available", available, { description: "Whether this service is available." }),
  ageColumn,
];

/** The definition of apiservices. */
export const apiServiceDefinition = define<APIService>({
  resource: apiservices,
  storagePrefix: "apiregistration.k8s.io/apiservices",
  nameRule: "path-segment",
  applyDefaults: setApiServiceDefaults,
  prepareForCreate(service, context) {
    // What this server serves itself is there at once (upstream: apiserver.strategy.PrepareForCreate).
    service.status = service.spec?.service ? {} : { conditions: [localAvailable(context.now())] };
  },
  hasStatus: true,
  hasGeneration: false,
  validate: validateApiService,
  validateUpdate: validateApiService,
  validateStatusUpdate: validateApiServiceStatus,
  columns,
});
