// ResourceQuotas: the kind's declaration. What is counted against one is admission's.

import { setResourceQuotaDefaults } from "@picokube/api/core/defaults";
import { type ResourceQuota, resourcequotas } from "@picokube/api/core/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateResourceQuota, validateResourceQuotaUpdate } from "./quota-validation.js";
import { validateResourceQuotaStatus } from "./status-validation.js";

const used =
  ({ limits }: { limits: boolean }) =>
  (quota: ResourceQuota) =>
    Object.keys(quota.status?.hard ?? {})
      .filter((name) => name.startsWith("limits.") === limits)
      .sort()
      .map((name) => `${name}: ${quota.status?.used?.[name] ?? "0"}/${quota.status?.hard?.[name]}`)
      .join(", ");

/** The definition of resourcequotas. */
export const resourceQuotaDefinition = define<ResourceQuota>({
  resource: resourcequotas,
  storagePrefix: "resourcequotas",
  applyDefaults: setResourceQuotaDefaults,
  hasStatus: true,
  hasGeneration: false,
  validate: validateResourceQuota,
  validateStatusUpdate: validateResourceQuotaStatus,
  validateUpdate: validateResourceQuotaUpdate,
  columns: [
    nameColumn,
    column("Request", used({ limits: false }), {
      description: "Request represents a minimum amount of cpu/memory that a container may consume.",
    }),
    column("Limit", used({ limits: true }), {
      description:
        "Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.",
    }),
    ageColumn,
  ],
});
