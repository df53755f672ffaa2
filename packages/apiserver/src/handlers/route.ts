// Which handler answers a resource request; throws upstream's errors for what is not served.

import { StatusError } from "@picokube/api/errors";
import type { RequestInfo } from "../request/request-info.js";
import type { ServedRegistry, ServedStorage } from "../storage/storage-registry.js";
import { handleComputedGet, handleComputedList } from "./computed.js";
import { connectHandler } from "./connect.js";
import { handleCreate } from "./create.js";
import { handleDelete, handleDeleteCollection } from "./delete.js";
import type { Handler } from "./dependencies.js";
import { handleGet } from "./get.js";
import { handleList } from "./list.js";
import { handlePatch } from "./patch.js";
import { handleScale } from "./scale.js";
import { handleUpdate } from "./update.js";
import { handleWatch } from "./watch.js";

const VERBS: { readonly [verb: string]: Handler } = {
  get: handleGet,
  list: handleList,
  watch: handleWatch,
  create: handleCreate,
  update: handleUpdate,
  patch: handlePatch,
  delete: handleDelete,
  deletecollection: handleDeleteCollection,
};
const COMPUTED: { readonly [verb: string]: Handler } = { get: handleComputedGet, list: handleComputedList };

const SUBRESOURCE_VERBS: { readonly [verb: string]: Handler } = {
  get: handleGet,
  update: handleUpdate,
  patch: handlePatch,
};

export type Route =
  | { readonly kind: "handler"; readonly handler: Handler; readonly target: ServedStorage }
  | { readonly kind: "stream"; readonly target: ServedStorage }
  /** Upstream's plain "404 page not found". */
  | { readonly kind: "absent" };

/** Finds the route. Throws 405. */
export function routeOf(info: RequestInfo, registry: ServedRegistry): Route {
  const target = registry.servedFor(info);
  if (!target) return { kind: "absent" };
  const { definition, resource, verbs } = target.served;
  if (definition.streams?.includes(info.subresource)) return { kind: "stream", target };
  const wrongScope = resource.namespaced
    ? info.namespace === "" && info.verb !== "list" && info.verb !== "watch"
    : info.namespace !== "" && resource.resource !== "namespaces";
  const connect =
    definition.connect && Object.hasOwn(definition.connect, info.subresource)
      ? definition.connect[info.subresource]
      : undefined;
  if (connect && !(wrongScope && info.subresource !== ""))
    return { kind: "handler", handler: connectHandler(connect), target };
  if (wrongScope) return { kind: "absent" };
  if (info.subresource === "") {
    const handler = VERBS[info.verb];
    const hasName = info.name !== "" && (info.verb === "create" || info.verb === "list");
    if (!handler || !verbs.includes(info.verb as never) || (hasName && info.verb === "create")) throw notAllowed();
    if (definition.compute) return { kind: "handler", handler: COMPUTED[info.verb]!, target };
    if ((info.verb === "update" || info.verb === "patch") && info.name === "") throw notAllowed();
    return { kind: "handler", handler, target };
  }
  if (info.subresource === "scale" && definition.scale) return { kind: "handler", handler: handleScale, target };
  const isStatus = info.subresource === "status" && definition.hasStatus;
  const isOwn = definition.update !== undefined && Object.hasOwn(definition.update, info.subresource);
  if (!isStatus && !isOwn) return { kind: "absent" };
  const handler = SUBRESOURCE_VERBS[info.verb];
  if (!handler) throw notAllowed();
  return { kind: "handler", handler, target };
}

/** Whether anything answers that path and verb. Never throws. */
export function isServed(info: RequestInfo, registry: ServedRegistry): boolean {
  try {
    return routeOf(info, registry).kind !== "absent";
  } catch {
    return false;
  }
}

/** Upstream's answer to a method that the path does not take. */
export function notAllowed(): StatusError {
  return new StatusError({
    code: 405,
    reason: "MethodNotAllowed",
    message: "the server does not allow this method on the requested resource",
    details: {},
  });
}
