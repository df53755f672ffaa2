// Checks of single values that validators share, in upstream's words. Pure.

import { type FieldError, invalidValue, notSupported, required } from "@picokube/api/validation/field-error";
import { goIntOrString } from "@picokube/api/validation/go-syntax";
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isPathSegmentName,
  isValidPercent,
  isValidPortName,
  isValidPortNum,
  regexError,
} from "@picokube/api/validation/names";

/** One fault for each objection to a value. */
export function objections(field: string, value: unknown, words: readonly string[]): FieldError[] {
  return words.map((why) => invalidValue(field, value, why));
}

/** A number that is given must not be negative (upstream: ValidateNonnegativeField). */
export function nonnegative(field: string, value: number | undefined): FieldError[] {
  return value !== undefined && value < 0 ? [invalidValue(field, value, "must be greater than or equal to 0")] : [];
}

/** A value out of a list; Required when it is empty. */
export function oneOf(field: string, value: string | undefined, supported: readonly string[]): FieldError[] {
  if (!value) return [required(field)];
  return supported.includes(value) ? [] : [notSupported(field, value, supported)];
}

/** As oneOf, but the value may be left out. */
export function oneOfIfSet(field: string, value: string | undefined, supported: readonly string[]): FieldError[] {
  return value === undefined || supported.includes(value) ? [] : [notSupported(field, value, supported)];
}

/** A name that must be given and be a DNS label. */
export function requiredLabel(field: string, value: string | undefined): FieldError[] {
  return value ? objections(field, value, isDNS1123Label(value)) : [required(field)];
}

/** A name that, when given, must be a DNS subdomain. */
export function subdomainIfSet(field: string, value: string | undefined): FieldError[] {
  return value ? objections(field, value, isDNS1123Subdomain(value)) : [];
}

/** A port by number or by name (upstream: ValidatePortNumOrName). */
export function portNumberOrName(field: string, port: number | string | undefined): FieldError[] {
  return typeof port === "string"
    ? objections(field, port, isValidPortName(port))
    : objections(field, port ?? 0, isValidPortNum(port ?? 0));
}

/** A count or a percentage (upstream: ValidatePositiveIntOrPercent). */
export function positiveIntOrPercent(field: string, value: number | string | undefined): FieldError[] {
  if (typeof value !== "string") return nonnegative(field, value);
  return isValidPercent(value).length === 0
    ? []
    : [invalidValue(field, goIntOrString(value), "must be an integer or percentage (e.g '5%%')")];
}

/** A percentage of at most a hundred (upstream: IsNotMoreThan100Percent). */
export function notMoreThan100Percent(field: string, value: number | string | undefined): FieldError[] {
  if (typeof value !== "string" || isValidPercent(value).length > 0) return [];
  return Number.parseInt(value, 10) > 100
    ? [invalidValue(field, goIntOrString(value), "must not be greater than 100%")]
    : [];
}

/** A path below something, that never leaves it (upstream: validateLocalDescendingPath). */
export function localDescendingPath(field: string, path: string): FieldError[] {
  const faults: FieldError[] = [];
  if (path.startsWith("/")) faults.push(invalidValue(field, path, "must be a relative path"));
  return [...faults, ...noBacksteps(field, path)];
}

/** A path below something that does not start with two dots, which are the kubelet's own (upstream: ValidateLocalNonReservedPath). */
export function localNonReservedPath(field: string, path: string): FieldError[] {
  const faults = localDescendingPath(field, path);
  if (!path.startsWith("..") || path.startsWith("../")) return faults;
  return [...faults, invalidValue(field, path, "must not start with '..'")];
}

/** No element of the path is `..` (upstream: validatePathNoBacksteps). */
export function noBacksteps(field: string, path: string): FieldError[] {
  return path.split("/").includes("..") ? [invalidValue(field, path, "must not contain '..'")] : [];
}

/** A domain of at least three segments (upstream: IsFullyQualifiedName). */
export function fullyQualifiedName(field: string, name: string | undefined): FieldError[] {
  if (!name) return [required(field)];
  const words = isDNS1123Subdomain(name);
  if (words.length > 0) return [invalidValue(field, name, words.join(","))];
  const why = "should be a domain with at least three segments separated by dots";
  return name.split(".").length < 3 ? [invalidValue(field, name, why)] : [];
}

const httpPath = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const httpPathPattern = new RegExp(`^${httpPath}$`);

/** "acme.io/foo" (upstream: IsDomainPrefixedPath). */
export function domainPrefixedPath(field: string, value: string | undefined): FieldError[] {
  if (!value) return [required(field)];
  const slash = value.indexOf("/");
  const host = value.slice(0, Math.max(slash, 0));
  const path = value.slice(slash + 1);
  if (host === "" || path === "") {
    return [invalidValue(field, value, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  }
  const faults = objections(field, host, isDNS1123Subdomain(host));
  if (!httpPathPattern.test(path)) faults.push(invalidValue(field, path, regexError("Invalid path", httpPath)));
  return faults;
}

/** A name or kind that has to fit into a URL's path, and must be given. */
export function requiredPathSegment(field: string, value: string | undefined, why = ""): FieldError[] {
  return value ? objections(field, value, isPathSegmentName(value)) : [required(field, why)];
}

/** One fault for a value with all of its objections, joined as upstream joins them. */
export function joined(field: string, value: unknown, words: readonly string[]): FieldError[] {
  return words.length > 0 ? [invalidValue(field, value, words.join(","))] : [];
}
