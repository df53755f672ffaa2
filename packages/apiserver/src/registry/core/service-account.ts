// ServiceAccounts: the kind's declaration.

import { type ServiceAccount, serviceaccounts } from "@picokube/api/core/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { ConnectHandler, ResourceDefinition } from "../resource-definition.js";

/** The definition of serviceaccounts; the handler of token comes from outside. */
export function serviceAccountDefinition(connect: {
  readonly [subresource: string]: ConnectHandler;
}): ResourceDefinition {
  return define<ServiceAccount>({
    resource: serviceaccounts,
    storagePrefix: "serviceaccounts",
    hasStatus: false,
    hasGeneration: false,
    columns: [
      nameColumn,
      column("Secrets", (account) => (account.secrets ?? []).length, { field: "core.v1.ServiceAccount.secrets" }),
      ageColumn,
    ],
    connect,
  });
}
