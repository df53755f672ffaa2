// Who owns which fields after creates, updates and applies of whole objects.

import { deployments } from "@picokube/api/apps/v1";
import { pods } from "@picokube/api/core/v1";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { test } from "tap";
import { parse } from "yaml";
import { decodeMerged } from "../handlers/apply.js";
import { trackWrite } from "./field-manager.js";
import type { JsonObject } from "./field-type.js";
import { applied, created, errorOf, owners, updated, WEB, write } from "./field-writes.testing.js";
import { entriesOf } from "./managed-fields.js";

test("a create by POST owns what it brings, structs and lists as upstream shows them", (t) => {
  const pod = created(
    `
apiVersion: v1
kind: Pod
metadata: { name: p, labels: { run: p }, finalizers: [example.com/x], generateName: p- }
spec:
  nodeSelector: { disk: ssd }
  containers:
  - name: c
    image: nginx
    args: [a, b]
    env: [{ name: A, value: "1" }]
    ports: [{ containerPort: 80 }]
    securityContext: { runAsUser: 1 }
status: { phase: Running }
`,
    "kubectl-run",
    pods,
  );
  t.same(entriesOf(pod), [
    {
      manager: "kubectl-run",
      operation: "Update",
      apiVersion: "v1",
      time: "2030-01-01T00:00:00Z",
      fieldsType: "FieldsV1",
      fieldsV1: {
        "f:metadata": {
          "f:finalizers": { ".": {}, 'v:"example.com/x"': {} },
          "f:generateName": {},
          "f:labels": { ".": {}, "f:run": {} },
        },
        "f:spec": {
          "f:containers": {
            'k:{"name":"c"}': {
              ".": {},
              "f:args": {},
              "f:env": { ".": {}, 'k:{"name":"A"}': { ".": {}, "f:name": {}, "f:value": {} } },
              "f:image": {},
              "f:name": {},
              "f:ports": { ".": {}, 'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} } },
              "f:securityContext": { ".": {}, "f:runAsUser": {} },
            },
          },
          "f:nodeSelector": {},
        },
      },
    },
  ]);
  t.match(Object.keys(entriesOf(pod)[0]!).join(), "manager,operation,apiVersion,time,fieldsType,fieldsV1");
  t.end();
});

test("an apply that creates owns its leaves and list items", (t) => {
  const web = applied(undefined, WEB);
  t.same(owners(web), {
    "a Apply": {
      "f:metadata": { "f:labels": { "f:app": {} } },
      "f:spec": {
        "f:replicas": {},
        "f:selector": {},
        "f:template": {
          "f:metadata": { "f:labels": { "f:app": {} } },
          "f:spec": {
            "f:containers": {
              'k:{"name":"web"}': {
                ".": {},
                "f:image": {},
                "f:name": {},
                "f:ports": { 'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} } },
              },
            },
          },
        },
      },
    },
  });
  t.end();
});

test("ownership moves to who writes, conflicts name owners and fields, force takes over", (t) => {
  const web = applied(undefined, WEB);
  const scaled = updated(web, (object: { spec: { replicas: number } }) => (object.spec.replicas = 5), "kubectl-scale");
  t.same(owners(scaled)["kubectl-scale Update"], { "f:spec": { "f:replicas": {} } });
  t.notMatch(owners(scaled)["a Apply"], { "f:spec": { "f:replicas": {} } });

  const refused = errorOf(() => applied(scaled, WEB));
  t.equal(refused.code, 409);
  t.equal(refused.reason, "Conflict");
  t.equal(refused.message, 'Apply failed with 1 conflict: conflict with "kubectl-scale" using apps/v1: .spec.replicas');
  t.same(refused.details, {
    causes: [
      {
        reason: "FieldManagerConflict",
        message: 'conflict with "kubectl-scale" using apps/v1',
        field: ".spec.replicas",
      },
    ],
  });
  const forced = applied(scaled, WEB, { force: true });
  t.match(forced, { spec: { replicas: 2 } });
  t.same(Object.keys(owners(forced)), ["a Apply"]);

  const other = WEB.replace("image: nginx", "image: httpd").replace("replicas: 2", "replicas: 3");
  const many = errorOf(() => applied(scaled, other, { manager: "b" }));
  t.equal(
    many.message,
    `Apply failed with 2 conflicts: conflicts with "a":
- .spec.template.spec.containers[name="web"].image
conflicts with "kubectl-scale" using apps/v1:
- .spec.replicas`,
  );
  t.end();
});

test("fields that an applier no longer sets go, unless others own them", (t) => {
  const two = WEB.replace("app: web } }", "app: web, tier: front } }").replace(
    "      - name: web",
    "      - name: side\n        image: busybox\n      - name: web",
  );
  const first = applied(undefined, two);
  const shared = applied(
    first,
    `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { tier: front } }
spec: { template: { spec: { containers: [{ name: side, args: [x] }] } } }
`,
    { manager: "b" },
  );
  const later = applied(shared, WEB);
  t.match(later, {
    metadata: { labels: { app: "web", tier: "front" } },
    spec: { template: { spec: { containers: [{ name: "side", args: ["x"] }, { name: "web" }] } } },
  });
  const containers = (object: KubernetesObject) =>
    (object as unknown as { spec: { template: { spec: { containers: { image?: string }[] } } } }).spec.template.spec
      .containers;
  t.equal(containers(later)[0]!.image, undefined, "only its owner wanted the image");
  const last = applied(
    later,
    "{ apiVersion: apps/v1, kind: Deployment, metadata: { name: web, labels: { tier: front } } }",
    { manager: "b" },
  );
  t.equal(containers(last).length, 1, "nobody wants the sidecar any more");
  t.match(last.metadata.labels, { tier: "front" });

  const alone = applied(first, WEB);
  t.equal(containers(alone).length, 1);
  t.same(alone.metadata.labels, { app: "web" });
  t.end();
});

test("an updater keeps the item that it added to an applier's list", (t) => {
  const web = applied(undefined, WEB);
  type Template = { spec: { template: { spec: { containers: object[] } } } };
  const injected = updated(
    web,
    (object: Template) => object.spec.template.spec.containers.push({ name: "proxy", image: "envoy" }),
    "injector",
  );
  const again = applied(injected, WEB, { seconds: 5 });
  t.same(again, injected, "an apply that changes nothing is none, times included");
  const renamed = applied(injected, WEB.replaceAll("name: web\n", "name: www\n"));
  t.match(renamed, { spec: { template: { spec: { containers: [{ name: "proxy" }, { name: "www" }] } } } });
  t.end();
});

test("an object without managedFields gets an entry from before the first apply", (t) => {
  const old = decodeMerged(parse(WEB) as JsonObject, deployments);
  const untouched = updated(old, (object: { spec: { replicas: number } }) => (object.spec.replicas = 7), "x");
  t.equal(untouched.metadata.managedFields, undefined, "nobody starts to track an old object");
  const refused = errorOf(() => applied(old, WEB.replace("replicas: 2", "replicas: 9")));
  t.equal(
    refused.message,
    'Apply failed with 1 conflict: conflict with "before-first-apply" using apps/v1: .spec.replicas',
  );
  t.same(Object.keys(owners(applied(old, WEB))).sort(), ["a Apply", "before-first-apply Update"]);
  t.end();
});

test("managedFields are reset by [{}] alone, and replaced only by what is right", (t) => {
  const web = applied(undefined, WEB);
  const sent = (managedFields: unknown) =>
    updated(web, (object: KubernetesObject) => (object.metadata.managedFields = managedFields as never), "x");
  t.equal(sent([{}]).metadata.managedFields, undefined);
  t.same(entriesOf(sent([])), entriesOf(web), "clients that do not know the field do not clear it");
  t.same(entriesOf(sent([{ operation: "Nonsense" }])), entriesOf(web));
  const moved = entriesOf(web).map((each) => ({ ...each, manager: "other" }));
  t.same(Object.keys(owners(sent(moved))), ["other Apply"]);
  t.end();
});

test("kubectl takes over from client-side apply what that still owns", (t) => {
  const withAnnotation = (yaml: string) => {
    const object = parse(yaml) as { metadata: { annotations: object } };
    object.metadata.annotations = { "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify(parse(yaml)) };
    return JSON.stringify(object);
  };
  const live = created(withAnnotation(WEB), "kubectl-client-side-apply", deployments);
  const next = WEB.replace("replicas: 2", "replicas: 3");
  t.match(
    errorOf(() => applied(live, next)).message,
    /conflict with "kubectl-client-side-apply" using apps\/v1: \.spec\.rep/,
  );
  const migrated = applied(live, next, { manager: "kubectl" });
  t.match(migrated, { spec: { replicas: 3 } });
  const annotation = migrated.metadata.annotations!["kubectl.kubernetes.io/last-applied-configuration"]!;
  t.match(JSON.parse(annotation), { spec: { replicas: 3 } }, "the annotation stays in step");
  t.ok(annotation.endsWith("}\n"));

  const scaled = updated(live, (object: { spec: { replicas: number } }) => (object.spec.replicas = 5), "hpa");
  t.equal(
    errorOf(() => applied(scaled, next, { manager: "kubectl" })).message,
    'Apply failed with 1 conflict: conflict with "hpa" using apps/v1: .spec.replicas',
  );
  t.end();
});

test("more than ten updaters end in one bucket, the oldest first", (t) => {
  let object = created(WEB, "m0", deployments);
  for (let i = 1; i <= 14; i++) {
    object = updated(
      object,
      ({ metadata }: KubernetesObject) => (metadata.annotations = { ...metadata.annotations, [`a${i}`]: "x" }),
      `m${i}`,
      i,
    );
  }
  const names = entriesOf(object).map(({ manager }) => manager);
  t.same(names, ["ancient-changes", "m6", "m7", "m8", "m9", "m10", "m11", "m12", "m13", "m14"]);
  t.match(owners(object)["ancient-changes Update"], {
    "f:metadata": { "f:annotations": { "f:a1": {}, "f:a5": {} }, "f:labels": { "f:app": {} } },
    "f:spec": { "f:replicas": {} },
  });
  t.end();
});

test("an update that changes nothing owned keeps the very entries", (t) => {
  const web = applied(undefined, WEB);
  const entries = web.metadata.managedFields;
  const object = structuredClone(web);
  object.metadata.resourceVersion = "77";
  object.metadata.generation = 4;
  trackWrite(web, object, write("x"));
  t.equal(object.metadata.managedFields, entries);
  t.end();
});

test("labels may be called as Object's own methods are", (t) => {
  const odd = WEB.replace("labels: { app: web } }\nspec", "labels: { constructor: x, __proto__: y } }\nspec");
  const web = applied(undefined, odd);
  t.same(Object.keys(web.metadata.labels!).sort(), ["__proto__", "constructor"]);
  t.match(owners(web)["a Apply"], { "f:metadata": { "f:labels": { "f:__proto__": {}, "f:constructor": {} } } });
  const gone = applied(web, WEB);
  t.same(gone.metadata.labels, { app: "web" });
  t.end();
});

const PARTS = [
  `labels: { one: "1" } }\nspec: { template: { spec: { containers: [{ name: one, image: a }], nodeSelector: { x: "y" } } } }`,
  `labels: { two: "2" } }\nspec: { replicas: 3, template: { spec: { containers: [{ name: two, image: b }] } } }`,
  `annotations: { three: "3" } }\nspec: { template: { spec: { containers: [{ name: one, env: [{ name: A, value: x }] }] } } }`,
].map((rest) => `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web, ${rest}`);

test("three managers converge in any order, and applying again changes nothing", (t) => {
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  const results = orders.map((order) => {
    let object: KubernetesObject | undefined;
    for (const part of order) object = applied(object, PARTS[part]!, { manager: `m${part}` });
    for (const part of [...order, ...order]) {
      const again = applied(object, PARTS[part]!, { manager: `m${part}`, seconds: 60 });
      t.same(again, object, `m${part} again after ${order.join()}`);
    }
    return object!;
  });
  const sortedByName = (object: KubernetesObject) => {
    const copy = structuredClone(object) as unknown as {
      spec: { template: { spec: { containers: { name: string }[] } } };
    };
    copy.spec.template.spec.containers.sort((a, b) => (a.name < b.name ? -1 : 1));
    return copy;
  };
  for (const result of results) t.same(sortedByName(result), sortedByName(results[0]!));
  t.end();
});
