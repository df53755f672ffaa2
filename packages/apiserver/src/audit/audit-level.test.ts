import { test } from "tap";
import type { Attributes } from "../authz/authorizer.js";
import { auditLevel } from "./audit-level.js";
import { type AuditPolicy, validateAuditPolicy } from "./audit-policy.js";

const user = { name: "vera", groups: ["dev", "system:authenticated"] };
const on = (resource: string, more: object = {}): Attributes => {
  const [name = "", subresource = ""] = resource.split("/");
  const empty = { group: "", version: "v1", namespace: "", name: "" };
  return { user, verb: "get", path: "", resource: { ...empty, resource: name, subresource, ...more } };
};
const path = (text: string): Attributes => ({ user, verb: "get", path: text });

test("the first rule that fits decides", (t) => {
  const policy: AuditPolicy = {
    omitStages: ["RequestReceived"],
    omitManagedFields: true,
    rules: [
      { level: "None", users: ["system:kube-proxy"] },
      { level: "None", nonResourceURLs: ["/healthz*", "/version"] },
      {
        level: "Metadata",
        resources: [{ group: "", resources: ["secrets"], resourceNames: ["one"] }],
        omitManagedFields: false,
      },
      { level: "Request", resources: [{ group: "", resources: ["pods/log", "services/*", "*/scale"] }] },
      {
        level: "RequestResponse",
        namespaces: ["dev"],
        resources: [{ group: "apps" }],
        omitStages: ["ResponseStarted"],
      },
      { level: "Request", namespaces: [""], resources: [{ resources: ["nodes"] }] },
      { level: "Metadata", userGroups: ["dev"], verbs: ["delete"] },
      { level: "Metadata", resources: [{ group: "batch", resources: ["*"] }] },
    ],
  };
  const cases: [what: string, attributes: Attributes, level: string][] = [
    ["a user", { ...on("pods"), user: { name: "system:kube-proxy", groups: [] } }, "None"],
    ["a path with a star", path("/healthz/etcd"), "None"],
    ["a path", path("/version"), "None"],
    ["another path", path("/versions"), "None"],
    ["a named secret", on("secrets", { name: "one" }), "Metadata"],
    ["another secret", on("secrets", { name: "two" }), "None"],
    ["a subresource", on("pods/log"), "Request"],
    ["its resource", on("pods"), "None"],
    ["all subresources", on("services/proxy"), "Request"],
    ["resource/* is the resource too", on("services"), "Request"],
    ["a subresource of anything", on("widgets/scale"), "Request"],
    ["a group in a namespace", on("deployments", { group: "apps", namespace: "dev" }), "RequestResponse"],
    ["a group elsewhere", on("deployments", { group: "apps", namespace: "prod" }), "None"],
    ["cluster scope", on("nodes"), "Request"],
    ["a verb of a group's member", { ...on("pods"), verb: "delete" }, "Metadata"],
    ["a star", on("jobs/status", { group: "batch" }), "Metadata"],
  ];
  for (const [what, attributes, level] of cases) t.equal(auditLevel(policy, attributes).level, level, what);
  t.same(auditLevel(policy, on("deployments", { group: "apps", namespace: "dev" })), {
    level: "RequestResponse",
    omitStages: ["RequestReceived", "ResponseStarted"],
    omitManagedFields: true,
  });
  t.equal(auditLevel(policy, on("secrets", { name: "one" })).omitManagedFields, false, "the rule's word is the last");
  t.equal(
    auditLevel({ rules: [{ level: "Metadata" }] }, path("/anything")).level,
    "Metadata",
    "an empty rule fits all",
  );
  t.end();
});

test("a wrong policy is told field by field", (t) => {
  const faultsOf = (policy: object) =>
    validateAuditPolicy(policy as never).map(({ field, message }) => `${field}: ${message}`);
  t.same(faultsOf({ rules: [{ level: "Metadata" }] }), []);
  t.match(faultsOf({ rules: [] }), [/^rules: Required value/]);
  t.match(faultsOf({ rules: [{}] }), [/^rules\[0\]\.level: Required value/]);
  t.match(faultsOf({ rules: [{ level: "Loud" }] }), [
    /Unsupported value: "Loud": supported values: "None", "Metadata"/,
  ]);
  t.match(faultsOf({ rules: [{ level: "None", nonResourceURLs: ["healthz"] }] }), [/must begin with a '\/' character/]);
  t.match(faultsOf({ rules: [{ level: "None", nonResourceURLs: ["/*/x"] }] }), [
    /must be the final character of the rule/,
  ]);
  t.match(faultsOf({ rules: [{ level: "None", resources: [{ group: "apps/v1" }] }] }), [
    /resources\[0\]\.group: Invalid/,
  ]);
  t.match(faultsOf({ rules: [{ level: "None", resources: [{ resourceNames: ["a"] }] }] }), [
    /using resourceNames requires at least one resource/,
  ]);
  t.match(faultsOf({ rules: [{ level: "None", namespaces: ["a"], nonResourceURLs: ["/x"] }] }), [
    /cannot apply to both regular resources and non-resource URLs/,
  ]);
  t.match(faultsOf({ omitStages: ["Later"], rules: [{ level: "None" }] }), [/^omitStages\[0\]: Unsupported value/]);
  t.end();
});
