// Endpoints: the kind's declaration.

import { isIPv6 } from "node:net";
import { setEndpointsDefaults } from "@picokube/api/core/defaults";
import { type Endpoints, endpoints } from "@picokube/api/core/v1";
import { ageColumn, column, firstThree, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateEndpoints } from "./endpoints-validation.js";

function addresses({ subsets }: Endpoints): string {
  const list = (subsets ?? []).flatMap(({ ports, addresses = [] }) =>
    ports === undefined || ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => (isIPv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`))),
  );
  return firstThree(list, (subsets ?? []).length === 0 ? "<none>" : "");
}

/** The definition of endpoints. */
export const endpointsDefinition = define<Endpoints>({
  resource: endpoints,
  storagePrefix: "services/endpoints",
  deprecationWarning: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  applyDefaults: setEndpointsDefaults,
  hasStatus: false,
  hasGeneration: false,
  allowCreateOnUpdate: true,
  validate: validateEndpoints,
  validateUpdate: validateEndpoints,
  columns: [nameColumn, column("Endpoints", addresses, { field: "core.v1.Endpoints.subsets" }), ageColumn],
});
