// Custom resources of a real process, as HTTP clients see them: served once they are declared, by the same handlers as
// built-in kinds.

import { setTimeout as sleep } from "node:timers/promises";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { type Answer, asker, PATCH } from "../testing/asker.js";
import { crdOf, cronTabSchema, GROUP, subresources } from "../testing/custom-resource-definitions.js";

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const API = `/apis/${GROUP}/v1`;
const COLLECTION = `${API}/namespaces/default/crontabs`;

const cronTab = (name: string, spec: object = {}, rest: object = {}) => ({
  apiVersion: `${GROUP}/v1`,
  kind: "CronTab",
  metadata: { name },
  spec: { cronSpec: "* * * * */5", ...spec },
  ...rest,
});

const messageOf = ({ json }: Answer): string => json.message;

async function eventually<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(50)) {
    const found = await look();
    if (found) return found;
  }
  throw new Error(`never came true: ${what}`);
}

test("custom resources", async (t) => {
  const server = await startApiServer(t);
  const ask = asker(t, server);
  const condition = (crd: Answer["json"], type: string) =>
    crd.status?.conditions?.find((each: { type: string }) => each.type === type);
  const established = (name: string) =>
    eventually(`${name} is established`, async () => {
      const { json } = await ask({ path: `${CRDS}/${name}` });
      return condition(json, "Established")?.status === "True" && json;
    });
  const declare = async (crd: ReturnType<typeof crdOf>) => {
    const made = await ask({ method: "POST", path: CRDS, body: crd });
    if (made.status !== 201) throw new Error(messageOf(made));
    return established(crd.metadata.name);
  };
  const create = (body: object, query = "") => ask({ method: "POST", path: `${COLLECTION}${query}`, body });

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
    const resource = {
      group: GROUP,
      version: "v1",
      kind: "CronTab",
      resource: "crontabs",
      singular: "crontab",
      namespaced: true,
      shortNames: [],
      categories: [],
    };
    const watched: string[] = [];
    const watch = (async () => {
      for await (const { type, object } of server.client.watch(resource, {
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

  await t.test("several versions of one store; what is not served is not there; deprecated ones warn", async (t) => {
    const plural = "gadgets";
    const gadget = (size: JsonType) => ({
      type: "object",
      properties: { spec: { type: "object", properties: { size } } },
    });
    const versions = [
      { name: "v1alpha1", served: false, storage: false, schema: { openAPIV3Schema: gadget({ type: "integer" }) } },
      {
        name: "v1beta1",
        served: true,
        storage: false,
        deprecated: true,
        schema: { openAPIV3Schema: gadget({ type: "integer", default: 7 }) },
      },
      { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: gadget({ type: "integer" }) } },
    ];
    await declare(crdOf({ plural, kind: "Gadget", shortNames: [], scope: "Cluster", versions }));
    const at = (version: string, name = "") => `/apis/${GROUP}/${version}/${plural}${name && `/${name}`}`;
    const made = await ask({
      method: "POST",
      path: at("v1beta1"),
      body: { apiVersion: `${GROUP}/v1beta1`, kind: "Gadget", metadata: { name: "g" }, spec: {} },
    });
    t.equal(made.headers.warning, `299 - "${GROUP}/v1beta1 Gadget is deprecated; use ${GROUP}/v1 Gadget"`);
    t.match(made.json, { apiVersion: `${GROUP}/v1beta1`, spec: { size: 7 } }, messageOf(made));
    t.match((await ask({ path: at("v1", "g") })).json, { apiVersion: `${GROUP}/v1`, spec: { size: 7 } });
    const list = await ask({ path: at("v1beta1") });
    t.match(list.json, { apiVersion: `${GROUP}/v1beta1`, items: [{ apiVersion: `${GROUP}/v1beta1` }] });
    t.equal((await ask({ path: at("v1alpha1") })).status, 404);
    const group = (await ask({ path: `/apis/${GROUP}` })).json;
    t.same(
      group.versions.map(({ version }: { version: string }) => version),
      ["v1", "v1beta1"],
    );
    const patched = await ask({
      method: "PATCH",
      path: at("v1", "g"),
      body: { status: { ok: true }, spec: { size: 8 } },
      headers: PATCH.merge,
    });
    t.equal(patched.json.status, undefined, "not in the schema");
    t.equal(patched.json.metadata.generation, 2);
  });

  await t.test("taken names are refused until they are free", async (t) => {
    const other = crdOf({ plural: "others", kind: "Other", shortNames: ["ct"] });
    await ask({ method: "POST", path: CRDS, body: other });
    const refused = await eventually("the conflict is told", async () => {
      const { json } = await ask({ path: `${CRDS}/others.${GROUP}` });
      return condition(json, "NamesAccepted")?.status === "False" && json;
    });
    t.match(condition(refused, "NamesAccepted"), { reason: "ShortNamesConflict", message: '"ct" is already in use' });
    t.match(condition(refused, "Established"), {
      status: "False",
      reason: "NotAccepted",
      message: "not all names are accepted",
    });
    t.equal((await ask({ path: `${API}/namespaces/default/others` })).status, 404);
    const crd = (await ask({ path: `${CRDS}/crontabs.${GROUP}` })).json;
    crd.spec.names.shortNames = ["cron"];
    const put = await ask({ method: "PUT", path: `${CRDS}/crontabs.${GROUP}`, body: crd });
    t.equal(put.status, 200, messageOf(put));
    await established(`others.${GROUP}`);
    t.equal((await ask({ path: `${API}/namespaces/default/others` })).status, 200);
  });

  await t.test("a changed schema holds from then on; what an update leaves alone is not judged again", async (t) => {
    const { json: made } = await create(cronTab("old", { replicas: 9 }));
    const crd = (await ask({ path: `${CRDS}/crontabs.${GROUP}` })).json;
    const { spec } = cronTabSchema.properties!;
    const replicas = { type: "integer", minimum: 1, maximum: 5, default: 1 };
    const added = { type: "string", default: "new" };
    const properties = { ...spec!.properties, replicas, added };
    crd.spec.versions[0].schema.openAPIV3Schema = {
      ...cronTabSchema,
      properties: { ...cronTabSchema.properties, spec: { ...spec, properties } },
    };
    await ask({ method: "PUT", path: `${CRDS}/crontabs.${GROUP}`, body: crd });
    await eventually(
      "new defaults are read",
      async () => (await ask({ path: `${COLLECTION}/old` })).json.spec.added === "new",
    );
    t.equal((await create(cronTab("new", { replicas: 9 }))).status, 422);
    const path = `${COLLECTION}/old`;
    const kept = await ask({ method: "PATCH", path, body: { spec: { image: "other" } }, headers: PATCH.merge });
    t.equal(kept.status, 200, messageOf(kept));
    t.equal(kept.json.metadata.uid, made.metadata.uid);
    const changed = await ask({ method: "PATCH", path, body: { spec: { replicas: 8 } }, headers: PATCH.merge });
    t.equal(changed.status, 422);
  });

  await t.test("after a restart all is served at once", async (t) => {
    await server.restart();
    t.equal((await ask({ path: `${COLLECTION}/old` })).json.spec?.image, "other");
    t.equal((await ask({ path: `/apis/${GROUP}/v1beta1/gadgets/g` })).json.spec?.size, 8);
  });

  await t.test("a deleted definition takes its instances along, and its watches end", async (t) => {
    const finalizers = ["example.com/hold"];
    await ask({ method: "PATCH", path: `${COLLECTION}/old`, body: { metadata: { finalizers } }, headers: PATCH.merge });
    const resource = {
      group: GROUP,
      version: "v1",
      kind: "CronTab",
      resource: "crontabs",
      singular: "crontab",
      namespaced: true,
      shortNames: [],
      categories: [],
    };
    const seen: string[] = [];
    const { items, metadata } = await server.client.list(resource, { namespace: "default" });
    const watch = (async () => {
      for await (const { type, object } of server.client.watch(resource, {
        namespace: "default",
        resourceVersion: metadata.resourceVersion!,
      })) {
        seen.push(`${type} ${object.metadata.name}`);
      }
    })();
    const name = `crontabs.${GROUP}`;
    const deleted = await ask({ method: "DELETE", path: `${CRDS}/${name}` });
    t.same(deleted.json.metadata?.finalizers, ["customresourcecleanup.apiextensions.k8s.io"]);
    t.match(condition(deleted.json, "Terminating"), { status: "True", reason: "InstanceDeletionPending" });
    await eventually(
      "all but the held one are gone",
      async () => (await ask({ path: COLLECTION })).json.items?.length === 1,
    );
    t.match(condition((await ask({ path: `${CRDS}/${name}` })).json, "Terminating"), {
      status: "True",
      reason: "InstanceDeletionInProgress",
      message: "CustomResource deletion is in progress",
    });
    t.match(await create(cronTab("late")), {
      status: 405,
      json: {
        reason: "MethodNotAllowed",
        message: "create not allowed while custom resource definition is terminating",
      },
    });
    const freed = await ask({
      method: "PATCH",
      path: `${COLLECTION}/old`,
      body: { metadata: { finalizers: [] } },
      headers: PATCH.merge,
    });
    t.equal(freed.status, 200, messageOf(freed));
    await eventually("the definition is gone", async () => (await ask({ path: `${CRDS}/${name}` })).status === 404);
    await eventually("nothing is served", async () => (await ask({ path: COLLECTION })).status === 404);
    await watch;
    t.same(seen.filter((line) => line.startsWith("DELETED")).length, items.length);
    const { resources } = (await ask({ path: API })).json;
    t.notOk(
      resources.some(({ name: each }: { name: string }) => each === "crontabs"),
      "discovery forgets it",
    );
    await declare(crdOf({ shortNames: ["cron"] }));
    t.same((await ask({ path: COLLECTION })).json.items, [], "made anew, it begins empty");
    t.ok(subresources.status);
  });
});

type JsonType = { type: string; default?: unknown };
