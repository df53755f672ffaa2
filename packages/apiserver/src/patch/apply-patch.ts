// Chooses the kind of patch by media type and applies it to a JSON document, with upstream's answers to bad patches.
// Pure; storing the result is the handler's.

import { badRequest, invalid, StatusError, tooLarge, unsupportedMediaType } from "@picokube/api/errors";
import type { GroupVersionKind } from "@picokube/api/resource";
import { definitionNameOf } from "@picokube/api/schema/load";
import fastJsonPatch, { type Operation } from "fast-json-patch";
import { MAX_BODY_BYTES, parseJson } from "../decode/decode-object.js";
import { mergePatch } from "./merge-patch.js";
import { PatchFault, strategicMergePatch } from "./strategic-merge-patch.js";

const MAX_OPERATIONS = 10_000;
/** What all copy operations of one patch may add, as upstream's AccumulatedCopySizeLimit. */
const MAX_COPIED_BYTES = MAX_BODY_BYTES;
const TYPES = ["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"];
/** Server-side apply is no patch of the document; handlers/apply.ts reads it before it comes here. */
const APPLY = "application/apply-patch+yaml";

type JsonObject = { [field: string]: unknown };

/** Applies a parsed patch to a private copy of the document. */
export type Patcher = (document: JsonObject) => unknown;

/** Reads a PATCH body; throws 400, 413 or 415. */
export function patcherOf(body: Buffer, contentType: string | undefined, kind: GroupVersionKind): Patcher {
  const mediaType = (contentType ?? "").split(";")[0]!.trim().toLowerCase();
  if (!TYPES.includes(mediaType)) {
    const known = [...(definitionNameOf(kind) === undefined ? TYPES.slice(0, 2) : TYPES), APPLY];
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${known.join(", ")}`,
    );
  }
  const patch = parsePatch(body, mediaType);
  if (mediaType === TYPES[0]) return jsonPatcher(patch);
  if (!isObject(patch))
    throw badRequest(`json: cannot unmarshal ${goWord(patch)} into Go value of type map[string]interface {}`);
  if (mediaType === TYPES[1]) return (document) => mergePatch(document, patch);
  const name = definitionNameOf(kind);
  if (name === undefined) {
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${[...TYPES.slice(0, 2), APPLY].join(", ")}`,
    );
  }
  return (document) => {
    try {
      return strategicMergePatch(document, patch, { ref: name });
    } catch (error) {
      if (error instanceof PatchFault) throw badRequest(error.message, { cause: error });
      throw error;
    }
  };
}

function parsePatch(body: Buffer, mediaType: string): unknown {
  try {
    return parseJson(body.toString()).value;
  } catch (error) {
    const message = (error as Error).message;
    throw badRequest(mediaType === TYPES[0] ? `error decoding patch: ${message}` : message, { cause: error });
  }
}

function jsonPatcher(patch: unknown): Patcher {
  if (!Array.isArray(patch) || !patch.every(isObject)) {
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${goWord(patch)} into Go value of type jsonpatch.Patch`,
    );
  }
  if (patch.length > MAX_OPERATIONS) {
    throw tooLarge(`The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`);
  }
  return (document) => {
    try {
      return applyOperations(document, structuredClone(patch) as unknown as Operation[]);
    } catch (error) {
      throw rejected(jsonPatchWords(error as Error), error);
    }
  };
}

/** One after the other, so that copies of copies are stopped before they fill the memory. */
function applyOperations(document: JsonObject, operations: readonly Operation[]): unknown {
  let current: unknown = document;
  let copiedBytes = 0;
  for (const [index, operation] of operations.entries()) {
    if (operation.op === "copy") {
      const source = fastJsonPatch.getValueByPointer(current, operation.from) as unknown;
      copiedBytes += JSON.stringify(source ?? null).length;
      if (copiedBytes > MAX_COPIED_BYTES) {
        throw new Error(
          `Unable to complete the copy, the accumulated size increase of copy is ${copiedBytes}, exceeding the limit ${MAX_COPIED_BYTES}`,
        );
      }
    }
    current = fastJsonPatch.applyOperation(current, operation, true, true, true, index).newDocument;
  }
  return current;
}

function jsonPatchWords(error: Error & { name: string; operation?: { op: string; path: string } }): string {
  const { operation } = error;
  const path = operation?.path ?? "";
  switch (error.name) {
    case "TEST_OPERATION_FAILED":
      return `testing value ${path} failed: test failed`;
    case "OPERATION_PATH_UNRESOLVABLE":
      return `${operation?.op} operation does not apply: doc is missing path: ${path}: missing value`;
    default:
      return error.message.split("\n")[0]!;
  }
}

/** 422 as upstream's NewGenericServerResponse words it. */
function rejected(message: string, cause: unknown): StatusError {
  return new StatusError(
    {
      code: 422,
      reason: "Invalid",
      message: "the server rejected our request due to an error in our request",
      details: { causes: [{ reason: "UnexpectedServerResponse", message }] },
    },
    { cause },
  );
}

/** 422 for a patch that left something that is no object. */
export function notAnObject(kind: GroupVersionKind, name: string): StatusError {
  return invalid(kind, name, [
    { reason: "FieldValueInvalid", field: "patch", message: "Invalid value: the patch leaves no object" },
  ]);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function goWord(value: unknown): string {
  return Array.isArray(value) ? "array" : value === null ? "null" : typeof value;
}
