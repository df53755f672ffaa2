// ServiceCIDRs: the kind's declaration.

import { type ServiceCIDR, servicecidrs } from "@picokube/api/networking/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateServiceCidr, validateServiceCidrUpdate } from "./service-cidr-validation.js";

/** The definition of servicecidrs. */
export const serviceCidrDefinition = define<ServiceCIDR>({
  resource: servicecidrs,
  storagePrefix: "servicecidrs",
  hasStatus: true,
  hasGeneration: false,
  validate: validateServiceCidr,
  validateUpdate: validateServiceCidrUpdate,
  columns: [
    nameColumn,
    column("CIDRs", ({ spec }) => (spec?.cidrs ?? []).join(","), { field: "networking.v1.ServiceCIDRSpec.cidrs" }),
    ageColumn,
  ],
});
