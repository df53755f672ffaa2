// What valid Endpoints are, in upstream's words (upstream: ValidateEndpoints). Pure.

import type { EndpointAddress, EndpointPort, Endpoints } from "@picokube/api/core/v1";
import { type FieldError, invalidValue, required } from "@picokube/api/validation/field-error";
import { cidrContains, isValidIP, parseCIDR } from "@picokube/api/validation/ip";
import { isDNS1123Label, isDNS1123Subdomain, isQualifiedName, isValidPortNum } from "@picokube/api/validation/names";
import { objections, oneOf } from "../check.js";

const special: readonly (readonly [string, string])[] = [
  ["127.0.0.0/8", "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
  ["::1/128", "may not be in the loopback range (127.0.0.0/8, ::1/128)"],
  ["169.254.0.0/16", "may not be in the link-local range (169.254.0.0/16, fe80::/10)"],
  ["fe80::/10", "may not be in the link-local range (169.254.0.0/16, fe80::/10)"],
  ["224.0.0.0/24", "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"],
  ["ff02::/16", "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"],
];

/** Addresses that no endpoint can have (upstream: ValidateEndpointIP). */
export function validateEndpointIp(ip: string, field: string): FieldError[] {
  const faults = objections(field, ip, isValidIP(ip));
  if (faults.length > 0) return faults;
  if (ip === "0.0.0.0" || ip === "::") return [invalidValue(field, ip, `may not be unspecified (${ip})`)];
  return special
    .filter(([range]) => cidrContains(parseCIDR(range)!, ip))
    .map(([, words]) => invalidValue(field, ip, words));
}

function validateAddresses(addresses: readonly EndpointAddress[] | undefined, path: string): FieldError[] {
  return (addresses ?? []).flatMap(({ ip, hostname, nodeName }, index) => [
    ...(hostname ? objections(`${path}[${index}].hostname`, hostname, isDNS1123Label(hostname)) : []),
    ...(nodeName === undefined ? [] : objections(`${path}[${index}].nodeName`, nodeName, isDNS1123Subdomain(nodeName))),
    ...validateEndpointIp(ip, `${path}[${index}].ip`),
  ]);
}

function validatePorts(ports: readonly EndpointPort[] | undefined, path: string): FieldError[] {
  const count = (ports ?? []).length;
  return (ports ?? []).flatMap(({ name, port, protocol, appProtocol }, index) => {
    const at = `${path}[${index}]`;
    const faults = name
      ? objections(`${at}.name`, name, isDNS1123Label(name))
      : count > 1
        ? [required(`${at}.name`)]
        : [];
    return [
      ...faults,
      ...objections(`${at}.port`, port, isValidPortNum(port)),
      ...oneOf(`${at}.protocol`, protocol, ["SCTP", "TCP", "UDP"]),
      ...(appProtocol === undefined ? [] : objections(`${at}.appProtocol`, appProtocol, isQualifiedName(appProtocol))),
    ];
  });
}

/** Endpoints as they are created and changed. */
export function validateEndpoints({ subsets }: Endpoints): FieldError[] {
  return (subsets ?? []).flatMap(({ addresses = [], notReadyAddresses = [], ports }, index) => {
    const at = `subsets[${index}]`;
    const none = addresses.length === 0 && notReadyAddresses.length === 0;
    return [
      ...(none ? [required(at, "must specify `addresses` or `notReadyAddresses`")] : []),
      ...validateAddresses(addresses, `${at}.addresses`),
      ...validateAddresses(notReadyAddresses, `${at}.notReadyAddresses`),
      ...validatePorts(ports, `${at}.ports`),
    ];
  });
}
