// Turns a request's body into an object of the kind that is wanted, in upstream's words when it is not one. Knows media
// types and field validation; the shape of kinds is the schema's.

import { badRequest, invalid, tooLarge, unsupportedMediaType } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { apiVersionOf, type GroupVersionKind, parseApiVersion } from "@picokube/api/resource";
import { resourceOfKind } from "@picokube/api/resources";
import { definitionNameOf } from "@picokube/api/schema/load";
import { invalidValue } from "@picokube/api/validation/field-error";
import type { CustomKind } from "../registry/resource-definition.js";
import { findDuplicateFields, isTooDeep } from "./json-scanner.js";
import { DecodeFault, decodeTyped, MAX_DEPTH } from "./typed-decoder.js";

const SUMMARY_LENGTH = 30;
export const MAX_BODY_BYTES = 3 * 1024 * 1024;

export type FieldValidation = "Ignore" | "Warn" | "Strict";

/** Upstream's answer to a body above the limit. */
export function bodyTooLarge(): Error {
  return tooLarge(`Request entity is too large: limit is ${MAX_BODY_BYTES}`);
}

interface Syntax {
  readonly value: unknown;
  readonly duplicates: readonly string[];
}

/** Parses JSON or YAML by media type. Throws 415 for others, and an Error in Go's words for bad syntax. */
async function parseBody(
  body: Buffer,
  { contentType, kind, custom }: DecodeOptions,
  wantDuplicates: boolean,
): Promise<Syntax> {
  const mediaType = (contentType ?? "").split(";")[0]!.trim().toLowerCase();
  switch (mediaType) {
    case "":
    case "application/json":
    case "*/*":
      return parseJson(body.toString(), wantDuplicates);
    case "application/yaml":
    case "application/x-yaml":
    case "text/yaml":
      return { value: await parseYaml(body.toString()), duplicates: [] };
    case "application/vnd.kubernetes.protobuf": {
      if (custom) throw unknownFormat(CUSTOM_TYPES);
      const { decodeProtobuf } = await import("./protobuf.js");
      return { value: decodeProtobuf(body, kind), duplicates: [] };
    }
    default:
      throw unknownFormat(custom ? CUSTOM_TYPES : [...CUSTOM_TYPES, "application/vnd.kubernetes.protobuf"]);
  }
}

/** What bodies of custom resources may be written in. */
const CUSTOM_TYPES: readonly string[] = ["application/json", "application/yaml"];

function unknownFormat(types: readonly string[]): Error {
  return unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${types.join(", ")}`,
  );
}

/** JSON.parse with Go's words and a bound on depth. */
export function parseJson(text: string, wantDuplicates = false): Syntax {
  if (isTooDeep(text, MAX_DEPTH)) throw new Error("exceeded max depth");
  try {
    const value: unknown = JSON.parse(text);
    return { value, duplicates: wantDuplicates ? findDuplicateFields(text) : [] };
  } catch (error) {
    throw new Error(goSyntaxError((error as Error).message, text), { cause: error });
  }
}

/** The one document of a YAML text, with the bound on depth that JSON has. */
export async function parseYaml(text: string): Promise<unknown> {
  const { parseYamlDocuments } = await import("@picokube/component-base/config-file");
  const { isYamlTooDeep } = await import("./yaml-depth.js");
  if (isYamlTooDeep(text, MAX_DEPTH)) throw new Error("exceeded max depth");
  try {
    const [value = null] = parseYamlDocuments(text, { source: "yaml" });
    return value;
  } catch (error) {
    // A level of a mapping takes more of the stack than one of a sequence.
    if (/Maximum call stack/.test((error as Error).message)) throw new Error("exceeded max depth", { cause: error });
    throw error;
  }
}

/** V8's complaint in Go's words, as far as its position tells. */
function goSyntaxError(message: string, text: string): string {
  const position = /at position (\d+)/.exec(message)?.[1];
  const token = /Unexpected token '?(.)/.exec(message)?.[1];
  if (/Unexpected end|Unterminated/.test(message) || Number(position) >= text.length) {
    return "unexpected end of JSON input";
  }
  const character = token ?? text[Number(position)];
  if (character === undefined) return message;
  const quoted = character === "'" ? "'\\''" : `'${JSON.stringify(character).slice(1, -1).replace('\\"', '"')}'`;
  const place = /property name/.test(message)
    ? "looking for beginning of object key string"
    : /Expected/.test(message)
      ? "after object key:value pair"
      : "looking for beginning of value";
  return `invalid character ${quoted} ${place}`;
}

function summary(body: Buffer): string {
  if (body.length === 0) return "<empty>";
  const isText = body[0] === 0x7b;
  const shown = body.subarray(0, SUMMARY_LENGTH).toString(isText ? "utf8" : "hex");
  return body.length > SUMMARY_LENGTH ? `${shown} ...` : shown;
}

export interface DecodeOptions {
  readonly contentType: string | undefined;
  readonly kind: GroupVersionKind;
  /** Of a kind that is not built in. */
  readonly custom?: CustomKind | undefined;
  readonly fieldValidation: FieldValidation;
  warn(message: string): void;
}

/** Decodes a body into the wanted kind; a body without kind and apiVersion is taken to be one. Throws 400, 413, 415. */
export async function decodeObject<T extends KubernetesObject>(body: Buffer, options: DecodeOptions): Promise<T> {
  const { kind, fieldValidation } = options;
  let syntax: Syntax;
  try {
    syntax = await parseBody(body, options, fieldValidation !== "Ignore");
  } catch (error) {
    if (error instanceof Error && error.name === "StatusError") throw error;
    const why = `couldn't get version/kind; json parse error: ${(error as Error).message}`;
    throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${why} (${summary(body)})`, {
      cause: error,
    });
  }
  return decodeValue<T>(syntax.value, { ...options, duplicates: syntax.duplicates, shown: () => summary(body) });
}

/** Decodes an already parsed value: what a patch made, or one member of a body. */
export function decodeValue<T extends KubernetesObject>(
  value: unknown,
  {
    kind,
    custom,
    fieldValidation,
    warn,
    duplicates = [],
    shown = () => "<object>",
  }: Omit<DecodeOptions, "contentType"> & {
    readonly duplicates?: readonly string[];
    readonly shown?: () => string;
  },
): T {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const word = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
    const why = `couldn't get version/kind; json parse error: json: cannot unmarshal ${word} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`;
    throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${why} (${shown()})`);
  }
  if (custom) checkCustomKind(value, kind, shown);
  else checkKind(value as { apiVersion?: unknown; kind?: unknown }, kind);
  const definitionName = custom ? "" : definitionNameOf(kind);
  if (definitionName === undefined) return withMetadata<T>(value as T);
  const cannot = (why: string) =>
    badRequest(`${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: ${why}`);
  try {
    const { value: decoded, unknownFields } = custom ? custom.decode(value) : decodeTyped(value, definitionName);
    const faults = [
      ...unknownFields.map((path) => `unknown field ${JSON.stringify(path)}`),
      ...duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`),
    ];
    if (faults.length > 0 && fieldValidation === "Strict") throw cannot(`strict decoding error: ${faults.join(", ")}`);
    if (fieldValidation === "Warn") for (const fault of faults) warn(fault);
    return withMetadata<T>(decoded as T);
  } catch (error) {
    if (error instanceof DecodeFault) throw cannot(error.message);
    throw error;
  }
}

