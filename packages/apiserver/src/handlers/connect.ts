// Subresources and virtual resources that are answered by code: binding, eviction, token, the reviews.

import { methodNotAllowed } from "@picokube/api/errors";
import { decodeObject, fieldValidationOf } from "../decode/decode-object.js";
import type { ConnectHandler } from "../registry/resource-definition.js";
import { contextOf, dryRunOf, type Handler } from "./dependencies.js";
import { readBody } from "./exchange.js";
import { sendPlain } from "./represent.js";

/** The handler of one ConnectHandler. */
export function connectHandler(connect: ConnectHandler): Handler {
  return async (exchange, { served }, dependencies) => {
    const { info, request } = exchange;
    const verb = info.verb === "create" || info.verb === "get" ? info.verb : undefined;
    if (verb === undefined || !connect.verbs.includes(verb)) throw methodNotAllowed(served.resource, info.verb);
    const context = contextOf(exchange, dependencies, dryRunOf(info.query.getAll("dryRun"), "CreateOptions"));
    const body =
      verb === "get"
        ? undefined
        : await decodeObject(await readBody(request), {
            contentType: request.headers["content-type"],
            kind: connect.kind,
            fieldValidation: fieldValidationOf(info.query),
            warn: (message) => exchange.warn(message),
          });
    if (body) {
      const { group, version, resource } = served.resource;
      const attributes = {
        operation: "CREATE" as const,
        resource: { group, version, resource },
        kind: connect.kind,
        subresource: info.subresource,
        namespace: info.namespace,
        name: info.name,
        user: exchange.user,
        dryRun: context.dryRun,
        object: body,
        oldObject: undefined,
        warn: (message: string) => exchange.warn(message),
      };
      await dependencies.admission?.admit(attributes);
      await dependencies.admission?.validate(attributes);
    }
    const { namespace, name, query } = info;
    const answer = await connect.handle({ context, namespace, name, body, query });
    await sendPlain(exchange, answer.code ?? (verb === "create" ? 201 : 200), answer.object);
  };
}
