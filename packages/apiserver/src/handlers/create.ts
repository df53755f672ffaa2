// POST to a collection.

import { badRequest, StatusError } from "@picokube/api/errors";
import type { GroupResource } from "@picokube/api/resource";
import { decodeObject } from "../decode/decode-object.js";
import type { Handler } from "./dependencies.js";
import { readBody } from "./exchange.js";
import { representationOf } from "./represent.js";
import { decodingOf, writeOptionsOf } from "./write-options.js";
import { sendWritten } from "./written.js";

export const handleCreate: Handler = async (exchange, { served, writer }, dependencies) => {
  const { request, info } = exchange;
  representationOf(exchange);
  const options = writeOptionsOf(exchange, dependencies, { kind: "CreateOptions" });
  if (served.definition.custom?.isTerminating()) throw createNotAllowed(served.resource);
  const object = await decodeObject(await readBody(request), decodingOf(exchange, { served, options }));
  const { namespace } = object.metadata;
  if (served.resource.namespaced) {
    if (namespace && namespace !== info.namespace) {
      throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
    }
    if (info.namespace === "") throw badRequest("an empty namespace may not be set during creation");
  }
  const { context } = options;
  const isNamespace = served.resource.resource === "namespaces" && served.resource.group === "";
  const written = await writer.create(object, {
    namespace: isNamespace || !served.resource.namespaced ? "" : info.namespace,
    context,
    admission: dependencies.admission,
  });
  await sendWritten(exchange, { written, served, nowMs: context.now() });
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