function withMetadata<T extends KubernetesObject>(object: T): T {
  object.metadata ??= {} as T["metadata"];
  return object;
}

/** A custom resource must say what it is (upstream: the unstructured decoder). */
function checkCustomKind(
  body: { apiVersion?: unknown; kind?: unknown; metadata?: unknown },
  wanted: GroupVersionKind,
  shown: () => string,
): void {
  const { apiVersion = "", kind } = body;
  if (typeof kind !== "string" || kind === "") {
    const why = `Object 'Kind' is missing in '${JSON.stringify(body)}'`;
    throw badRequest(`the object provided is unrecognized (must be of type ${wanted.kind}): ${why} (${shown()})`);
  }
  const expected = apiVersionOf(wanted);
  if (apiVersion !== expected) {
    const found = typeof apiVersion === "string" ? apiVersion : "";
    throw badRequest(`the API version in the data (${found}) does not match the expected API version (${expected})`);
  }
  if (kind === wanted.kind) return;
  const { name = "" } = (body.metadata ?? {}) as { name?: string };
  throw invalid(wanted, name, [invalidValue("kind", kind, `must be ${wanted.kind}`)]);
}

function checkKind(body: { apiVersion?: unknown; kind?: unknown }, wanted: GroupVersionKind): void {
  const { apiVersion = "", kind = "" } = body;
  if (typeof apiVersion !== "string" || typeof kind !== "string") {
    const [field, value] = typeof kind === "string" ? ["apiVersion", apiVersion] : ["kind", kind];
    const why = `couldn't get version/kind; json parse error: json: cannot unmarshal ${Array.isArray(value) ? "array" : typeof value} into Go struct field .${field} of type string`;
    throw badRequest(`the object provided is unrecognized (must be of type ${wanted.kind}): ${why}`);
  }
  const expected = apiVersionOf(wanted);
  const found = apiVersion === "" ? expected : apiVersion;
  const foundKind = kind === "" ? wanted.kind : kind;
  if (found === expected && foundKind === wanted.kind) return;
  const given = parseApiVersion(found);
  const known = resourceOfKind({ ...given, kind: foundKind });
  if (!known && foundKind !== wanted.kind) {
    const why = `no kind "${foundKind}" is registered for version "${found}" in scheme "pkg/api/legacyscheme/scheme.go:30"`;
    throw badRequest(`${foundKind} in version "${given.version}" cannot be handled as a ${wanted.kind}: ${why}`);
  }
  if (foundKind !== wanted.kind) {
    const why = `converting (${given.version}.${foundKind}) to (${wanted.group === "" ? "core" : wanted.group.split(".")[0]}.${wanted.kind}): unknown conversion`;
    throw badRequest(`${foundKind} in version "${given.version}" cannot be handled as a ${wanted.kind}: ${why}`);
  }
  throw badRequest(`the API version in the data (${found}) does not match the expected API version (${expected})`);
}
