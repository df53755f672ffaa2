// Encodes the parts of an OpenAPI v2 document as gnostic's messages (openapi.v2.Document): field numbers are that
// format's. Takes the JSON forms; values that no rule of protobuf fits (defaults, enums, extensions) travel as YAML.

import { boolField, messageField, stringField, stringFields } from "./proto-writer.js";
import type { Json } from "./schemas.js";

/** JSON is YAML. */
const any = (value: unknown): Buffer[] => stringField(2, `${JSON.stringify(value)}\n`);

const named = (name: string, value: readonly Buffer[]): Buffer[] => [
  ...stringField(1, name),
  ...messageField(2, value),
];

function vendorExtensions(field: number, json: Json): Buffer[] {
  return Object.entries(json)
    .filter(([name]) => name.startsWith("x-"))
    .flatMap(([name, value]) => messageField(field, named(name, any(value))));
}

function schema(json: Json): Buffer[] {
  const properties = json.properties as { [name: string]: Json } | undefined;
  const items = json.items as Json | undefined;
  const values = json.additionalProperties as Json | undefined;
  return [
    ...stringField(1, json.$ref),
    ...stringField(2, json.format),
    ...stringField(4, json.description),
    ...(json.default === undefined ? [] : messageField(5, any(json.default))),
    ...stringFields(19, json.required),
    ...((json.enum as unknown[] | undefined) ?? []).flatMap((value) => messageField(20, any(value))),
    ...(values ? messageField(21, messageField(1, schema(values))) : []),
    ...(json.type ? messageField(22, stringField(1, json.type)) : []),
    ...(items ? messageField(23, messageField(1, schema(items))) : []),
    ...(properties
      ? messageField(
          25,
          Object.entries(properties).flatMap(([name, property]) => messageField(1, named(name, schema(property)))),
        )
      : []),
    ...vendorExtensions(31, json),
  ];
}

function bodyParameter(json: Json): Buffer[] {
  return [
    ...stringField(2, json.name),
    ...stringField(3, json.in),
    ...boolField(4, json.required),
    ...messageField(5, schema(json.schema as Json)),
  ];
}

/** Query and path parameters differ by one field that shifts the later ones. */
function plainParameter(json: Json): Buffer[] {
  const shift = json.in === "query" ? 1 : 0;
  return [
    ...boolField(1, json.required),
    ...stringField(2, json.in),
    ...stringField(3, json.description),
    ...stringField(4, json.name),
    ...stringField(5 + shift, json.type),
    ...boolField(19 + shift, json.uniqueItems),
  ];
}

function parameter(json: Json): Buffer[] {
  const inner =
    json.in === "body"
      ? messageField(1, bodyParameter(json))
      : messageField(2, messageField(json.in === "query" ? 3 : 4, plainParameter(json)));
  return messageField(1, inner);
}

function response(json: Json): Buffer[] {
  const body = json.schema as Json | undefined;
  return messageField(1, [
    ...stringField(1, json.description),
    ...(body ? messageField(2, messageField(1, schema(body))) : []),
  ]);
}

function operation(json: Json): Buffer[] {
  const responses = Object.entries(json.responses as { [code: string]: Json });
  return [
    ...stringFields(1, json.tags),
    ...stringField(3, json.description),
    ...stringField(5, json.operationId),
    ...stringFields(6, json.produces),
    ...stringFields(7, json.consumes),
    ...(json.parameters as Json[]).flatMap((each) => messageField(8, parameter(each))),
    ...messageField(
      9,
      responses.flatMap(([code, answer]) => messageField(1, named(code, response(answer)))),
    ),
    ...vendorExtensions(13, json),
  ];
}

const METHOD_FIELDS = { get: 2, put: 3, post: 4, delete: 5, patch: 8 } as const;

/** The document's first fields. */
export function encodeHeader({ title, version }: { title: string; version: string }): Buffer {
  const info = [...stringField(1, title), ...stringField(2, version)];
  return Buffer.concat([...stringField(1, "2.0"), ...messageField(2, info)]);
}

/** One path as a part of Document.paths. */
export function encodePath(path: string, json: Json): Buffer {
  const item = [
    ...Object.entries(METHOD_FIELDS).flatMap(([method, field]) =>
      json[method] ? messageField(field, operation(json[method] as Json)) : [],
    ),
    ...(json.parameters as Json[]).flatMap((each) => messageField(9, parameter(each))),
  ];
  return Buffer.concat(messageField(8, messageField(2, named(path, item))));
}

/** One definition as a part of Document.definitions. */
export function encodeDefinition(name: string, json: Json): Buffer {
  return Buffer.concat(messageField(9, messageField(1, named(name, schema(json)))));
}
