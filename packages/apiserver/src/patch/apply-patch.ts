// Reads a PATCH body by its media type into a patch that can be applied to a JSON document, with upstream's answers to
// bad ones (apiserver pkg/endpoints/handlers/patch.go). Pure; storing the result is the handler's.

import { badRequest, StatusError, tooLarge, unsupportedMediaType } from "@picokube/api/errors";
import type { GroupVersionKind } from "@picokube/api/resource";
import { definitionNameOf } from "@picokube/api/schema/load";
import { type FieldValidation, parseJson } from "../decode/decode-object.js";
import { findDuplicateFields } from "../decode/json-scanner.js";
import { goValue } from "./go-values.js";
import { jsonPatch, type Operation } from "./json-patch.js";
import { mergePatch } from "./merge-patch.js";
import { PatchFault } from "./patch-fault.js";
import { strategicMergePatch } from "./strategic-merge-patch.js";

const MAX_OPERATIONS = 10_000;
const JSON_PATCH = "application/json-patch+json";
const MERGE_PATCH = "application/merge-patch+json";
const STRATEGIC_PATCH = "application/strategic-merge-patch+json";
/** Server-side apply is no patch of the document; handlers/apply.ts reads it before it comes here. */
const APPLY = "application/apply-patch+yaml";

type JsonObject = { [field: string]: unknown };

/** A patch that was read. */
export interface Patch {
  /** The patched document; the given one, a private copy, may have been changed. Throws 400 and 422. */
  apply(document: JsonObject): unknown;
  /** What stands twice in the patch, or is unknown to it: no fault unless field validation makes it one. */
  readonly faults: readonly string[];
  /** What upstream shows when it refuses the patched document. */
  shown(patched: unknown): string;
  /** Why the patched document is no object of its kind, in the words of the patch's type. */
  why(error: StatusError): string;
}

interface PatchOptions {
  readonly contentType: string | undefined;
  readonly kind: GroupVersionKind;
  readonly fieldValidation: FieldValidation;
}

/** Reads a PATCH body; throws 400, 413 or 415. */
export function readPatch(body: Buffer, { contentType, kind, fieldValidation }: PatchOptions): Patch {
  const mediaType = (contentType ?? "").split(";")[0]!.trim().toLowerCase();
  const definitionName = definitionNameOf(kind);
  const types = [JSON_PATCH, MERGE_PATCH, ...(definitionName === undefined ? [] : [STRATEGIC_PATCH])];
  if (!types.includes(mediaType)) {
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${[...types, APPLY].join(", ")}`,
    );
  }
  const text = body.toString();
  if (mediaType === JSON_PATCH) return readJsonPatch(text, fieldValidation);
  const words = mediaType === MERGE_PATCH ? "error decoding patch: " : "";
  const patch = parsed(text, words);
  if (!isObject(patch)) throw badRequest(`${words}${cannotUnmarshal(patch, "value of type map[string]interface {}")}`);
  const faults = duplicatesIn(text);
  if (mediaType === MERGE_PATCH) {
    return { apply: (document) => mergePatch(document, patch), faults, shown: JSON.stringify, why: wordsOfDecoding };
  }
  return {
    apply: (document) => guarded(() => strategicMergePatch(document, patch, { ref: definitionName! })),
    faults,
    shown: () => goValue(patch),
    why: (error) => wordsOfConversion(wordsOfDecoding(error)),
  };
}

function readJsonPatch(text: string, fieldValidation: FieldValidation): Patch {
  const words = fieldValidation === "Ignore" ? "" : "error decoding patch: ";
  const operations = parsed(text, words);
  const type = fieldValidation === "Ignore" ? "jsonpatch.Patch" : "[]handlers.jsonPatchOp";
  if (!Array.isArray(operations)) throw badRequest(`${words}${cannotUnmarshal(operations, `value of type ${type}`)}`);
  for (const operation of operations) {
    if (operation === null) continue;
    if (!isObject(operation)) {
      throw badRequest(`${words}${cannotUnmarshal(operation, "value of type handlers.jsonPatchOp")}`);
    }
    for (const field of ["op", "path", "from"]) {
      const value = operation[field];
      if (value === undefined || value === null || typeof value === "string") continue;
      throw badRequest(`${words}${cannotUnmarshal(value, `struct field jsonPatchOp.${field} of type string`)}`);
    }
  }
  if (operations.length > MAX_OPERATIONS) {
    throw tooLarge(
      `Request entity too large: The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${operations.length}`,
    );
  }
  const unknown = operations.flatMap((operation, index) =>
    Object.keys(operation ?? {})
      .filter((field) => !["op", "path", "from", "value"].includes(field))
      .map((field) => `unknown field ${JSON.stringify(`[${index}].${field}`)}`),
  );
  return {
    apply: (document) =>
      guarded(() =>
        jsonPatch(
          document,
          operations.map((each) => (each ?? {}) as Operation),
        ),
      ),
    faults: [...unknown, ...duplicatesIn(text)].map((fault) => `json patch ${fault}`),
    shown: JSON.stringify,
    why: wordsOfDecoding,
  };
}

function parsed(text: string, words: string): unknown {
  try {
    return parseJson(text).value;
  } catch (error) {
    throw badRequest(`${words}${(error as Error).message}`, { cause: error });
  }
}

function duplicatesIn(text: string): string[] {
  return findDuplicateFields(text).map((path) => `duplicate field ${JSON.stringify(path)}`);
}

/** Answers a patch that no object can take as upstream's NewGenericServerResponse, which keeps the cause to itself, and
 *  NewBadRequest do. */
function guarded<T>(apply: () => T): T {
  try {
    return apply();
  } catch (error) {
    if (!(error instanceof PatchFault)) throw error;
    if (error.code === 400) throw badRequest(error.message, { cause: error });
    throw new StatusError(
      {
        code: 422,
        reason: "Invalid",
        message: "the server rejected our request due to an error in our request",
        details: {},
      },
      { cause: error },
    );
  }
}

/** The decoder's complaint without what upstream puts before it for whole bodies. */
function wordsOfDecoding({ message }: StatusError): string {
  return message
    .replace(/^[A-Za-z]+ in version "[^"]*" cannot be handled as a [A-Za-z]+: /, "")
    .replace(/^the object provided is unrecognized \(must be of type [A-Za-z]+\): (.*?)( \(<object>\))?$/s, "$1");
}

/** The complaint in the words of runtime.DefaultUnstructuredConverter, which reads what a strategic merge patch made. */
function wordsOfConversion(words: string): string {
  const [, found, float, type] = /^json: cannot unmarshal (\w+)( \S+)? into Go .* of type (\S+)$/.exec(words) ?? [];
  if (found === undefined || type === undefined) return words;
  const number = float?.includes(".") ? "float64" : "int64";
  const kind = { array: "slice", object: "map", number }[found] ?? found;
  if (type.startsWith("[]")) return `cannot restore slice from ${kind}`;
  if (type.startsWith("map[")) return `cannot restore map from ${kind}`;
  if (type.includes(".")) return `cannot restore struct from: ${kind}`;
  const isConvertible = found === "number" && type !== "bool" && !(number === "float64" && type === "string");
  return isConvertible ? `cannot convert ${kind} to ${type}` : `unrecognized type: ${type}`;
}

function cannotUnmarshal(value: unknown, into: string): string {
  const word = Array.isArray(value)
    ? "array"
    : value === null
      ? "null"
      : typeof value === "boolean"
        ? "bool"
        : typeof value;
  return `json: cannot unmarshal ${word} into Go ${into}`;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
