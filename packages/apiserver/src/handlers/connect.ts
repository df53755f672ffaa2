// Subresources and virtual resources that are answered by code: binding, eviction, token, the reviews.

import { methodNotAllowed } from "@picokube/api/errors";
import { decodeObject } from "../decode/decode-object.js";
import type { ConnectHandler } from "../registry/resource-definition.js";
import type { Handler } from "./dependencies.js";
import { readBody } from "./exchange.js";
import { sendPlain } from "./represent.js";
import { decodingOf, writeOptionsOf } from "./write-options.js";

/** The handler of one ConnectHandler. */
export function connectHandler(connect: ConnectHandler): Handler {
  return async (exchange, { served }, dependencies) => {
    const { info, request } = exchange;
    const verb = info.verb === "create" || info.verb === "get" ? info.verb : undefined;
    if (verb === undefined || !connect.verbs.includes(verb)) throw methodNotAllowed(served.resource, info.verb);
    const options = writeOptionsOf(exchange, dependencies, { kind: "CreateOptions" });
    const { context } = options;
    const decoding = { ...decodingOf(exchange, { served, options }), kind: connect.kind };
    const body = verb === "get" ? undefined : await decodeObject(await readBody(request), decoding);
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
