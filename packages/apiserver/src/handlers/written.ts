// Answers a create, update or patch with the object that it left.

import type { Written } from "../storage/resource-writer.js";
import type { ServedResource } from "../storage/served-resource.js";
import type { Exchange } from "./exchange.js";
import { sendObject } from "./represent.js";

/** Sends the object: 201 when the write made it, 200 when it was there. */
export function sendWritten(
  exchange: Exchange,
  { written, served, nowMs }: { written: Written; served: ServedResource; nowMs: number },
): Promise<void> | void {
  const { object, bytes, created } = written;
  return sendObject(exchange, { code: created ? 201 : 200, served, object: () => object, bytes, nowMs });
}
