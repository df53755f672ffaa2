// Table of URLs and what they ask for, after upstream's requestinfo_test.go.

import { test } from "tap";
import { requestInfoOf } from "./request-info.js";

test("resource requests", async (t) => {
  const cases: [string, string, Record<string, string>][] = [
    ["GET", "/api/v1/namespaces", { verb: "list", resource: "namespaces", namespace: "", name: "" }],
    ["GET", "/api/v1/namespaces/other", { verb: "get", resource: "namespaces", namespace: "other", name: "other" }],
    ["GET", "/api/v1/namespaces/other/pods", { verb: "list", resource: "pods", namespace: "other", name: "" }],
    ["GET", "/api/v1/namespaces/other/pods/foo", { verb: "get", resource: "pods", namespace: "other", name: "foo" }],
    ["HEAD", "/api/v1/namespaces/other/pods/foo", { verb: "get", resource: "pods", name: "foo" }],
    [
      "PUT",
      "/api/v1/namespaces/other/finalize",
      { verb: "update", resource: "namespaces", subresource: "finalize", name: "other" },
    ],
    ["GET", "/api/v1/pods?watch=1", { verb: "watch", resource: "pods" }],
    ["GET", "/api/v1/pods?watch=false", { verb: "list" }],
    ["GET", "/api/v1/watch/namespaces/other/pods", { verb: "watch", resource: "pods", namespace: "other" }],
    ["GET", "/api/v1/pods?fieldSelector=metadata.name%3Da", { verb: "list", name: "a" }],
    ["GET", "/api/v1/pods?fieldSelector=metadata.name%3D..", { verb: "list", name: "" }],
    ["GET", "/api/v1/pods?fieldSelector=a%3Db&labelSelector=c", { fieldSelector: "a=b", labelSelector: "c" }],
    ["GET", "/api/v1/pods?fieldSelector=a%3Db&fieldSelector=c%3Dd", { fieldSelector: "a=b" }],
    ["DELETE", "/api/v1/namespaces/n/pods?labelSelector=c", { verb: "deletecollection", labelSelector: "c" }],
    ["GET", "/api/v1/namespaces/n/pods/p?fieldSelector=a%3Db", { verb: "get", fieldSelector: "" }],
    ["GET", "/api/v1/watch/pods?fieldSelector=a%3Db", { verb: "watch", fieldSelector: "" }],
    [
      "DELETE",
      "/apis/apps/v1/namespaces/n/deployments",
      { verb: "deletecollection", group: "apps", resource: "deployments" },
    ],
    ["PATCH", "/apis/apps/v1/namespaces/n/deployments/d/scale", { verb: "patch", subresource: "scale", name: "d" }],
    ["POST", "/api/v1/namespaces/n/pods/p/binding", { verb: "create", subresource: "binding", name: "p" }],
    ["GET", "/api/v1/namespaces/n/services/s:80/proxy/a/b", { verb: "get", subresource: "proxy", name: "s:80" }],
    ["GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode", { name: "system:node", verb: "get" }],
  ];
  for (const [method, url, expected] of cases) {
    const info = requestInfoOf(method, url);
    t.equal(info.isResourceRequest, true, url);
    t.match(info, expected, `${method} ${url}`);
  }
});

test("other paths", async (t) => {
  for (const url of ["/", "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/healthz", "/metrics?x=1"]) {
    const info = requestInfoOf("GET", url);
    t.equal(info.isResourceRequest, false, url);
    t.equal(info.verb, "get", url);
    t.equal(info.path, url.split("?")[0], url);
  }
});
