// Answers with objects in the representation that was negotiated. Plain JSON goes out as the bytes that are there.

import { notAcceptable } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { negotiate, type Representation, wantsPretty } from "../request/negotiate.js";
import type { ServedResource } from "../storage/served-resource.js";
import { type Exchange, sendJsonBytes } from "./exchange.js";
import { sendYaml } from "./send-yaml.js";
import { includeObjectOf, partialMetadataBytes, tableHead, tableRow } from "./tables.js";

/** What the request's Accept header asks for; throws 406. transforms: false for documents that have no Table. */
export function representationOf(
  { request, info }: Exchange,
  { transforms = true }: { transforms?: boolean } = {},
): Representation {
  const { accept, "user-agent": userAgent } = request.headers;
  return negotiate(accept, { transforms, pretty: wantsPretty(info.query.get("pretty"), userAgent) });
}

/** Refuses metadata of a list for one object, and of one object for a list (upstream: doTransformObject). */
export function checkShape({ as }: Representation, served: ServedResource, { isList }: { isList: boolean }): void {
  if (as !== (isList ? "PartialObjectMetadata" : "PartialObjectMetadataList")) return;
  const { group, kind } = served.resource;
  const type = `*${group === "" ? "core" : group.split(".")[0]}.${kind}${isList ? "List" : ""}`;
  throw notAcceptable(`you requested ${as}, but the requested object is ${isList ? "a" : "not a"} list (${type})`);
}

/** Answers with one object of a served resource. */
export function sendObject(
  exchange: Exchange,
  {
    code,
    served,
    object,
    bytes,
    nowMs,
  }: {
    code: number;
    served: ServedResource;
    object: () => KubernetesObject;
    bytes: Buffer;
    nowMs: number;
  },
): Promise<void> | void {
  const representation = representationOf(exchange);
  checkShape(representation, served, { isList: false });
  switch (representation.as) {
    case "object":
      return sendDocument(exchange, code, bytes, representation);
    case "Table": {
      const { definition } = served;
      const current = object();
      const head = tableHead(definition, { resourceVersion: current.metadata.resourceVersion });
      const includeObject = includeObjectOf(exchange.info.query);
      const row = tableRow(current, { definition, includeObject, bytes, nowMs });
      return sendDocument(exchange, code, Buffer.from(`${head}${row}]}`), representation);
    }
    default:
      return sendDocument(exchange, code, partialMetadataBytes(bytes), representation);
  }
}

/** Answers with an object that is no served resource's: a Status, a Scale, a review. */
export async function sendPlain(exchange: Exchange, code: number, object: unknown): Promise<void> {
  const representation = representationOf(exchange);
  await sendDocument(exchange, code, Buffer.from(JSON.stringify(object)), representation);
}

/** Sends JSON bytes, as YAML or indented when that was asked for. */
export function sendDocument(
  { response }: Exchange,
  code: number,
  bytes: Buffer,
  { format, pretty }: Representation,
): Promise<void> | void {
  if (format === "json" && !pretty) return sendJsonBytes(response, code, bytes);
  const value: unknown = JSON.parse(bytes.toString());
  if (format === "json") return sendJsonBytes(response, code, Buffer.from(JSON.stringify(value, null, 2)));
  return sendYaml(response, code, value);
}
