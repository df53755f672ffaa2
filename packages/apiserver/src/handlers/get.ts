// GET of one object: the cached bytes.

import { currentItem, type Handler, waitForRevision } from "./dependencies.js";
import { resourceVersionOf } from "./list-options.js";
import { sendObject } from "./represent.js";

export const handleGet: Handler = (exchange, target, { feed, clock }) => {
  const { served } = target;
  const resourceVersion = resourceVersionOf(exchange.info.query);
  const send = () => {
    const item = currentItem(target, exchange);
    const bytes = served.bytesOf(item);
    return sendObject(exchange, { code: 200, served, object: () => served.objectOf(item), bytes, nowMs: clock.now() });
  };
  if (resourceVersion === "" || resourceVersion === "0") return send();
  return waitForRevision(feed, Number(resourceVersion), clock).then(send);
};
