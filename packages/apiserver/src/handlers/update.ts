// PUT of an object or of one of its subresources.

import { badRequest } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { decodeObject, fieldValidationOf } from "../decode/decode-object.js";
import type { RequestInfo } from "../request/request-info.js";
import { contextOf, dryRunOf, type Handler } from "./dependencies.js";
import { readBody } from "./exchange.js";
import { fieldManagerOf } from "./field-manager-option.js";
import { representationOf, sendObject } from "./represent.js";

export const handleUpdate: Handler = async (exchange, { served, writer }, dependencies) => {
  const { request, info } = exchange;
  representationOf(exchange);
  const fieldValidation = fieldValidationOf(info.query);
  const dryRun = dryRunOf(info.query.getAll("dryRun"), "UpdateOptions");
  const fieldManager = fieldManagerOf(exchange, "UpdateOptions");
  const context = { ...contextOf(exchange, dependencies, dryRun), fieldManager };
  const object = await decodeObject(await readBody(request), {
    contentType: request.headers["content-type"],
    kind: served.resource,
    custom: served.definition.custom,
    fieldValidation,
    warn: (message) => exchange.warn(message),
  });
  const namespace = served.resource.namespaced ? info.namespace : "";
  checkName(object, info, namespace);
  const mayCreate = info.subresource === "" && served.definition.allowCreateOnUpdate === true;
  const written = await writer.update({
    namespace,
    name: info.name,
    subresource: info.subresource,
    context,
    admission: dependencies.admission,
    transform: () => structuredClone(object),
    create: mayCreate
      ? () => {
          dependencies.authorizeCreate(exchange);
          return structuredClone(object);
        }
      : undefined,
  });
  await sendObject(exchange, {
    code: written.created ? 201 : 200,
    served,
    object: () => written.object,
    bytes: written.bytes,
    nowMs: context.now(),
  });
};

/** Throws 400 when the body names another object than the URL. */
export function checkName({ metadata }: KubernetesObject, info: RequestInfo, namespace: string): void {
  if (!metadata.name) {
    throw badRequest(`the name of the object (${info.name} based on URL) was undeterminable: name must be provided`);
  }
  if (metadata.name !== info.name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${info.name})`);
  }
  if (namespace !== "" && metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest(
      `the namespace of the object (${metadata.namespace}) does not match the namespace on the request (${namespace})`,
    );
  }
}
