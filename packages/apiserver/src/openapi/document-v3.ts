// Writes the OpenAPI v3 document of one group and version, piece by piece.

import { type DocumentParts, kindJson, operationEnd } from "./document.js";
import { type Operation, pathParameters } from "./operations.js";
import { pretty, type QueryParameter, queryParameters } from "./parameters.js";
import { type Json, schemaV3 } from "./schemas.js";

const PATCH_TYPES = [
  "application/apply-patch+yaml",
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
];

const reference = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

function queryJson({ name, type, description }: QueryParameter): Json {
  return { name, in: "query", description, schema: { type, uniqueItems: true } };
}

function content(types: readonly string[], schema: Json): Json {
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

/** kubectl takes from it which patches a kind knows: custom resources have no strategic merge. */
function bodyTypes({ action, response = "" }: Operation, { ready }: DocumentParts): readonly string[] {
  if (action !== "patch") return ["*/*"];
  return ready.has(response) ? PATCH_TYPES.filter((type) => !type.includes("strategic")) : PATCH_TYPES;
}

function operationJson(operation: Operation, parts: DocumentParts): Json {
  const { action, body, response, stream } = operation;
  const answers = response ? content(["application/json"], reference(response)) : undefined;
  const text = content(stream === "log" ? ["text/plain"] : ["*/*"], { type: "string" });
  const ok = { description: "OK", content: answers ?? text };
  return {
    tags: [operation.tag],
    description: operation.description,
    operationId: operation.operationId,
    parameters: queryParameters(action, stream).map(queryJson),
    ...(body ? { requestBody: { content: content(bodyTypes(operation, parts), reference(body)) } } : {}),
    ...operationEnd(operation, ok),
  };
}

function pathJson(path: string, operations: readonly Operation[], parts: DocumentParts): Json {
  const parameters = pathParameters(path).map(({ name, description }) => ({
    name,
    in: "path",
    description,
    required: true,
    schema: { type: "string", uniqueItems: true },
  }));
  return {
    ...Object.fromEntries(operations.map((operation) => [operation.method, operationJson(operation, parts)])),
    parameters: [...parameters, queryJson(pretty)],
  };
}

function definitionJson(name: string, parts: DocumentParts): Json {
  const ready = parts.ready.get(name);
  if (ready) return ready;
  const kinds = parts.kinds.get(name);
  const schema = schemaV3(name, parts.definitions.get(name)!);
  if (kinds) schema["x-kubernetes-group-version-kind"] = kinds.map(kindJson);
  return schema;
}

/** The document's JSON in pieces. */
export function* documentV3(parts: DocumentParts): Generator<string> {
  yield `{"openapi":"3.0.0","info":{"title":"Kubernetes","version":${JSON.stringify(parts.version)}},"paths":{`;
  let comma = "";
  for (const [path, operations] of parts.paths) {
    yield `${comma}${JSON.stringify(path)}:${JSON.stringify(pathJson(path, operations, parts))}`;
    comma = ",";
  }
  yield '},"components":{"schemas":{';
  comma = "";
  for (const name of parts.names) {
    yield `${comma}${JSON.stringify(name)}:${JSON.stringify(definitionJson(name, parts))}`;
    comma = ",";
  }
  yield '},"securitySchemes":{"BearerToken":{"type":"apiKey","description":"Bearer Token authentication","name":"authorization","in":"header"}}},"security":[{"BearerToken":[]}]}';
}
