// GET of one object: the cached bytes.

import { currentItem, type Handler, waitForRevision } from "./dependencies.js";
import { resourceVersionOf } from "./list-options.js";
import { sendObject } from "./represent.js";

export const handleGet: Handler = async (exchange, target, { feed, clock }) => {
  const { served } = target;
  const resourceVersion = resourceVersionOf(exchange.info.query);
  if (resourceVersion !== "" && resourceVersion !== "0") await waitForRevision(feed, Number(resourceVersion), clock);
  const item = currentItem(target, exchange);
  const bytes = served.bytesOf(item);
  await sendObject(exchange, { code: 200, served, object: () => served.objectOf(item), bytes, nowMs: clock.now() });
};
