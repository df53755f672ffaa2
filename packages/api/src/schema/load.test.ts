import { test } from "tap";
import { builtinResources } from "../resources.js";
import { definition, definitionNameOf, definitionsWithDescriptions, resolve, schemaOf } from "./load.js";
import type { Schema } from "./schema.js";

/** The schema at a path of field names; "[]" and "{}" step into items and values. */
function at(schema: Schema | undefined, path: string): Schema | undefined {
  let found = schema && resolve(schema);
  const steps = path.split(".");
  steps.forEach((step, index) => {
    const next = step === "[]" ? found?.items : step === "{}" ? found?.additionalProperties : found?.properties?.[step];
    found = next && (index === steps.length - 1 ? next : resolve(next));
  });
  return found;
}

test("every built-in kind has a schema with apiVersion, kind and metadata", (t) => {
  for (const resource of builtinResources) {
    const schema = schemaOf(resource);
    t.ok(schema?.properties?.kind, `${resource.group}/${resource.version} ${resource.kind}`);
    t.notOk(schema?.required?.includes("kind"));
  }
  t.equal(definitionNameOf({ group: "apps", version: "v1", kind: "Deployment" }), "io.k8s.api.apps.v1.Deployment");
  t.equal(schemaOf({ group: "apps", version: "v1", kind: "Nonsense" }), undefined);
  t.throws(() => definition("toString"), /no schema is named/);
  t.end();
});

test("shapes, formats, required fields and merge rules are upstream's", (t) => {
  const pod = schemaOf({ group: "", version: "v1", kind: "Pod" });
  const table: [string, Schema][] = [
    ["spec.containers", { type: "array", listType: "map", listMapKeys: ["name"], patchMergeKey: "name" }],
    ["spec.containers.[].ports", { listMapKeys: ["containerPort", "protocol"], patchMergeKey: "containerPort" }],
    ["spec.containers.[].ports.[].containerPort", { type: "integer", format: "int32" }],
    ["spec.containers.[].ports.[].protocol", { default: "TCP" }],
    ["spec.containers.[].imagePullPolicy", { type: "string", enum: ["Always", "IfNotPresent", "Never"] }],
    ["spec.volumes", { patchStrategy: "merge,retainKeys", patchMergeKey: "name" }],
    ["spec.tolerations", { listType: "atomic" }],
    ["spec.nodeSelector", { type: "object", mapType: "atomic", additionalProperties: { type: "string" } }],
    ["spec.terminationGracePeriodSeconds", { type: "integer", format: "int64" }],
    ["spec.containers.[].resources.limits.{}", { ref: "io.k8s.apimachinery.pkg.api.resource.Quantity" }],
    ["metadata.creationTimestamp", { ref: "io.k8s.apimachinery.pkg.apis.meta.v1.Time" }],
    ["metadata.finalizers", { listType: "set", patchStrategy: "merge" }],
    ["metadata.labels", { type: "object", additionalProperties: { type: "string" } }],
  ];
  for (const [path, want] of table) t.match(at(pod, path), want, path);
  const request = schemaOf({ group: "certificates.k8s.io", version: "v1", kind: "CertificateSigningRequest" });
  const service = schemaOf({ group: "apiregistration.k8s.io", version: "v1", kind: "APIService" });
  const bytes: Schema = { type: "string", format: "byte", listType: "atomic" };
  t.match(at(request, "spec.request"), bytes, "bytes are a list to upstream's markers");
  t.match(at(request, "status.certificate"), bytes);
  t.match(at(service, "spec.caBundle"), bytes);
  t.same(at(pod, "spec.containers.[]")?.ref, "io.k8s.api.core.v1.Container");
  t.same(definition("io.k8s.api.core.v1.PodSpec").required, ["containers"]);
  t.same(definition("io.k8s.api.core.v1.Container").required, ["name"]);
  t.match(at(schemaOf({ group: "", version: "v1", kind: "Secret" }), "data.{}"), { type: "string", format: "byte" });
  t.match(resolve({ ref: "io.k8s.apimachinery.pkg.util.intstr.IntOrString" }), { format: "int-or-string" });
  t.equal(at(pod, "spec.schedulingGroup"), undefined, "newer than 1.33");
  t.end();
});

test("descriptions come on request", (t) => {
  t.equal(definition("io.k8s.api.core.v1.Pod").description, undefined);
  const pod = definitionsWithDescriptions().get("io.k8s.api.core.v1.Pod");
  t.match(pod?.description, /^Pod is a collection of containers/);
  t.match(pod?.properties?.spec?.description, /^Specification of the desired behavior of the pod/);
  t.match(pod?.properties?.kind?.description, /^Kind is a string value/);
  t.end();
});
