// What a valid EndpointSlice is, in upstream's words (upstream: ValidateEndpointSlice). Pure.

import type { EndpointSlice } from "@picokube/api/discovery/v1";
import { duplicate, type FieldError, notSupported, required, tooMany } from "@picokube/api/validation/field-error";
import { ipFamilyOf } from "@picokube/api/validation/ip";
import { isDNS1123Label, isDNS1123Subdomain } from "@picokube/api/validation/names";
import { objections } from "../check.js";
import { validateEndpointIp } from "../core/endpoints-validation.js";
import { immutable } from "../immutable.js";

function validateAddress(address: string, type: string, field: string): FieldError[] {
  if (type === "FQDN") return objections(field, address, isDNS1123Subdomain(address));
  const wrong = ipFamilyOf(address) !== type;
  const faults = wrong ? objections(field, address, [`must be an ${type} address`]) : [];
  return [...faults, ...validateEndpointIp(address, field)];
}

function validateEndpoints({ endpoints, addressType }: EndpointSlice): FieldError[] {
  if ((endpoints ?? []).length > 1000) return [tooMany("endpoints", endpoints!.length, 1000)];
  return (endpoints ?? []).flatMap(({ addresses = [], hostname }, index) => {
    const at = `endpoints[${index}]`;
    const faults =
      addresses.length === 0
        ? [required(`${at}.addresses`, "must contain at least 1 address")]
        : addresses.length > 100
          ? [tooMany(`${at}.addresses`, addresses.length, 100)]
          : [];
    for (const [addressIndex, address] of addresses.entries()) {
      faults.push(...validateAddress(address, addressType, `${at}.addresses[${addressIndex}]`));
    }
    if (hostname !== undefined) faults.push(...objections(`${at}.hostname`, hostname, isDNS1123Label(hostname)));
    return faults;
  });
}

function validatePorts({ ports }: EndpointSlice): FieldError[] {
  if ((ports ?? []).length > 100) return [tooMany("ports", ports!.length, 100)];
  const names = new Set<string>();
  const protocols = ["SCTP", "TCP", "UDP"];
  return (ports ?? []).flatMap(({ name = "", protocol }, index) => {
    const at = `ports[${index}]`;
    const faults = name ? objections(`${at}.name`, name, isDNS1123Label(name)) : [];
    if (names.has(name)) faults.push(duplicate(`${at}.name`, name));
    names.add(name);
    if (!protocol) faults.push(required(`${at}.protocol`));
    else if (!protocols.includes(protocol)) faults.push(notSupported(`${at}.protocol`, protocol, protocols));
    return faults;
  });
}

/** An EndpointSlice as it is created. */
export function validateEndpointSlice(slice: EndpointSlice): FieldError[] {
  const types = ["FQDN", "IPv4", "IPv6"];
  const faults = !slice.addressType
    ? [required("addressType")]
    : types.includes(slice.addressType)
      ? []
      : [notSupported("addressType", slice.addressType, types)];
  return [...faults, ...validateEndpoints(slice), ...validatePorts(slice)];
}

/** A change of an EndpointSlice: its address type stays. */
export function validateEndpointSliceUpdate(slice: EndpointSlice, old: EndpointSlice): FieldError[] {
  return [...validateEndpointSlice(slice), ...immutable("addressType", slice.addressType, old.addressType)];
}
