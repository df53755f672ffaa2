// Server-side apply and field tracking as HTTP clients see them, against a real apiserver process.

import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { asker, PATCH } from "../testing/asker.js";

const { apply: APPLY, merge: MERGE } = PATCH;
const collection = "/apis/apps/v1/namespaces/default/deployments";

const web = (replicas: number | undefined, metadata: object = {}) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", ...metadata },
  spec: {
    ...(replicas === undefined ? {} : { replicas }),
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "web", image: "nginx", resources: { limits: { cpu: "1000m" } } }] },
    },
  },
});

test("server-side apply over HTTP", async (t) => {
  const server = await startApiServer(t);
  const ask = asker(t, server);
  const apply = (body: unknown, { manager = "a", query = "", path = `${collection}/web` } = {}) =>
    ask({ method: "PATCH", path: `${path}?fieldManager=${manager}${query}`, body, headers: APPLY });
  const entries = async (path = `${collection}/web`) => (await ask({ path })).json.metadata.managedFields;

  await t.test("creates, then changes nothing", async (t) => {
    const dry = await apply(web(2), { query: "&dryRun=All" });
    t.equal(dry.status, 201);
    t.equal((await ask({ path: `${collection}/web` })).status, 404);
    const first = await apply(web(2));
    t.equal(first.status, 201, JSON.stringify(first.json));
    t.match(first.json.metadata.managedFields, [
      { manager: "a", operation: "Apply", apiVersion: "apps/v1", fieldsType: "FieldsV1" },
    ]);
    t.equal(first.json.metadata.managedFields.length, 1, "defaults belong to nobody");
    const again = await apply(`# as YAML\n${JSON.stringify(web(2))}`);
    t.equal(again.status, 200);
    t.same(again.json, first.json);
  });

  await t.test("conflicts, force, scale and status", async (t) => {
    const scale = await ask({
      method: "PATCH",
      path: `${collection}/web/scale`,
      body: { spec: { replicas: 5 } },
      headers: { ...MERGE, "user-agent": "autoscaler/v2 (x)" },
    });
    t.equal(scale.status, 200);
    const [, scaler] = await entries();
    t.match(scaler, { manager: "autoscaler", operation: "Update", apiVersion: "apps/v1", subresource: "scale" });
    t.same(scaler.fieldsV1, { "f:spec": { "f:replicas": {} } });

    const refused = await apply(web(2));
    t.equal(refused.status, 409);
    t.equal(
      refused.json.message,
      'Apply failed with 1 conflict: conflict with "autoscaler" with subresource "scale" using apps/v1: .spec.replicas',
    );
    t.match(refused.json.details.causes, [{ reason: "FieldManagerConflict", field: ".spec.replicas" }]);
    const without = await apply(web(undefined));
    t.equal(without.json.spec.replicas, 5, "who does not speak of a field does not fight for it");
    const forced = await apply(web(2), { query: "&force=true" });
    t.equal(forced.json.spec.replicas, 2);
    t.equal(forced.json.metadata.managedFields.length, 1);

    const scaleApplied = await apply(
      { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "web" }, spec: { replicas: 4 } },
      { manager: "b", path: `${collection}/web/scale`, query: "&force=true" },
    );
    t.match(scaleApplied.json, { kind: "Scale", spec: { replicas: 4 } });
    const status = await apply(
      { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, status: { observedGeneration: 1 } },
      { manager: "c", path: `${collection}/web/status` },
    );
    t.equal(status.json.status.observedGeneration, 1);
    const found = await entries();
    t.same(found.map(({ manager, subresource = "" }: Record<string, string>) => `${manager}/${subresource}`).sort(), [
      "a/",
      "b/scale",
      "c/status",
    ]);
    const spoken = await apply({ ...web(undefined), status: { observedGeneration: 9 } });
    t.equal(spoken.json.status.observedGeneration, 1, "the object itself is not the way to its status");
  });

  await t.test("updates and patches are tracked; what others drop is gone", async (t) => {
    const path = "/api/v1/namespaces/default/configmaps";
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" }, data: { a: "1", b: "2" } };
    const made = await ask({ method: "POST", path: `${path}?fieldManager=m`, body });
    t.match(made.json.metadata.managedFields, [
      { manager: "m", operation: "Update", fieldsV1: { "f:data": { ".": {}, "f:a": {}, "f:b": {} } } },
    ]);
    await ask({ method: "PATCH", path: `${path}/c`, body: { data: { b: "3" } }, headers: MERGE });
    t.same(
      (await entries(`${path}/c`)).map(({ manager, fieldsV1 }: never) => [manager, fieldsV1]),
      [
        ["m", { "f:data": { ".": {}, "f:a": {} } }],
        ["tester", { "f:data": { "f:b": {} } }],
      ],
    );
    const current = (await ask({ path: `${path}/c` })).json;
    current.data = { a: "1" };
    await ask({ method: "PUT", path: `${path}/c`, body: current });
    t.same((await entries(`${path}/c`)).length, 1);
    await ask({ method: "PATCH", path: `${path}/c`, body: { metadata: { managedFields: [{}] } }, headers: MERGE });
    t.equal(await entries(`${path}/c`), undefined);
    const later = await apply({ ...body, data: { a: "1" } }, { path: `${path}/c` });
    t.same(
      later.json.metadata.managedFields.map(({ manager }: never) => manager),
      ["a", "before-first-apply"],
    );
  });

  await t.test("an update of nothing but inherited names is an update", async (t) => {
    const path = "/api/v1/namespaces/default/configmaps";
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "odd" }, data: { a: "1" } };
    await ask({ method: "POST", path, body });
    const changed = { ...body, data: { a: "1", constructor: "x" } };
    const put = await ask({ method: "PUT", path: `${path}/odd`, body: changed });
    t.same(put.json.data, changed.data, put.json.message);
  });

  await t.test("bad configurations get upstream's words", async (t) => {
    const typed = "failed to create typed patch object (/web; apps/v1, Kind=Deployment): ";
    const twice = web(1);
    twice.spec.template.spec.containers.push(twice.spec.template.spec.containers[0]!);
    const cases: [unknown, string, number?][] = [
      [{ ...web(1), spec: { ...web(1).spec, replica: 1 } }, `${typed}.spec.replica: field not declared in schema`],
      [twice, `${typed}.spec.template.spec.containers: duplicate entries for key [name="web"]`],
      [
        { ...web(1), spec: { replicas: "x", paused: 1 } },
        `${typed}errors:\n  .spec.replicas: expected numeric (int or float), got string\n  .spec.paused: expected boolean, got int64`,
      ],
      [{ ...web(1), kind: "ReplicaSet" }, "invalid object type: apps/v1, Kind=ReplicaSet"],
      [{ ...web(1), apiVersion: "apps/v1beta1" }, "invalid object type: apps/v1beta1, Kind=Deployment"],
      ["", "invalid object type: /, Kind="],
      [web(1, { managedFields: [] }), "metadata.managedFields must be nil"],
      [web(1, { name: "other" }), "the name of the object (other) does not match the name on the URL (web)"],
      [
        web(1, { resourceVersion: "1" }),
        'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again',
        409,
      ],
    ];
    for (const [body, message, status = 400] of cases) {
      const answer = await apply(body, { query: "&force=true" });
      t.match({ status: answer.status, message: answer.json.message }, { status, message }, message);
    }
    const broken = await apply("a: [");
    t.equal(broken.status, 400);
    t.match(broken.json.message, /^error decoding YAML: /);
    const unnamed = await ask({ method: "PATCH", path: `${collection}/web`, body: web(1), headers: APPLY });
    t.equal(
      unnamed.json.message,
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
    const long = await ask({
      method: "PATCH",
      path: `${collection}/web?fieldManager=${"x".repeat(129)}`,
      body: {},
      headers: MERGE,
    });
    t.equal(long.status, 422);
    t.match(long.json.message, /fieldManager: Too long/);
    const forced = await ask({ method: "PATCH", path: `${collection}/web?force=true`, body: {}, headers: MERGE });
    t.equal(
      forced.json.message,
      'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    );
  });

  await t.test("who may patch but not create cannot create by apply", async (t) => {
    const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    const rules = [{ apiGroups: [""], resources: ["configmaps"], verbs: ["patch"] }];
    const subjects = [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "pat" }];
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "patcher" };
    await ask({
      method: "POST",
      path: `${rbac}/roles`,
      body: { metadata: { name: "patcher" }, rules },
    });
    const binding = { metadata: { name: "patcher" }, subjects, roleRef };
    await ask({ method: "POST", path: `${rbac}/rolebindings`, body: binding });
    const asPat = (name: string) =>
      ask({
        method: "PATCH",
        path: `/api/v1/namespaces/default/configmaps/${name}?fieldManager=pat`,
        body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { pat: "was here" } },
        headers: { ...APPLY, "impersonate-user": "pat" },
      });
    const refused = await asPat("new");
    t.equal(refused.status, 403, JSON.stringify(refused.json));
    t.match(
      refused.json.message,
      /User "pat" cannot create resource "configmaps" in API group "" in the namespace "default"/,
    );
    t.equal((await asPat("c")).status, 200);
  });
});
