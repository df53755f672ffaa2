import { deployments } from "@picokube/api/apps/v1";
import { tokenreviews } from "@picokube/api/authentication/v1";
import { pods } from "@picokube/api/core/v1";
import { test } from "tap";
import type { ResourceDefinition } from "../registry/resource-definition.js";
import { createOpenApi } from "./openapi.js";
import { operationsOf } from "./operations.js";

const pod: ResourceDefinition = {
  resource: pods,
  storagePrefix: "pods",
  hasStatus: true,
  hasGeneration: true,
  streams: ["log", "exec"],
};
const deployment: ResourceDefinition = {
  resource: deployments,
  storagePrefix: "deployments",
  hasStatus: true,
  hasGeneration: true,
  scale: { specReplicas: "spec.replicas", statusReplicas: "status.replicas", selector: () => "" },
};
const tokenReview: ResourceDefinition = {
  resource: tokenreviews,
  storagePrefix: "tokenreviews",
  verbs: [],
  hasStatus: false,
  hasGeneration: false,
  connect: { "": { verbs: ["create"], kind: tokenreviews, handle: async () => ({ object: {} }) } },
};
const definitions = [pod, deployment, tokenReview];

test("operations follow the declaration", (t) => {
  const lines = (definition: ResourceDefinition): string[] =>
    operationsOf(definition).map(({ method, path, action }) => `${method} ${path} ${action}`);
  t.same(lines(tokenReview), ["post /apis/authentication.k8s.io/v1/tokenreviews post"]);
  const deploymentLines = lines(deployment);
  t.ok(deploymentLines.includes("get /apis/apps/v1/deployments list"));
  t.ok(deploymentLines.includes("patch /apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale patch"));
  t.ok(lines(pod).includes("post /api/v1/namespaces/{namespace}/pods/{name}/exec connect"));
  const ids = definitions.flatMap(operationsOf).map(({ operationId }) => operationId);
  t.equal(new Set(ids).size, ids.length, "operation ids are unique");
  t.ok(ids.includes("listAppsV1NamespacedDeployment"));
  t.ok(ids.includes("listCoreV1PodForAllNamespaces"));
  t.end();
});

test("v3: the index leads to documents that stand for themselves", async (t) => {
  const openApi = createOpenApi({ definitions: () => definitions });
  const index = await openApi.handle("/openapi/v3?timeout=32s", "application/json");
  const { paths } = JSON.parse(String(index?.body)) as { paths: { [key: string]: { serverRelativeURL: string } } };
  t.same(Object.keys(paths), ["api/v1", "apis/apps/v1", "apis/authentication.k8s.io/v1"]);
  const answer = await openApi.handle(paths["apis/apps/v1"]!.serverRelativeURL, "application/json");
  t.equal(answer?.headers["cache-control"], "public, immutable");
  const text = String(answer?.body);
  const document = JSON.parse(text);
  const schemas = document.components.schemas;
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) t.ok(schemas[name!], name!);
  t.same(schemas["io.k8s.api.apps.v1.Deployment"]["x-kubernetes-group-version-kind"], [
    { group: "apps", kind: "Deployment", version: "v1" },
  ]);
  t.equal(schemas["io.k8s.api.core.v1.PodSpec"].properties.containers["x-kubernetes-patch-merge-key"], "name");
  t.match(schemas["io.k8s.apimachinery.pkg.api.resource.Quantity"].oneOf, [{ type: "string" }, { type: "number" }]);
  const patch = document.paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"].patch;
  t.ok(patch.parameters.some((parameter: { name: string }) => parameter.name === "fieldValidation"));
  t.notOk(schemas["io.k8s.api.core.v1.Pod"], "only what the group refers to");
});

