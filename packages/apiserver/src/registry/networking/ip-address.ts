// IPAddresses: the kind's declaration.

import { type IPAddress, ipaddresses } from "@picokube/api/networking/v1";
import { column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column } from "../resource-definition.js";
import { validateIpAddress, validateIpAddressUpdate } from "./ip-address-validation.js";

function parent({ spec }: IPAddress): string {
  const reference = spec?.parentRef;
  if (!reference) return "<none>";
  const resource = `${reference.resource}${reference.group ? `.${reference.group}` : ""}`.toLowerCase();
  return [resource, reference.namespace, reference.name].filter(Boolean).join("/");
}

const columns: Column<IPAddress>[] = [
  nameColumn,
  column("ParentRef", parent, { field: "networking.v1.IPAddressSpec.parentRef" }),
];

/** The definition of ipaddresses. */
export const ipAddressDefinition = define<IPAddress>({
  resource: ipaddresses,
  storagePrefix: "ipaddresses",
  hasStatus: false,
  hasGeneration: false,
  nameRule: "path-segment",
  validate: validateIpAddress,
  validateUpdate: validateIpAddressUpdate,
  columns,
});
