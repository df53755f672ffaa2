// What a valid Ingress is, in upstream's words (upstream: ValidateIngressCreate, ValidateIngressStatusUpdate). Pure.

import { isIP } from "node:net";
import type { Ingress } from "@picokube/api/networking/v1";
import { type FieldError, invalidValue, notSupported, required } from "@picokube/api/validation/field-error";
import { GoValue } from "@picokube/api/validation/go-syntax";
import { isValidIP } from "@picokube/api/validation/ip";
import {
  isDNS1035Label,
  isDNS1123Subdomain,
  isValidPortName,
  isValidPortNum,
  isWildcardDNS1123Subdomain,
} from "@picokube/api/validation/names";
import { objections, subdomainIfSet } from "../check.js";
import { validateTypedReference } from "./ingress-class-validation.js";

type Spec = NonNullable<Ingress["spec"]>;
type Backend = NonNullable<Spec["defaultBackend"]>;
type Path = NonNullable<NonNullable<NonNullable<Spec["rules"]>[number]["http"]>["paths"]>[number];

const classAnnotation = "kubernetes.io/ingress.class";

function refuseAddress(field: string, host: string): FieldError[] {
  return isIP(host) === 0 ? [] : [invalidValue(field, host, "must be a DNS name, not an IP address")];
}

function validateHost(field: string, host: string): FieldError[] {
  return objections(field, host, host.includes("*") ? isWildcardDNS1123Subdomain(host) : isDNS1123Subdomain(host));
}

function validateBackend(backend: Backend | undefined, path: string): FieldError[] {
  const { service, resource } = backend ?? {};
  if (resource && service) return [invalidValue(path, "", "cannot set both resource and service backends")];
  if (resource) return validateTypedReference(resource, `${path}.resource`);
  if (!service) return [invalidValue(path, "", "resource or service backend is required")];
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

/** An Ingress as it is changed. */
export function validateIngressUpdate({ spec = {} }: Ingress): FieldError[] {
  const faults: FieldError[] = [];
  const rules = spec.rules ?? [];
  if (rules.length === 0 && !spec.defaultBackend) {
    const none = new GoValue(`[]networking.IngressRule${spec.rules ? "{}" : "(nil)"}`);
    faults.push(invalidValue("spec", none, "either `defaultBackend` or `rules` must be specified"));
  }
  if (spec.defaultBackend) faults.push(...validateBackend(spec.defaultBackend, "spec.defaultBackend"));
  for (const [index, { host, http }] of rules.entries()) {
    const at = `spec.rules[${index}]`;
    if (host) faults.push(...refuseAddress(`${at}.host`, host), ...validateHost(`${at}.host`, host));
    if (!http) continue;
    if ((http.paths ?? []).length === 0) faults.push(required(`${at}.http.paths`));
    for (const [pathIndex, path] of (http.paths ?? []).entries()) {
      faults.push(...validatePath(path, `${at}.http.paths[${pathIndex}]`));
    }
  }
  for (const [index, { hosts, secretName }] of (spec.tls ?? []).entries()) {
    const at = `spec.tls[${index}]`;
    for (const [hostIndex, host] of (hosts ?? []).entries()) {
      faults.push(...validateHost(`${at}.hosts[${hostIndex}]`, host));
    }
    faults.push(...subdomainIfSet(`${at}.secretName`, secretName));
  }
  return [...faults, ...subdomainIfSet("spec.ingressClassName", spec.ingressClassName)];
}

/** An Ingress as it is created: an annotation of old, if any, names the same class. */
export function validateIngress(ingress: Ingress): FieldError[] {
  const faults = validateIngressUpdate(ingress);
  const named = ingress.metadata.annotations?.[classAnnotation];
  const { ingressClassName } = ingress.spec ?? {};
  if (named === undefined || ingressClassName === undefined || named === ingressClassName) return faults;
  const words = "must match `ingressClassName` when both are specified";
  return [...faults, invalidValue(`annotations.${classAnnotation}`, named, words)];
}

/** What an ingress controller says: addresses and names. */
export function validateIngressStatus({ status }: Ingress): FieldError[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }, index) => {
    const path = `status.loadBalancer.ingress[${index}]`;
    return [
      ...(ip ? objections(`${path}.ip`, ip, isValidIP(ip)) : []),
      ...subdomainIfSet(`${path}.hostname`, hostname),
      ...refuseAddress(`${path}.hostname`, hostname ?? ""),
    ];
  });
}
