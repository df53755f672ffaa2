// Reads of kinds of which nothing is stored: their objects are made when they are asked for.

import { notFound } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { CacheItem } from "../storage/cache-item.js";
import type { ServedResource } from "../storage/served-resource.js";
import type { Handler } from "./dependencies.js";
import { sendPage } from "./list.js";
import { itemFilter, listOptionsOf } from "./list-options.js";
import type { ListPage } from "./read-page.js";
import { sendObject } from "./represent.js";

/** GET of one. */
export const handleComputedGet: Handler = async (exchange, { served }, { clock }) => {
  const [object] = await served.definition.compute!(exchange.info.name);
  if (!object) throw notFound(served.resource, exchange.info.name);
  const { bytes } = itemOf(served, object);
  await sendObject(exchange, { code: 200, served, object: () => object, bytes, nowMs: clock.now() });
};

/** GET of all, selected like stored ones. */
export const handleComputedList: Handler = async (exchange, { served }, { clock }) => {
  const filter = itemFilter(listOptionsOf(exchange.info.query, served, false), served);
  const objects = await served.definition.compute!("");
  const items = objects.map((object) => itemOf(served, object)).filter((item) => filter === undefined || filter(item));
  const page: ListPage = { items, revision: undefined, continueToken: "", remaining: undefined };
  await sendPage(exchange, { served, page, nowMs: clock.now() });
};

function itemOf(served: ServedResource, object: KubernetesObject): CacheItem {
  const { name, namespace = "", labels = {} } = object.metadata;
  return {
    key: served.keyOf(namespace, name),
    namespace,
    name,
    revision: 0,
    bytes: Buffer.from(JSON.stringify(object)),
    labels,
    fields: served.fieldsOf(object),
    parsed: object,
  };
}
