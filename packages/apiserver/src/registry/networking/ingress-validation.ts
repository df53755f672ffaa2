// What a valid Ingress is, in upstream's words (upstream: ValidateIngressCreate). Pure.

import { isIP } from "node:net";
import type { Ingress } from "@picokube/api/networking/v1";
import { type FieldError, invalidValue, notSupported, required } from "@picokube/api/validation/field-error";
import {
  isDNS1035Label,
  isDNS1123Subdomain,
  isValidPortName,
  isValidPortNum,
  isWildcardDNS1123Subdomain,
} from "@picokube/api/validation/names";
import { objections, subdomainIfSet } from "../check.js";

type Spec = NonNullable<Ingress["spec"]>;
type Backend = NonNullable<Spec["defaultBackend"]>;
type Path = NonNullable<NonNullable<NonNullable<Spec["rules"]>[number]["http"]>["paths"]>[number];

function validateHost(host: string, field: string): FieldError[] {
  if (isIP(host) !== 0) return [invalidValue(field, host, "must be a DNS name, not an IP address")];
  return objections(field, host, host.includes("*") ? isWildcardDNS1123Subdomain(host) : isDNS1123Subdomain(host));
}

function validateBackend(backend: Backend | undefined, path: string): FieldError[] {
  const { service, resource } = backend ?? {};
  const hasResource = resource !== undefined;
  if (hasResource && service) {
    return [invalidValue(path, "", "cannot set both resource and service backends")];
  }
  if (hasResource) return [];
  if (!service) return [required(path, "resource or service backend is required")];
  const faults: FieldError[] = [];
  const at = `${path}.service`;
  if (!service.name) faults.push(required(`${at}.name`));
  else faults.push(...objections(`${at}.name`, service.name, isDNS1035Label(service.name)));
  const { name, number } = service.port ?? {};
  if (name && number) faults.push(invalidValue(path, "", "cannot set both port name & port number"));
  else if (name) faults.push(...objections(`${at}.port.name`, name, isValidPortName(name)));
  else if (number) faults.push(...objections(`${at}.port.number`, number, isValidPortNum(number)));
  else faults.push(required(path, "port name or number is required"));
  return faults;
}

const invalidSequences = ["//", "/./", "/../", "%2f", "%2F"];

function validatePath({ path = "", pathType, backend }: Path, at: string): FieldError[] {
  const faults: FieldError[] = [];
  const types = ["Exact", "ImplementationSpecific", "Prefix"];
  if (!pathType) return [required(`${at}.pathType`, "pathType must be specified")];
  if (pathType === "Exact" || pathType === "Prefix") {
    if (!path.startsWith("/")) faults.push(invalidValue(`${at}.path`, path, "must be an absolute path"));
    for (const sequence of path === "" ? [] : invalidSequences) {
      if (path.includes(sequence)) faults.push(invalidValue(`${at}.path`, path, `must not contain '${sequence}'`));
    }
    for (const suffix of ["/..", "/."]) {
      if (path.endsWith(suffix)) faults.push(invalidValue(`${at}.path`, path, `cannot end with '${suffix}'`));
    }
  } else if (pathType === "ImplementationSpecific") {
    if (path !== "" && !path.startsWith("/")) {
      faults.push(invalidValue(`${at}.path`, path, "must be an absolute path"));
    }
  } else faults.push(notSupported(`${at}.pathType`, pathType, types));
  return [...faults, ...validateBackend(backend, `${at}.backend`)];
}

/** An Ingress as it is created and changed. */
export function validateIngress({ spec = {} }: Ingress): FieldError[] {
  const faults: FieldError[] = [];
  const rules = spec.rules ?? [];
  if (rules.length === 0 && !spec.defaultBackend) {
    faults.push(invalidValue("spec", spec, "either `defaultBackend` or `rules` must be specified"));
  }
  if (spec.defaultBackend) faults.push(...validateBackend(spec.defaultBackend, "spec.defaultBackend"));
  for (const [index, { host, http }] of rules.entries()) {
    const at = `spec.rules[${index}]`;
    if (host) faults.push(...validateHost(host, `${at}.host`));
    if (!http) continue;
    if ((http.paths ?? []).length === 0) faults.push(required(`${at}.http.paths`));
    for (const [pathIndex, path] of (http.paths ?? []).entries()) {
      faults.push(...validatePath(path, `${at}.http.paths[${pathIndex}]`));
    }
  }
  for (const [index, { hosts, secretName }] of (spec.tls ?? []).entries()) {
    const at = `spec.tls[${index}]`;
    for (const [hostIndex, host] of (hosts ?? []).entries()) {
      faults.push(...validateHost(host, `${at}.hosts[${hostIndex}]`));
    }
    faults.push(...subdomainIfSet(`${at}.secretName`, secretName));
  }
  return [...faults, ...subdomainIfSet("spec.ingressClassName", spec.ingressClassName)];
}
