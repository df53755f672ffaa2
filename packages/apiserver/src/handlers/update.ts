// PUT of an object or of one of its subresources.

import { badRequest } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { decodeObject } from "../decode/decode-object.js";
import type { RequestInfo } from "../request/request-info.js";
import { cloneJson } from "../storage/clone-json.js";
import type { Handler } from "./dependencies.js";
import { readBody } from "./exchange.js";
import { representationOf } from "./represent.js";
import { decodingOf, writeOptionsOf } from "./write-options.js";
import { sendWritten } from "./written.js";

export const handleUpdate: Handler = async (exchange, { served, writer }, dependencies) => {
  const { request, info } = exchange;
  representationOf(exchange);
  const options = writeOptionsOf(exchange, dependencies, { kind: "UpdateOptions" });
  const object = await decodeObject(await readBody(request), decodingOf(exchange, { served, options }));
  const namespace = served.resource.namespaced ? info.namespace : "";
  checkName(object, info, namespace);
  const { context } = options;
  const mayCreate = info.subresource === "" && served.definition.allowCreateOnUpdate === true;
  const written = await writer.update({
    namespace,
    name: info.name,
    subresource: info.subresource,
    context,
    admission: dependencies.admission,
    transform: () => cloneJson(object),
    create: mayCreate
      ? async () => {
          await dependencies.authorizeCreate(exchange);
          return cloneJson(object);
        }
      : undefined,
  });
  await sendWritten(exchange, { written, served, nowMs: context.now() });
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
