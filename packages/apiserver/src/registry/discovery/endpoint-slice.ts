// EndpointSlices: the kind's declaration.

import { setEndpointSliceDefaults } from "@picokube/api/discovery/defaults";
import { type EndpointSlice, endpointslices } from "@picokube/api/discovery/v1";
import { ageColumn, column, firstThree, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateEndpointSlice, validateEndpointSliceUpdate } from "./endpoint-slice-validation.js";

/** The definition of endpointslices. */
export const endpointSliceDefinition = define<EndpointSlice>({
  resource: endpointslices,
  storagePrefix: "endpointslices",
  applyDefaults: setEndpointSliceDefaults,
  hasStatus: false,
  hasGeneration: true,
  validate: validateEndpointSlice,
  validateUpdate: validateEndpointSliceUpdate,
  columns: [
    nameColumn,
    column("AddressType", ({ addressType }) => addressType, { field: "discovery.v1.EndpointSlice.addressType" }),
    column(
      "Ports",
      ({ ports }) =>
        firstThree(
          (ports ?? []).map(({ port, name }) => String(port ?? name ?? "*")),
          "<unset>",
        ),
      { field: "discovery.v1.EndpointSlice.ports" },
    ),
    column(
      "Endpoints",
      ({ endpoints }) =>
        firstThree(
          (endpoints ?? []).flatMap(({ addresses }) => addresses),
          "<unset>",
        ),
      { field: "discovery.v1.EndpointSlice.endpoints" },
    ),
    ageColumn,
  ],
});
