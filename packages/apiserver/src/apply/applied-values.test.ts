// What a configuration claims and does by values that say little: nulls, empty maps and lists, quantities in other words.

import { test } from "tap";
import { applied, errorOf, owners, updated, WEB } from "./field-writes.testing.js";
import { entriesOf } from "./managed-fields.js";

const head = "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\n";

test("nulls and empty values are owned as upstream owns them", (t) => {
  const table: [string, string, object][] = [
    ["a null scalar", "spec: { replicas: null }", { "f:spec": { "f:replicas": {} } }],
    ["a null struct", "spec: { template: null }", { "f:spec": { "f:template": {} } }],
    ["an empty struct", "spec: { template: { spec: {} } }", { "f:spec": { "f:template": { "f:spec": {} } } }],
    [
      "an empty list of items",
      "spec: { template: { spec: { volumes: [], dnsPolicy: Default } } }",
      { "f:spec": { "f:template": { "f:spec": { "f:dnsPolicy": {} } } } },
    ],
    [
      "a null list of items",
      "spec: { template: { spec: { volumes: null } } }",
      { "f:spec": { "f:template": { "f:spec": { "f:volumes": {} } } } },
    ],
    [
      "an empty atomic list",
      "spec: { template: { spec: { tolerations: [] } } }",
      { "f:spec": { "f:template": { "f:spec": { "f:tolerations": {} } } } },
    ],
    ["an empty atomic map", "spec: { selector: {} }", { "f:spec": { "f:selector": {} } }],
    [
      "an empty map",
      "spec: { template: { metadata: { labels: {} } } }",
      { "f:spec": { "f:template": { "f:metadata": { "f:labels": {} } } } },
    ],
    [
      "a null in a map",
      "spec: { template: { metadata: { labels: { a: null } } } }",
      { "f:spec": { "f:template": { "f:metadata": { "f:labels": { "f:a": {} } } } } },
    ],
  ];
  for (const [what, spec, expected] of table)
    t.same(owners(applied(undefined, `${head}${spec}`)), { "a Apply": expected }, what);
  t.end();
});

interface Web {
  spec: {
    replicas?: number;
    template: { metadata: { labels: object }; spec: { nodeSelector?: object; containers: object[] } };
  };
}

test("a null takes a scalar away, but says nothing of the fields and items that are there", (t) => {
  const web = applied(undefined, WEB);
  const nulls = `${head}spec: { replicas: null, template: { metadata: { labels: null }, spec: { containers: null } } }`;
  const { spec } = applied(web, nulls, { manager: "b", force: true }) as unknown as Web;
  t.equal(spec.replicas, undefined);
  t.same(spec.template.metadata.labels, { app: "web" });
  t.equal(spec.template.spec.containers.length, 1);
  t.match(
    errorOf(() => applied(web, nulls, { manager: "b" })).message,
    'Apply failed with 1 conflict: conflict with "a": .spec.replicas',
    "who nulls a scalar changes it",
  );
  t.end();
});

test("an empty map lays nothing over the entries of others, an atomic one replaces them", (t) => {
  const selected = WEB.replace("    spec:\n", "    spec:\n      nodeSelector: { disk: ssd }\n");
  t.match(selected, /nodeSelector/);
  const web = applied(undefined, selected);
  const empty = `${head}spec: { template: { metadata: { labels: {} }, spec: { nodeSelector: {} } } }`;
  t.equal(
    errorOf(() => applied(web, empty, { manager: "b" })).message,
    'Apply failed with 1 conflict: conflict with "a": .spec.template.spec.nodeSelector',
  );
  const { spec } = applied(web, empty, { manager: "b", force: true }) as unknown as Web;
  t.same(spec.template.metadata.labels, { app: "web" });
  t.equal(spec.template.spec.nodeSelector, undefined);
  t.end();
});

test("a quantity in other words is stored in its own, and is no change to whoever wrote it so", (t) => {
  const limits = (cpu: string) =>
    WEB.replace("image: nginx", `image: nginx\n        resources: { limits: { cpu: ${cpu} } }`);
  const web = applied(undefined, limits("1000m"));
  t.match(web, { spec: { template: { spec: { containers: [{ resources: { limits: { cpu: "1" } } }] } } } });
  const again = applied(web, limits("1000m"), { seconds: 9 });
  t.match(again, { spec: { template: { spec: { containers: [{ resources: { limits: { cpu: "1" } } }] } } } });
  t.same(owners(again), owners(web));
  t.end();
});

test("who only shares what is there gets no time; who changes it gets the time of the change", (t) => {
  const web = applied(undefined, WEB);
  const shared = applied(web, WEB, { manager: "b", seconds: 5 });
  const times = (object: typeof web) =>
    Object.fromEntries(entriesOf(object).map(({ manager, time }) => [manager, time]));
  t.same(times(shared), { a: "2030-01-01T00:00:00Z", b: undefined });
  t.same(
    entriesOf(shared).map(({ manager }) => manager),
    ["b", "a"],
    "no time comes first",
  );
  const less = applied(shared, `${head}spec: { replicas: 2 }`, { manager: "b", seconds: 6 });
  t.same(times(less), times(shared), "a smaller claim changes no object");
  t.same(owners(less)["b Apply"], { "f:spec": { "f:replicas": {} } });
  const relabelled = updated(
    less,
    (object: { metadata: object }) => Object.assign(object.metadata, { labels: { x: "y" } }),
    "u",
    7,
  );
  t.same(times(relabelled), { ...times(less), u: "2030-01-01T00:00:07Z" });
  t.end();
});
