// POST to a collection.

import { badRequest, StatusError } from "@picokube/api/errors";
import type { GroupResource } from "@picokube/api/resource";
import { decodeObject, fieldValidationOf } from "../decode/decode-object.js";
import { contextOf, dryRunOf, type Handler } from "./dependencies.js";
import { readBody } from "./exchange.js";
import { fieldManagerOf } from "./field-manager-option.js";
import { representationOf, sendObject } from "./represent.js";

export const handleCreate: Handler = async (exchange, { served, writer }, dependencies) => {
  const { request, info } = exchange;
  representationOf(exchange);
  const fieldValidation = fieldValidationOf(info.query);
  const dryRun = dryRunOf(info.query.getAll("dryRun"), "CreateOptions");
  const fieldManager = fieldManagerOf(exchange, "CreateOptions");
  const context = { ...contextOf(exchange, dependencies, dryRun), fieldManager };
  const { custom } = served.definition;
  if (custom?.isTerminating()) throw createNotAllowed(served.resource);
  const object = await decodeObject(await readBody(request), {
    contentType: request.headers["content-type"],
    kind: served.resource,
    custom,
    fieldValidation,
    warn: (message) => exchange.warn(message),
  });
  const { namespace } = object.metadata;
  if (served.resource.namespaced) {
    if (namespace && namespace !== info.namespace) {
      throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
    }
    if (info.namespace === "") throw badRequest("an empty namespace may not be set during creation");
  }
  const isNamespace = served.resource.resource === "namespaces" && served.resource.group === "";
  const written = await writer.create(object, {
    namespace: isNamespace || !served.resource.namespaced ? "" : info.namespace,
    context,
    admission: dependencies.admission,
  });
  const { bytes } = written;
  await sendObject(exchange, { code: 201, served, object: () => written.object, bytes, nowMs: context.now() });
};

/** Upstream's answer while a CustomResourceDefinition is being deleted. */
function createNotAllowed({ group, resource }: GroupResource): StatusError {
  return new StatusError({
    code: 405,
    reason: "MethodNotAllowed",
    message: "create not allowed while custom resource definition is terminating",
    details: { group, kind: resource },
  });
}
