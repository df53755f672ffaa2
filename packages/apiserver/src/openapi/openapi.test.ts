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
  const openApi = createOpenApi({ definitions });
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
  const openApi = createOpenApi({ definitions });
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
