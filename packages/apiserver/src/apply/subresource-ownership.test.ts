// Which fields a write through a subresource can own, and whose the replicas are after a scale.

import { deployments } from "@picokube/api/apps/v1";
import { certificatesigningrequests } from "@picokube/api/certificates/v1";
import { namespaces, nodes, pods } from "@picokube/api/core/v1";
import { test } from "tap";
import { parseFieldSet } from "./field-set.js";
import { applied, errorOf, owners, updated, WEB, write } from "./field-writes.testing.js";
import { entriesOf, setEntries } from "./managed-fields.js";
import { ownedThrough } from "./reset-fields.js";
import { entriesAfterScale, entriesAfterScaleApply } from "./scale-ownership.js";

test("reset fields are owned by nobody", (t) => {
  const all = {
    "f:metadata": {
      "f:labels": { "f:a": {} },
      "f:annotations": { "f:b": {} },
      "f:ownerReferences": { 'k:{"uid":"1"}': {} },
    },
    "f:spec": {
      "f:containers": { 'k:{"name":"c"}': { ".": {}, "f:image": {}, "f:resources": { "f:limits": {} } } },
      "f:ephemeralContainers": { 'k:{"name":"d"}': { ".": {}, "f:image": {} } },
      "f:finalizers": {},
    },
    "f:status": { "f:phase": {}, "f:certificate": {} },
  };
  const set = parseFieldSet(all);
  const { "f:metadata": metadata, "f:spec": spec, "f:status": status } = all;
  const table: [string, ReturnType<typeof ownedThrough>, object][] = [
    ["a pod", ownedThrough(pods, { subresource: "", hasStatus: true }), { "f:metadata": metadata, "f:spec": spec }],
    ["a kind without status", ownedThrough(pods, { subresource: "", hasStatus: false }), all],
    [
      "a pod's status",
      ownedThrough(pods, { subresource: "status", hasStatus: true }),
      {
        "f:metadata": { "f:labels": { "f:a": {} }, "f:annotations": { "f:b": {} } },
        "f:status": status,
      },
    ],
    [
      "a node's status",
      ownedThrough(nodes, { subresource: "status", hasStatus: true }),
      { "f:metadata": metadata, "f:status": status },
    ],
    [
      "a deployment's status",
      ownedThrough(deployments, { subresource: "status", hasStatus: true }),
      {
        "f:metadata": { "f:annotations": { "f:b": {} }, "f:ownerReferences": metadata["f:ownerReferences"] },
        "f:status": status,
      },
    ],
    [
      "a request's approval",
      ownedThrough(certificatesigningrequests, { subresource: "approval", hasStatus: true }),
      {
        "f:metadata": metadata,
        "f:status": { "f:phase": {} },
      },
    ],
    [
      "a request",
      ownedThrough(certificatesigningrequests, { subresource: "", hasStatus: true }),
      { "f:metadata": metadata },
    ],
    [
      "a namespace's finalize",
      ownedThrough(namespaces, { subresource: "finalize", hasStatus: true }),
      { "f:metadata": metadata, "f:spec": spec },
    ],
    [
      "ephemeral containers",
      ownedThrough(pods, { subresource: "ephemeralcontainers", hasStatus: true }),
      {
        "f:spec": { "f:ephemeralContainers": spec["f:ephemeralContainers"] },
      },
    ],
    [
      "a resize",
      ownedThrough(pods, { subresource: "resize", hasStatus: true }),
      {
        "f:spec": { "f:containers": { 'k:{"name":"c"}': { "f:resources": { "f:limits": {} } } } },
      },
    ],
  ];
  for (const [what, owned, expected] of table) t.same(owned(set), expected, what);
  t.end();
});

test("an apply of the object does not own its status, one of the status not its spec", (t) => {
  const web = applied(undefined, WEB);
  const both = `${WEB}status: { observedGeneration: 3 }\n`;
  const status = applied(web, both.replace("replicas: 2", "replicas: 9"), { manager: "s", subresource: "status" });
  t.same(owners(status)["s Apply"], { "f:status": { "f:observedGeneration": {} } });
  t.equal(entriesOf(status).find(({ manager }) => manager === "s")?.subresource, "status");
  const spec = applied(web, both, { manager: "a", seconds: 1 });
  t.same(owners(spec), owners(web));
  t.end();
});

const path = "spec.replicas";
const scale = (manager: string) => ({ ...write(manager), subresource: "scale", path });
const replicas = { "f:spec": { "f:replicas": {} } };

test("a scale takes the replicas from their owners, without a time", (t) => {
  const web = applied(undefined, WEB);
  const entries = entriesAfterScale(web, scale("hpa"));
  t.match(
    entries.find(({ manager }) => manager === "hpa"),
    { operation: "Update", apiVersion: "apps/v1", subresource: "scale", fieldsV1: replicas },
  );
  t.notOk("time" in entries.find(({ manager }) => manager === "hpa")!);
  t.notOk(
    (entries.find(({ manager }) => manager === "a")!.fieldsV1["f:spec"] as object) &&
      "f:replicas" in entries.find(({ manager }) => manager === "a")!.fieldsV1["f:spec"]!,
  );
  const free = applied(undefined, WEB.replace("  replicas: 2\n", ""));
  t.equal(entriesAfterScale(free, scale("hpa")), entriesOf(free), "replicas of nobody stay nobody's");
  t.end();
});

test("an applied scale conflicts in the version of scales, shares, and takes by force", (t) => {
  const web = applied(undefined, WEB);
  const scaled = structuredClone(web);
  setEntries(scaled, entriesAfterScale(web, scale("hpa")));
  const change = { isChange: true, force: false };
  t.equal(
    errorOf(() => entriesAfterScaleApply(scaled, scale("b"), change)).message,
    'Apply failed with 1 conflict: conflict with "hpa" with subresource "scale" using autoscaling/v1: .spec.replicas',
  );
  const shared = entriesAfterScaleApply(scaled, scale("b"), { isChange: false, force: false });
  const holders = (entries: typeof shared) =>
    entries.filter(({ fieldsV1 }) => "f:replicas" in (fieldsV1["f:spec"] ?? {})).map(({ manager }) => manager);
  t.same(holders(shared).sort(), ["b", "hpa"]);
  t.same(holders(entriesAfterScaleApply(scaled, scale("b"), { isChange: true, force: true })), ["b"]);
  const free = applied(undefined, WEB.replace("  replicas: 2\n", ""));
  t.match(
    errorOf(() => entriesAfterScaleApply(free, scale("b"), change)).message,
    /"before-first-apply" with subresource "scale" using autoscaling\/v1/,
  );
  t.end();
});

test("updates through the object itself are told from those through its scale", (t) => {
  const web = applied(undefined, WEB);
  const updatedWeb = updated(web, (object: { spec: { replicas: number } }) => (object.spec.replicas = 4), "hpa");
  const entries = entriesAfterScale(updatedWeb, scale("hpa"));
  t.same(
    entries.filter(({ manager }) => manager === "hpa").map(({ subresource = "" }) => subresource),
    ["scale"],
  );
  t.end();
});
