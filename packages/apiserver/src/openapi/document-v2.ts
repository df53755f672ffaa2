// Writes the OpenAPI v2 document of the whole API, as JSON or in gnostic's protobuf form, piece by piece. kubectl 1.27
// and 1.28 ask for the latter before every apply and explain.

import { type DocumentParts, kindJson, operationEnd } from "./document.js";
import { type Operation, pathParameters } from "./operations.js";
import { pretty, type QueryParameter, queryParameters } from "./parameters.js";
import { encodeDefinition, encodeHeader, encodePath } from "./proto-v2.js";
import { type Json, schemaV2 } from "./schemas.js";

const reference = (name: string): Json => ({ $ref: `#/definitions/${name}` });
const JSON_TYPES = ["application/json"];

function queryJson({ name, type, description }: QueryParameter): Json {
  return { uniqueItems: true, type, description, name, in: "query" };
}

function operationJson(operation: Operation): Json {
  const { action, body, response, stream } = operation;
  const schema = response ? reference(response) : { type: "string" };
  const ok = { description: "OK", schema };
  const bodyParameter = body && {
    name: "body",
    in: "body",
    required: action !== "delete" && action !== "deletecollection",
    schema: reference(body),
  };
  return {
    description: operation.description,
    consumes: ["*/*"],
    produces: response ? JSON_TYPES : stream === "log" ? ["text/plain"] : ["*/*"],
    tags: [operation.tag],
    operationId: operation.operationId,
    parameters: [...(bodyParameter ? [bodyParameter] : []), ...queryParameters(action, stream).map(queryJson)],
    ...operationEnd(operation, ok),
  };
}

function pathJson(path: string, operations: readonly Operation[]): Json {
  const parameters = pathParameters(path).map(({ name, description }) => ({
    uniqueItems: true,
    type: "string",
    description,
    name,
    in: "path",
    required: true,
  }));
  return {
    ...Object.fromEntries(operations.map((operation) => [operation.method, operationJson(operation)])),
    parameters: [...parameters, queryJson(pretty)],
  };
}

function definitionJson(name: string, parts: DocumentParts): Json {
  const ready = parts.ready.get(name);
  if (ready) return ready;
  const schema = schemaV2(parts.definitions.get(name)!);
  const kinds = parts.kinds.get(name);
  if (kinds) schema["x-kubernetes-group-version-kind"] = kinds.map(kindJson);
  return schema;
}

/** The document's JSON in pieces. */
export function* documentV2(parts: DocumentParts): Generator<string> {
  yield `{"swagger":"2.0","info":{"title":"Kubernetes","version":${JSON.stringify(parts.version)}},"paths":{`;
  let comma = "";
  for (const [path, operations] of parts.paths) {
    yield `${comma}${JSON.stringify(path)}:${JSON.stringify(pathJson(path, operations))}`;
    comma = ",";
  }
  yield '},"definitions":{';
  comma = "";
  for (const name of parts.names) {
    yield `${comma}${JSON.stringify(name)}:${JSON.stringify(definitionJson(name, parts))}`;
    comma = ",";
  }
  yield '},"securityDefinitions":{"BearerToken":{"description":"Bearer Token authentication","type":"apiKey","name":"authorization","in":"header"}},"security":[{"BearerToken":[]}]}';
}

/** The same document as gnostic's protobuf message, in pieces: repeated parts of a message may stand apart. */
export function* documentV2Proto(parts: DocumentParts): Generator<Buffer> {
  yield encodeHeader({ title: "Kubernetes", version: parts.version });
  for (const [path, operations] of parts.paths) yield encodePath(path, pathJson(path, operations));
  for (const name of parts.names) yield encodeDefinition(name, definitionJson(name, parts));
}
