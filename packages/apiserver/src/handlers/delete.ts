// DELETE of one object and of a collection.

import { badRequest, isNotFound } from "@picokube/api/errors";
import { parseJson, parseYaml } from "../decode/decode-object.js";
import { type DeleteOptions, validateDeleteOptions } from "../storage/deletion.js";
import { contextOf, dryRunOf, type Handler } from "./dependencies.js";
import type { Exchange } from "./exchange.js";
import { readBody } from "./exchange.js";
import { itemFilter, listOptionsOf } from "./list-options.js";
import { representationOf, sendDocument, sendObject, sendPlain } from "./represent.js";

/** Kinds whose deleted object is the answer (upstream: ReturnDeletedObject). */
const RETURNED = new Set([
  "pods",
  "podtemplates",
  "persistentvolumes",
  "persistentvolumeclaims",
  "resourcequotas",
  "serviceaccounts",
  "services",
]);

export const handleDelete: Handler = async (exchange, { served, writer }, dependencies) => {
  const { info } = exchange;
  representationOf(exchange);
  const deleteOptions = await readDeleteOptions(exchange);
  const context = contextOf(exchange, dependencies, dryRunOf(deleteOptions.dryRun ?? [], "DeleteOptions"));
  const namespace = served.resource.namespaced ? info.namespace : "";
  const { admission } = dependencies;
  const deleted = await writer.delete({ namespace, name: info.name, deleteOptions, context, admission });
  if (!deleted.removed || RETURNED.has(served.qualifiedName)) {
    const { bytes } = deleted;
    const accepted = !deleted.removed && deleteOptions.orphanDependents === false;
    const code = accepted ? 202 : 200;
    return sendObject(exchange, { code, served, object: () => deleted.object, bytes, nowMs: context.now() });
  }
  const { group, resource } = served.resource;
  await sendPlain(exchange, 200, {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: { name: info.name, ...(group ? { group } : {}), kind: resource, uid: deleted.object.metadata.uid },
  });
};

export const handleDeleteCollection: Handler = async (exchange, { served, writer }, dependencies) => {
  const { info } = exchange;
  const representation = representationOf(exchange);
  const options = listOptionsOf(info.query, served, false);
  const deleteOptions = await readDeleteOptions(exchange);
  const context = contextOf(exchange, dependencies, dryRunOf(deleteOptions.dryRun ?? [], "DeleteOptions"));
  const filter = itemFilter(options, served);
  const items = served.cache.range(served.prefixOf(info.namespace)).filter((item) => filter?.(item) ?? true);
  const bodies: Buffer[] = [];
  for (const { namespace, name } of items) {
    try {
      const { admission } = dependencies;
      bodies.push((await writer.delete({ namespace, name, deleteOptions, context, admission })).bytes);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  const metadata = { resourceVersion: String(dependencies.feed.revision) };
  const head = JSON.stringify({ kind: `${served.kind}List`, apiVersion: served.apiVersion, metadata }).slice(0, -1);
  const body = Buffer.from(`${head},"items":[${bodies.map(String).join(",")}]}`);
  await sendDocument(exchange, 200, body, { ...representation, as: "object" });
};

/** DeleteOptions from the body, or from the query when there is none. */
async function readDeleteOptions({ request, info }: Exchange): Promise<DeleteOptions> {
  const body = await readBody(request);
  const options =
    body.length > 0 ? await parseOptions(body, request.headers["content-type"] ?? "") : fromQuery(info.query);
  validateDeleteOptions(options);
  return options;
}

async function parseOptions(body: Buffer, contentType: string): Promise<DeleteOptions> {
  let value: unknown;
  try {
    if (contentType.startsWith("application/vnd.kubernetes.protobuf")) {
      const { decodeProtobuf } = await import("../decode/protobuf.js");
      value = decodeProtobuf(body, { group: "", version: "v1", kind: "DeleteOptions" });
    } else value = contentType.includes("yaml") ? await parseYaml(body.toString()) : parseJson(body.toString()).value;
  } catch (error) {
    throw badRequest(
      `the object provided is unrecognized (must be of type DeleteOptions): ${(error as Error).message}`,
    );
  }
  if (typeof value !== "object" || value === null) return {};
  const fields = value as Record<string, unknown>;
  const { kind } = fields;
  if (kind !== undefined && typeof kind !== "string") {
    const words = `json: cannot unmarshal ${typeof kind} into Go struct field .kind of type string`;
    throw badRequest(`couldn't get version/kind; json parse error: ${words}`);
  }
  if (kind !== undefined && kind !== "DeleteOptions") {
    throw badRequest(`${kind} in version "v1" cannot be handled as a DeleteOptions`);
  }
  const wrong = (field: string, type: string) =>
    badRequest(
      `DeleteOptions in version "v1" cannot be handled as a DeleteOptions: json: cannot unmarshal ${typeof fields[field]} into Go struct field DeleteOptions.${field} of type ${type}`,
    );
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions, dryRun } = fields;
  if (gracePeriodSeconds != null && !Number.isInteger(gracePeriodSeconds)) throw wrong("gracePeriodSeconds", "int64");
  if (propagationPolicy != null && typeof propagationPolicy !== "string")
    throw wrong("propagationPolicy", "v1.DeletionPropagation");
  if (orphanDependents != null && typeof orphanDependents !== "boolean") throw wrong("orphanDependents", "bool");
  if (preconditions != null && typeof preconditions !== "object") throw wrong("preconditions", "v1.Preconditions");
  if (dryRun != null && !Array.isArray(dryRun)) throw wrong("dryRun", "[]string");
  return {
    ...(gracePeriodSeconds == null ? {} : { gracePeriodSeconds: gracePeriodSeconds as number }),
    ...(propagationPolicy == null ? {} : { propagationPolicy }),
    ...(orphanDependents == null ? {} : { orphanDependents }),
    ...(preconditions == null ? {} : { preconditions: withoutNulls(preconditions) }),
    ...(dryRun == null ? {} : { dryRun: dryRun.map(String) }),
  };
}

function withoutNulls(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
}

function fromQuery(query: URLSearchParams): DeleteOptions {
  const grace = query.get("gracePeriodSeconds");
  const policy = query.get("propagationPolicy");
  const orphan = query.get("orphanDependents");
  if (grace !== null && !/^-?\d{1,15}$/.test(grace)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`);
  }
  return {
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(policy === null || policy === "" ? {} : { propagationPolicy: policy }),
    ...(orphan === null ? {} : { orphanDependents: orphan !== "false" && orphan !== "0" }),
    dryRun: query.getAll("dryRun"),
  };
}
