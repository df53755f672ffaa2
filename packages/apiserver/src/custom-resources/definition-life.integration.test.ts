// CustomResourceDefinitions that change, restart and go, as HTTP clients see it: what they declare follows them.

import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { PATCH } from "../testing/asker.js";
import { crdOf, cronTabSchema, GROUP } from "../testing/custom-resource-definitions.js";
import {
  API,
  COLLECTION,
  CRDS,
  condition,
  cronTab,
  cronTabs,
  customResourceTest,
  messageOf,
} from "./custom-resources.testing.js";

test("the life of a definition", async (t) => {
  const { ask, create, declare, established, server } = await customResourceTest(t);

  await declare(crdOf());

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
    const seen: string[] = [];
    const { items, metadata } = await server.client.list(cronTabs, { namespace: "default" });
    const watch = (async () => {
      for await (const { type, object } of server.client.watch(cronTabs, {
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
    const inProgress = await eventually("the definition tells of it", async () => {
      const terminating = condition((await ask({ path: `${CRDS}/${name}` })).json, "Terminating");
      return terminating?.reason === "InstanceDeletionInProgress" && terminating;
    });
    t.match(inProgress, { status: "True", message: "CustomResource deletion is in progress" });
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
  });
});

type JsonType = { type: string; default?: unknown };
