// Custom resources of a real process, as HTTP clients see them: served once they are declared, by the same handlers as
// built-in kinds.

import { test } from "tap";
import { PATCH } from "../testing/asker.js";
import { crdOf, GROUP } from "../testing/custom-resource-definitions.js";
import {
  API,
  COLLECTION,
  condition,
  cronTab,
  cronTabs,
  customResourceTest,
  messageOf,
} from "./custom-resources.testing.js";

test("custom resources", async (t) => {
  const { ask, create, declare, server } = await customResourceTest(t);

  await t.test("a definition is established and its resource served", async (t) => {
    t.equal((await ask({ path: COLLECTION })).status, 404);
    const crd = await declare(crdOf());
    t.match(condition(crd, "NamesAccepted"), { status: "True", reason: "NoConflicts", message: "no conflicts found" });
    t.match(condition(crd, "Established"), {
      reason: "InitialNamesAccepted",
      message: "the initial names have been accepted",
    });
    t.match(crd.status.acceptedNames, {
      plural: "crontabs",
      kind: "CronTab",
      listKind: "CronTabList",
      shortNames: ["ct"],
    });
    t.same(crd.status.storedVersions, ["v1"]);
    const list = await ask({ path: COLLECTION });
    t.match(list.json, { kind: "CronTabList", apiVersion: `${GROUP}/v1`, items: [] });
    const { resources } = (await ask({ path: API })).json;
    t.match(
      resources.map(({ name }: { name: string }) => name),
      ["crontabs", "crontabs/scale", "crontabs/status"],
    );
    t.match(resources[0], { kind: "CronTab", singularName: "crontab", shortNames: ["ct"], categories: ["all"] });
    const { groups } = (await ask({ path: "/apis" })).json;
    t.equal(groups.at(-1).name, GROUP, "behind the built-in groups");
  });

  await t.test("create, get, list, update, patch, delete", async (t) => {
    const made = await create(cronTab("a", { port: "http" }, { status: { replicas: 9 } }));
    t.equal(made.status, 201, messageOf(made));
    t.match(made.json, { spec: { image: "busybox", replicas: 1, port: "http" }, metadata: { generation: 1 } });
    t.equal(made.json.status, undefined, "a create drops the status");
    const read = await ask({ path: `${COLLECTION}/a` });
    t.same(read.json, made.json);
    const put = (body: object) => ask({ method: "PUT", path: `${COLLECTION}/a`, body });
    const updated = await put({ ...read.json, spec: { ...read.json.spec, replicas: 2 }, status: { replicas: 1 } });
    t.match(updated.json, { spec: { replicas: 2 }, metadata: { generation: 2 } }, messageOf(updated));
    t.equal(updated.json.status, undefined);
    const labelled = await ask({
      method: "PATCH",
      path: `${COLLECTION}/a`,
      body: { metadata: { labels: { x: "y" } } },
      headers: PATCH.merge,
    });
    t.match(labelled.json.metadata, { generation: 2, labels: { x: "y" } });
    t.equal((await put({ ...cronTab("a") })).status, 422, "an update names its resourceVersion");
    t.equal((await put(read.json)).status, 409);
    const operations = [
      { op: "test", path: "/spec/replicas", value: 2 },
      { op: "replace", path: "/spec/replicas", value: 3 },
    ];
    const json = await ask({ method: "PATCH", path: `${COLLECTION}/a`, body: operations, headers: PATCH.json });
    t.equal(json.json.spec.replicas, 3);
    const strategic = await ask({ method: "PATCH", path: `${COLLECTION}/a`, body: {}, headers: PATCH.strategic });
    t.equal(strategic.status, 415);
    t.equal(
      messageOf(strategic),
      "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
    );
    const selected = await ask({ path: `${COLLECTION}?labelSelector=x%3Dy` });
    t.equal(selected.json.items.length, 1);
    const gone = await ask({ method: "DELETE", path: `${COLLECTION}/a` });
    t.match(gone.json, { status: "Success", details: { name: "a", group: GROUP, kind: "crontabs" } });
    t.match(await ask({ path: `${COLLECTION}/a` }), {
      status: 404,
      json: { message: `crontabs.${GROUP} "a" not found` },
    });
  });

  await t.test("the schema judges in upstream's words", async (t) => {
    const cases: [object, string][] = [
      [
        { replicas: "x" },
        'spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"',
      ],
      [{ cronSpec: undefined }, "spec.cronSpec: Required value"],
      [{ replicas: 11 }, "spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10"],
      [{ replicas: 0 }, "spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1"],
      [{ mode: "Odd" }, 'spec.mode: Unsupported value: "Odd": supported values: "Fast", "Slow"'],
      [
        { cronSpec: "* *" },
        "spec.cronSpec: Invalid value: \"* *\": spec.cronSpec in body should match '^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$'",
      ],
      [{ tags: ["a", "a"] }, 'spec.tags[1]: Duplicate value: "a"'],
      [{ template: { kind: "Pod" } }, "spec.template.apiVersion: Required value: must not be empty"],
    ];
    for (const [spec, why] of cases) {
      const refused = await create(cronTab("bad", spec));
      t.equal(refused.status, 422, why);
      t.equal(messageOf(refused), `CronTab.${GROUP} "bad" is invalid: ${why}`);
    }
    const wrongKind = await create({ ...cronTab("bad"), kind: "Other" });
    t.equal(
      messageOf(wrongKind),
      `Other.${GROUP} "bad" is invalid: kind: Invalid value: "Other": must be CronTab`.replace("Other.", "CronTab."),
    );
    const wrongVersion = await create({ ...cronTab("bad"), apiVersion: `${GROUP}/v2` });
    t.equal(
      messageOf(wrongVersion),
      `the API version in the data (${GROUP}/v2) does not match the expected API version (${GROUP}/v1)`,
    );
    const { kind: _kind, ...kindless } = cronTab("bad");
    t.match(
      messageOf(await create(kindless)),
      /^the object provided is unrecognized \(must be of type CronTab\): Object 'Kind' is missing in '/,
    );
  });

  await t.test("unknown fields are pruned, warned of or refused; what is preserved stays", async (t) => {
    const spec = { cronSpecs: 1, extra: { any: { thing: [1] } }, ports: [{ name: "a", nam: "b" }], note: null };
    const body = cronTab("unknown", spec, { more: 1 });
    const strict = await create(body, "?fieldValidation=Strict");
    t.equal(strict.status, 400);
    t.equal(
      messageOf(strict),
      'CronTab in version "v1" cannot be handled as a CronTab: strict decoding error: unknown field "more", unknown field "spec.cronSpecs", unknown field "spec.ports[0].nam"',
    );
    const warned = await create(body);
    t.equal(warned.status, 201, messageOf(warned));
    t.same(warned.headers.warning, [
      '299 - "unknown field \\"more\\""',
      '299 - "unknown field \\"spec.cronSpecs\\""',
      '299 - "unknown field \\"spec.ports[0].nam\\""',
    ]);
    t.same(warned.json.spec, {
      cronSpec: "* * * * */5",
      extra: { any: { thing: [1] } },
      ports: [{ name: "a", protocol: "TCP" }],
      note: null,
      image: "busybox",
      replicas: 1,
    });
    t.equal(warned.json.more, undefined);
  });

  await t.test("status and scale", async (t) => {
    const { json: made } = await create(cronTab("s", { replicas: 2 }));
    const body = { ...made, spec: { cronSpec: "other" }, status: { replicas: 2, labelSelector: "app=s" } };
    const status = await ask({ method: "PUT", path: `${COLLECTION}/s/status`, body });
    t.match(
      status.json,
      { spec: { cronSpec: "* * * * */5" }, status: { replicas: 2 }, metadata: { generation: 1 } },
      messageOf(status),
    );
    t.match((await ask({ path: `${COLLECTION}/s/scale` })).json, {
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      spec: { replicas: 2 },
      status: { replicas: 2, selector: "app=s" },
    });
    const scaled = await ask({
      method: "PATCH",
      path: `${COLLECTION}/s/scale`,
      body: { spec: { replicas: 5 } },
      headers: PATCH.merge,
    });
    t.equal(scaled.json.spec.replicas, 5);
    const after = (await ask({ path: `${COLLECTION}/s` })).json;
    t.match(after, { spec: { replicas: 5 }, metadata: { generation: 2 } });
    const tooMany = await ask({
      method: "PATCH",
      path: `${COLLECTION}/s/scale`,
      body: { spec: { replicas: 50 } },
      headers: PATCH.merge,
    });
    t.match(messageOf(tooMany), /spec.replicas in body should be less than or equal to 10/);
    const bad = { ...after, status: { replicas: "two" } };
    const refused = await ask({ method: "PUT", path: `${COLLECTION}/s/status`, body: bad });
    t.match(messageOf(refused), /status.replicas in body must be of type integer: "string"/);
  });

  await t.test("server-side apply follows the schema's lists", async (t) => {
    const apply = (spec: object, manager: string, query = "") =>
      ask({
        method: "PATCH",
        path: `${COLLECTION}/applied?fieldManager=${manager}${query}`,
        body: cronTab("applied", spec),
        headers: PATCH.apply,
      });
    const first = await apply({ ports: [{ name: "a", number: 1 }], tags: ["x"] }, "one");
    t.equal(first.status, 201, messageOf(first));
    const second = await apply({ ports: [{ name: "b", number: 2 }], tags: ["y"] }, "two");
    t.same(
      second.json.spec.ports.map(({ name }: { name: string }) => name),
      ["a", "b"],
      messageOf(second),
    );
    t.same(second.json.spec.tags, ["x", "y"]);
    const conflict = await apply({ ports: [{ name: "a", number: 3 }] }, "two");
    t.equal(messageOf(conflict), 'Apply failed with 1 conflict: conflict with "one": .spec.ports[name="a"].number');
    const again = await apply({ ports: [{ name: "a", number: 1 }], tags: ["x"] }, "one");
    t.equal(again.json.metadata.resourceVersion, second.json.metadata.resourceVersion, "apply twice is a no-op");
    const unknown = await apply({ cronSpecs: 1 }, "one");
    t.match(
      messageOf(unknown),
      /failed to create typed patch object \(\/applied; stable.example.com\/v1, Kind=CronTab\): .spec.cronSpecs: field not declared in schema/,
    );
    const preserved = await apply({ extra: { deep: { er: 1 } } }, "three");
    t.same(preserved.json.spec.extra, { deep: { er: 1 } }, messageOf(preserved));
  });

  await t.test("tables, field selectors and watches", async (t) => {
    await create(cronTab("fast", { mode: "Fast" }));
    const table = await ask({ path: COLLECTION, headers: { accept: "application/json;as=Table;g=meta.k8s.io;v=v1" } });
    t.match(
      table.json.columnDefinitions.map(({ name, type, priority }: never) => [name, type, priority]),
      [
        ["Name", "string", 0],
        ["Spec", "string", 0],
        ["Replicas", "integer", 0],
        ["Ready", "string", 1],
        ["Age", "date", 0],
      ],
    );
    t.equal(
      table.json.columnDefinitions[2].description,
      "Custom resource definition column (in JSONPath format): .spec.replicas",
    );
    const row = table.json.rows.find(({ cells }: { cells: unknown[] }) => cells[0] === "fast");
    t.match(row.cells, ["fast", "* * * * */5", 1, null, /^\d+s$/]);
    const selected = await ask({ path: `${COLLECTION}?fieldSelector=spec.mode%3DFast` });
    t.same(
      selected.json.items.map(({ metadata }: never) => (metadata as { name: string }).name),
      ["fast"],
    );
    const unknown = await ask({ path: `${COLLECTION}?fieldSelector=spec.image%3Dx` });
    t.match(unknown, { status: 400, json: { message: "field label not supported: spec.image" } });
    const partial = await ask({
      path: COLLECTION,
      headers: { accept: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1" },
    });
    t.equal(partial.json.kind, "PartialObjectMetadataList");
    const watched: string[] = [];
    const watch = (async () => {
      for await (const { type, object } of server.client.watch(cronTabs, {
        namespace: "default",
        resourceVersion: table.json.metadata.resourceVersion,
      })) {
        watched.push(`${type} ${object.metadata.name}`);
        if (type === "DELETED") return;
      }
    })();
    await create(cronTab("watched"));
    await ask({ method: "DELETE", path: `${COLLECTION}/watched` });
    await watch;
    t.same(watched, ["ADDED watched", "DELETED watched"]);
  });

  await t.test("RBAC and impersonation know custom resources", async (t) => {
    const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    const rules = [{ apiGroups: [GROUP], resources: ["crontabs"], verbs: ["get", "create"] }];
    await ask({ method: "POST", path: `${rbac}/roles`, body: { metadata: { name: "cron" }, rules } });
    const subjects = [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "pat" }];
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "cron" };
    await ask({
      method: "POST",
      path: `${rbac}/rolebindings`,
      body: { metadata: { name: "cron" }, subjects, roleRef },
    });
    const headers = { "impersonate-user": "pat" };
    const made = await ask({ method: "POST", path: COLLECTION, body: cronTab("pats"), headers });
    t.equal(made.status, 201, messageOf(made));
    t.equal((await ask({ path: `${COLLECTION}/pats`, headers })).status, 200);
    const refused = await ask({ method: "DELETE", path: `${COLLECTION}/pats`, headers });
    t.match(refused, {
      status: 403,
      json: {
        message: `crontabs.${GROUP} "pats" is forbidden: User "pat" cannot delete resource "crontabs" in API group "${GROUP}" in the namespace "default"`,
      },
    });
    const scale = await ask({ path: `${COLLECTION}/pats/scale`, headers });
    t.equal(scale.status, 403, "a subresource is a right of its own");
  });

  await t.test("a collection is deleted whole or by labels", async (t) => {
    for (const name of ["one", "two", "three"]) {
      const labels = { batch: name === "three" ? "b" : "a" };
      await create({ ...cronTab(name), metadata: { name, labels } });
    }
    const dry = await ask({ method: "DELETE", path: `${COLLECTION}?labelSelector=batch%3Da&dryRun=All` });
    t.equal(dry.status, 200, messageOf(dry));
    t.equal((await ask({ path: `${COLLECTION}?labelSelector=batch` })).json.items.length, 3);
    const deleted = await ask({ method: "DELETE", path: `${COLLECTION}?labelSelector=batch%3Da` });
    t.match(deleted.json, { kind: "CronTabList" });
    t.same(
      (await ask({ path: `${COLLECTION}?labelSelector=batch` })).json.items.map(
        ({ metadata }: never) => (metadata as { name: string }).name,
      ),
      ["three"],
    );
  });
});