test("v2: JSON and protobuf, conditional and compressed", async (t) => {
  const openApi = createOpenApi({ definitions: () => definitions });
  const json = await openApi.handle("/openapi/v2", "application/json");
  const document = JSON.parse(String(json?.body));
  t.equal(document.swagger, "2.0");
  t.match(document.definitions["io.k8s.api.core.v1.Container"].properties.image, { type: "string" });
  const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
  const proto = await openApi.handle("/openapi/v2", accept, { acceptEncoding: "gzip" });
  t.match(proto?.headers, {
    "content-type": "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
    "content-encoding": "gzip",
  });
  const again = await openApi.handle("/openapi/v2", accept, { ifNoneMatch: proto!.headers.etag! });
  t.equal(again?.status, 304);
  const plain = await openApi.handle("/openapi/v2", accept);
  t.same(plain?.body.subarray(0, 5), Buffer.from([0x0a, 3, 0x32, 0x2e, 0x30]), 'field 1 is "2.0"');
  t.equal(await openApi.handle("/openapi/v4", "*/*"), undefined);
  t.equal(await openApi.handle("/openapi/v3/apis/nope/v1", "*/*"), undefined);
  t.equal((await openApi.handle("/openapi/v3", "text/html"))?.status, 406);
});

test("what comes and goes is told, and nothing else is built again", async (t) => {
  const widget: ResourceDefinition = {
    resource: {
      ...pods,
      group: "x.example.com",
      version: "v1",
      kind: "Widget",
      resource: "widgets",
      singular: "widget",
    },
    storagePrefix: "x.example.com/widgets",
    hasStatus: false,
    hasGeneration: true,
    custom: {
      schema: {
        type: "object",
        required: ["spec"],
        properties: {
          spec: {
            type: "object",
            description: "What is wanted.",
            properties: {
              size: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
              note: { type: "string", nullable: true },
              open: { type: "object", "x-kubernetes-preserve-unknown-fields": true, properties: { a: {} } },
              labels: { type: "object", additionalProperties: { type: "string" } },
              list: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
            },
            required: ["note", "size"],
          },
        },
      },
      ownership: {},
      decode: (value) => ({ value, unknownFields: [] }),
      isTerminating: () => false,
    },
  };
  let served: readonly ResourceDefinition[] = definitions;
  const openApi = createOpenApi({ definitions: () => served });
  const pathsNow = async () => {
    const index = await openApi.handle("/openapi/v3", "application/json");
    return JSON.parse(String(index?.body)).paths as { [key: string]: { serverRelativeURL: string } };
  };
  const read = async (path: string) => JSON.parse(String((await openApi.handle(path, "application/json"))?.body));
  const before = await pathsNow();
  served = [...definitions, widget];
  const after = await pathsNow();
  t.same({ ...after, "apis/x.example.com/v1": undefined }, { ...before, "apis/x.example.com/v1": undefined });
  const v3 = await read(after["apis/x.example.com/v1"]!.serverRelativeURL);
  const { "com.example.x.v1.Widget": schema, "com.example.x.v1.WidgetList": list } = v3.components.schemas;
  t.match(schema["x-kubernetes-group-version-kind"], [{ group: "x.example.com", kind: "Widget", version: "v1" }]);
  t.match(schema.properties.metadata.allOf, [
    { $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" },
  ]);
  t.ok(v3.components.schemas["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]);
  t.match(schema.properties.apiVersion.description, /versioned schema/);
  t.match(schema.properties.spec, widget.custom!.schema.properties!.spec);
  t.match(list.properties.items.items, { $ref: "#/components/schemas/com.example.x.v1.Widget" });
  const patch = v3.paths["/apis/x.example.com/v1/namespaces/{namespace}/widgets/{name}"].patch;
  t.same(patch["x-kubernetes-group-version-kind"], { group: "x.example.com", kind: "Widget", version: "v1" });
  t.same(Object.keys(patch.requestBody.content), [
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
  ]);
  const v2 = (await read("/openapi/v2")).definitions["com.example.x.v1.Widget"];
  t.same(v2.properties.spec, {
    type: "object",
    description: "What is wanted.",
    properties: {
      size: { "x-kubernetes-int-or-string": true },
      note: {},
      open: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
      labels: { type: "object", additionalProperties: { type: "string" } },
      list: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
    },
    required: ["size"],
  });
  served = definitions;
  t.same(await pathsNow(), before);
  t.equal(await openApi.handle("/openapi/v3/apis/x.example.com/v1", "application/json"), undefined);
  t.notOk((await read("/openapi/v2")).definitions["com.example.x.v1.Widget"]);
});
