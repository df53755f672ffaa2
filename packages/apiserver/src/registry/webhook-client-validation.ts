// Where a webhook is called: a URL or a Service, in upstream's words (upstream: apiserver pkg/util/webhook/validation.go).
// Pure; nothing is resolved or called.

import { type FieldError, invalidValue, required } from "@picokube/api/validation/field-error";
import { isDNS1123Subdomain, isValidPortNum } from "@picokube/api/validation/names";

/** The part of a webhook's clientConfig that says where it is. */
export interface WebhookClientConfig {
  readonly url?: string | undefined;
  readonly service?: WebhookService | undefined;
  readonly caBundle?: string | undefined;
}

interface WebhookService {
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
  readonly path?: string | undefined;
  readonly port?: number | undefined;
}

const form = "; desired format: https://host[/path]";
const parts = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/(?:([^/?#@]*)@)?([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#(.*))?$/s;

function validateUrl(url: string, path: string): FieldError[] {
  const [, scheme = "", user, host = "", query = "", fragment = ""] = parts.exec(url) ?? [];
  const faults: FieldError[] = [];
  if (scheme.toLowerCase() !== "https") {
    faults.push(invalidValue(path, scheme.toLowerCase(), `'https' is the only allowed URL scheme${form}`));
  }
  if (host === "") faults.push(invalidValue(path, "", `host must be specified${form}`));
  if (user !== undefined) faults.push(invalidValue(path, user, "user information is not permitted in the URL"));
  if (fragment !== "") faults.push(invalidValue(path, fragment, "fragments are not permitted in the URL"));
  if (query !== "") faults.push(invalidValue(path, query, "query parameters are not permitted in the URL"));
  return faults;
}

function validatePath(url: string, path: string): FieldError[] {
  if (url === "" || url === "/") return [];
  if (url === "//") return [invalidValue(path, url, "segment[0] may not be empty")];
  const faults = url.startsWith("/") ? [] : [invalidValue(path, url, "must start with a '/'")];
  const steps = url.slice(1).replace(/\/$/, "").split("/");
  for (const [index, step] of steps.entries()) {
    const words = step === "" ? [" may not be empty"] : isDNS1123Subdomain(step).map((why) => `: ${why}`);
    for (const why of words) faults.push(invalidValue(path, url, `segment[${index}]${why}`));
  }
  return faults;
}

function validateService({ name, namespace, path: url, port = 0 }: WebhookService, path: string): FieldError[] {
  const faults: FieldError[] = [];
  if (!name) faults.push(required(`${path}.name`, "service name is required"));
  if (!namespace) faults.push(required(`${path}.namespace`, "service namespace is required"));
  const words = isValidPortNum(port);
  if (words.length > 0) faults.push(invalidValue(`${path}.port`, port, `port is not valid: ${words.join(", ")}`));
  return url === undefined ? faults : [...faults, ...validatePath(url, `${path}.path`)];
}

/** Exactly one of url and service, and that one well formed. */
export function validateWebhookClientConfig(config: WebhookClientConfig | undefined, path: string): FieldError[] {
  const { url, service } = config ?? {};
  if (url !== undefined && !service) return validateUrl(url, `${path}.url`);
  if (url === undefined && service) return validateService(service, `${path}.service`);
  return [required(path, "exactly one of url or service is required")];
}
