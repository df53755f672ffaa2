// Defaults of EndpointSlices (upstream: pkg/apis/discovery/v1/defaults.go). Pure, in place, idempotent.

import type { EndpointSlice } from "./v1.js";

export function setEndpointSliceDefaults({ ports }: EndpointSlice): void {
  for (const port of ports ?? []) {
    port.name ??= "";
    port.protocol ??= "TCP";
  }
}
