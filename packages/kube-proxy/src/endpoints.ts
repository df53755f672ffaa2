// EndpointSlices turned into the endpoints of one service port. Pure; mirrors upstream's EndpointSliceCache.

import type { ServicePort as ApiServicePort } from "@picokube/api/core/v1";
import type { EndpointSlice } from "@picokube/api/discovery/v1";
import { type IpFamily, joinHostPort } from "./ip-family.js";

export interface Endpoint {
  readonly ip: string;
  readonly port: number;
  /** "10.244.0.5:80", "[fd00::5]:80": what its chain's name is made of. */
  readonly address: string;
  /** On this node. */
  readonly isLocal: boolean;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly zoneHints: readonly string[];
}

export interface EndpointSelection {
  readonly port: Pick<ApiServicePort, "name" | "protocol">;
  readonly family: IpFamily;
  readonly nodeName: string;
}

/** One for all: thousands of endpoints have none. */
const noHints: readonly string[] = [];

/** What the slices name for a port, each address once, in upstream's order: by its text. */
export function endpointsOf(
  slices: readonly EndpointSlice[],
  { port, family, nodeName }: EndpointSelection,
): Endpoint[] {
  const byAddress = new Map<string, Endpoint>();
  for (const slice of slices) {
    if (slice.addressType !== family) continue;
    for (const slicePort of slice.ports ?? []) {
      if ((slicePort.name ?? "") !== (port.name ?? "") || (slicePort.protocol ?? "TCP") !== (port.protocol ?? "TCP"))
        continue;
      if (slicePort.port === undefined) continue;
      for (const { addresses, conditions, nodeName: endpointNode, hints } of slice.endpoints ?? []) {
        const ip = addresses[0];
        if (ip === undefined) continue;
        const address = joinHostPort(ip, slicePort.port);
        const ready = conditions?.ready !== false;
        const endpoint: Endpoint = {
          ip,
          port: slicePort.port,
          address,
          isLocal: endpointNode === nodeName,
          ready,
          serving: conditions?.serving ?? ready,
          terminating: conditions?.terminating === true,
          zoneHints: hints?.forZones?.map(({ name }) => name) ?? noHints,
        };
        // While an address moves from one slice to another both may name it: the one that is ready counts.
        if (!byAddress.get(address)?.ready || endpoint.ready) byAddress.set(address, endpoint);
      }
    }
  }
  return [...byAddress.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}
