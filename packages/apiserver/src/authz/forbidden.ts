// The words of a refusal (upstream: endpoints/handlers/responsewriters errors.go). Decides nothing.

import { forbidden, type StatusError } from "@picokube/api/errors";
import type { Attributes } from "./authorizer.js";

/** The sentence alone: `User "x" cannot list resource "pods" in API group "" in the namespace "default"`. */
export function forbiddenMessage({ user, verb, resource, path }: Attributes): string {
  const who = `User ${JSON.stringify(user.name)}`;
  if (!resource) return `${who} cannot ${verb} path ${JSON.stringify(path)}`;
  const what = resource.subresource === "" ? resource.resource : `${resource.resource}/${resource.subresource}`;
  const where = resource.namespace === "" ? "at the cluster scope" : `in the namespace "${resource.namespace}"`;
  return `${who} cannot ${verb} resource "${what}" in API group "${resource.group}" ${where}`;
}

/** The 403 for a request that no authorizer allowed. */
export function forbiddenError(attributes: Attributes, reason: string): StatusError {
  const message = forbiddenMessage(attributes);
  return forbidden(
    { group: attributes.resource?.group ?? "", resource: attributes.resource?.resource ?? "" },
    attributes.resource?.name ?? "",
    reason === "" ? message : `${message}: ${reason}`,
  );
}
