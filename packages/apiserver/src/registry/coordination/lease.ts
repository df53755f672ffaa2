// Leases: the kind's declaration.

import { type Lease, leases } from "@picokube/api/coordination/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateLease } from "./lease-validation.js";

/** The definition of leases. */
export const leaseDefinition = define<Lease>({
  resource: leases,
  storagePrefix: "leases",
  hasStatus: false,
  hasGeneration: false,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  validate: validateLease,
  validateUpdate: validateLease,
  columns: [
    nameColumn,
    column("Holder", ({ spec }) => spec?.holderIdentity ?? "", { field: "coordination.v1.LeaseSpec.holderIdentity" }),
    ageColumn,
  ],
});
