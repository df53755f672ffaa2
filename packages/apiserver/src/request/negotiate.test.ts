// Table of Accept headers.

import { test } from "tap";
import { negotiate, wantsPretty } from "./negotiate.js";

test("negotiation", async (t) => {
  const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const cases: [string | undefined, object][] = [
    [undefined, { format: "json", as: "object" }],
    ["*/*", { format: "json", as: "object" }],
    ["application/json", { format: "json", as: "object" }],
    ["application/yaml", { format: "yaml", as: "object" }],
    [`${table},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`, { format: "json", as: "Table" }],
    ["application/vnd.kubernetes.protobuf,application/json", { format: "json", as: "object" }],
    ["application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", { as: "PartialObjectMetadataList" }],
    ["application/json;as=Nonsense;g=meta.k8s.io;v=v1,application/json", { as: "object" }],
    ["application/json;q=0.1,application/yaml", { format: "yaml" }],
    ["*/*, application/yaml", { format: "yaml" }],
    ["application/*, application/yaml;q=0.9", { format: "json" }],
    ["*/*;q=0.9, application/yaml;q=0.9, application/json;q=0.9", { format: "yaml" }],
    ["application/json;pretty=1", { format: "json", pretty: true }],
    ["application/json;stream=watch", { format: "json", as: "object" }],
    ["text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", { format: "json", as: "object" }],
  ];
  for (const [header, expected] of cases) t.match(negotiate(header), expected, String(header));
  t.throws(() => negotiate("application/vnd.kubernetes.protobuf"), { code: 406, reason: "NotAcceptable" });
});

test("people's tools get indented JSON unless they say otherwise", async (t) => {
  const cases: [string | null, string | undefined, boolean][] = [
    [null, undefined, false],
    [null, "kubectl/v1.33.0", false],
    [null, "curl/8.5.0", true],
    [null, "Wget/1.21", true],
    [null, "Mozilla/5.0 (X11)", true],
    ["", "curl/8.5.0", true],
    ["false", "curl/8.5.0", false],
    ["yes", "curl/8.5.0", false],
    ["true", "kubectl/v1.33.0", true],
  ];
  for (const [parameter, agent, expected] of cases) {
    t.equal(wantsPretty(parameter, agent), expected, `${parameter} ${agent}`);
  }
});
