// Writes as HTTP clients see them, against a real apiserver process: options, preconditions, dry runs, subresources.

import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { type Answer, type Asked, asker, PATCH } from "../testing/asker.js";

const { apply: APPLY, merge: MERGE } = PATCH;
const configmaps = "/api/v1/namespaces/default/configmaps";
const pods = "/api/v1/namespaces/default/pods";
const deployments = "/apis/apps/v1/namespaces/default/deployments";

const pod = (name: string) => ({ metadata: { name }, spec: { containers: [{ name: "c", image: "i" }] } });
const web = {
  metadata: { name: "web" },
  spec: {
    selector: { matchLabels: { a: "b" } },
    template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } },
  },
};

/** The texts of the Warning headers. */
function warningsOf({ headers }: Answer): string[] {
  const found = [headers.warning ?? []].flat().flatMap((text) => [...text.matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)]);
  return found.map(([, text]) => text!.replaceAll(/\\(.)/g, "$1"));
}

interface Stored {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly managedFields: readonly {
      readonly manager: string;
      readonly subresource?: string;
      readonly fieldsV1: object;
    }[];
  };
}

const entryOf = ({ metadata }: Stored, through: string) =>
  metadata.managedFields.find(({ subresource }) => subresource === through);

test("writes over HTTP", async (t) => {
  const server = await startApiServer(t);
  const ask = asker(t, server);
  await ask({
    method: "POST",
    path: "/api/v1/namespaces/default/serviceaccounts",
    body: { metadata: { name: "default" } },
  });

  await t.test("options are refused all at once", async (t) => {
    const query = `fieldManager=${"x".repeat(129)}&dryRun=Some&fieldValidation=Lax`;
    const { status, json } = await ask({ method: "POST", path: `${configmaps}?${query}`, body: {} });
    t.equal(status, 422);
    t.equal(
      json.message,
      'CreateOptions.meta.k8s.io "" is invalid: [fieldManager: Too long: may not be more than 128 bytes, dryRun: Unsupported value: []string{"Some"}: supported values: "All", fieldValidation: Unsupported value: "Lax": supported values: "", "Ignore", "Strict", "Warn"]',
    );
  });

  await t.test("field validation of creates and updates", async (t) => {
    const body = '{"metadata":{"name":"v"},"data":{"a":"1","a":"2"},"foo":1}';
    const faults = ['unknown field "foo"', 'duplicate field "data.a"'];
    const strict = await ask({ method: "POST", path: `${configmaps}?fieldValidation=Strict`, body });
    t.match([strict.status, strict.json.message], [400, `strict decoding error: ${faults.join(", ")}`]);
    const made = await ask({ method: "POST", path: configmaps, body });
    t.same([made.status, warningsOf(made), made.json.data], [201, faults, { a: "2" }]);
    const put = (mode: string) => ask({ method: "PUT", path: `${configmaps}/v?fieldValidation=${mode}`, body });
    t.same(warningsOf(await put("Warn")), faults);
    t.same(warningsOf(await put("Ignore")), []);
    t.equal((await put("Strict")).status, 400);
    const applied = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"v"},"data":{"a":"3",\n"a":"4"}}';
    const apply = (mode: string) =>
      ask({
        method: "PATCH",
        path: `${configmaps}/v?fieldManager=m&force=true&fieldValidation=${mode}`,
        body: applied,
        headers: APPLY,
      });
    const words = 'error converting YAML to JSON: yaml: unmarshal errors:\n  line 2: key "a" already set in map';
    t.equal((await apply("Strict")).json.message, `error strict decoding YAML: ${words}`);
    t.equal((await apply("Warn")).json.data.a, "4");
  });

  await t.test("what an object may bring along, and what it must match", async (t) => {
    const early = await ask({
      method: "POST",
      path: configmaps,
      body: { metadata: { name: "e", resourceVersion: "5" } },
    });
    t.match([early.status, early.json.message], [400, "resourceVersion should not be set on objects to be created"]);
    const uid = "11111111-2222-3333-4444-555555555555";
    const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "e", uid } };
    const none = await ask({ method: "PATCH", path: `${configmaps}/e?fieldManager=m`, body: config, headers: APPLY });
    t.equal(
      none.json.message,
      `Operation cannot be fulfilled on configmaps "e": uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
    );
    await ask({ method: "POST", path: configmaps, body: { metadata: { name: "e" } } });
    const other = await ask({ method: "PUT", path: `${configmaps}/e`, body: { metadata: { name: "e", uid } } });
    t.match([other.status, other.json.message], [409, `UID in precondition: ${uid}`]);
    const long = {
      manager: "m".repeat(129),
      operation: "Update",
      apiVersion: "v1",
      fieldsType: "FieldsV1",
      fieldsV1: { "f:data": {} },
    };
    const managed = await ask({
      method: "PATCH",
      path: `${configmaps}/e`,
      body: { metadata: { managedFields: [long] } },
      headers: MERGE,
    });
    t.match(managed.json.message, /metadata\.managedFields\[0\]\.manager: Too long: may not be more than 128 bytes/);
    const owner = { apiVersion: "v1", kind: "ConfigMap", name: "e", uid };
    const owned = await ask({
      method: "POST",
      path: configmaps,
      body: { metadata: { name: "o", ownerReferences: [owner, { ...owner, controller: true }, owner] } },
    });
    t.equal(owned.json.metadata.ownerReferences.length, 2);
    t.match(warningsOf(owned), [`.metadata.ownerReferences contains duplicate entries; API server dedups`]);
  });

  await t.test("a PUT creates where upstream lets it", async (t) => {
    const lease = { metadata: { name: "l" }, spec: { holderIdentity: "me" } };
    const leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases/l";
    t.equal((await ask({ method: "PUT", path: leases, body: lease })).status, 201);
    t.equal((await ask({ method: "PUT", path: leases, body: lease })).status, 422, "and then asks for its version");
    const absent = await ask({ method: "PUT", path: `${configmaps}/absent`, body: { metadata: { name: "absent" } } });
    t.equal(absent.status, 404);
  });

  await t.test("metadata is written through status, but for what the kind's status leaves alone", async (t) => {
    await ask({ method: "POST", path: deployments, body: web });
    const body = {
      metadata: { labels: { l: "1" }, annotations: { a: "1" } },
      spec: { replicas: 5 },
      status: { replicas: 1 },
    };
    const { json } = await ask({ method: "PATCH", path: `${deployments}/web/status`, body, headers: MERGE });
    t.match(json, {
      metadata: { generation: 1, annotations: { a: "1" } },
      spec: { replicas: 1 },
      status: { replicas: 1 },
    });
    t.equal(json.metadata.labels, undefined);
    t.match(entryOf(json, "status"), {
      manager: "tester",
      fieldsV1: { "f:metadata": { "f:annotations": {} }, "f:status": { "f:replicas": {} } },
    });
  });

  await t.test("applies through subresources have entries of their own", async (t) => {
    await ask({ method: "POST", path: pods, body: pod("p") });
    const apply = (path: string, config: object) =>
      ask({ method: "PATCH", path: `${path}?fieldManager=debugger`, body: config, headers: APPLY });
    const head = { apiVersion: "v1", kind: "Pod", metadata: { name: "p" } };
    const debug = { name: "d", image: "busybox", terminationMessagePath: null };
    const debugged = await apply(`${pods}/p/ephemeralcontainers`, {
      ...head,
      spec: { ephemeralContainers: [debug], activeDeadlineSeconds: 5 },
    });
    t.equal(debugged.status, 200, debugged.json.message);
    t.equal(debugged.json.spec.activeDeadlineSeconds, undefined, "nothing else is written");
    t.same(entryOf(debugged.json, "ephemeralcontainers")?.fieldsV1, {
      "f:spec": {
        "f:ephemeralContainers": {
          'k:{"name":"d"}': { ".": {}, "f:image": {}, "f:name": {}, "f:terminationMessagePath": {} },
        },
      },
    });
    const status = await apply(`${pods}/p/status`, { ...head, spec: { priority: 7 }, status: { message: "hello" } });
    t.match(status.json.status.message, "hello");
    t.same(entryOf(status.json, "status")?.fieldsV1, { "f:status": { "f:message": {} } });
    const space = { apiVersion: "v1", kind: "Namespace", metadata: { name: "space" } };
    await ask({ method: "POST", path: "/api/v1/namespaces", body: space });
    const finalized = await ask({
      method: "PUT",
      path: "/api/v1/namespaces/space/finalize",
      body: { ...space, spec: { finalizers: ["example.com/hold"] } },
    });
    t.same(finalized.json.spec.finalizers, ["example.com/hold"], finalized.json.message);
    t.equal(entryOf(finalized.json, "finalize")?.manager, "tester");
  });

  await t.test("a dry run of each verb writes nothing", async (t) => {
    await ask({ method: "POST", path: configmaps, body: { metadata: { name: "dry" }, data: { a: "1" } } });
    await ask({ method: "POST", path: pods, body: pod("unbound") });
    const state = async () => {
      const of = async (path: string) =>
        (await ask({ path })).json.items.map(({ metadata }: Stored) => [metadata.name, metadata.resourceVersion]);
      return [await of(configmaps), await of(pods), await of(deployments)];
    };
    const before = await state();
    const binding = {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name: "unbound" },
      target: { kind: "Node", name: "n" },
    };
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "unbound" } };
    const writes: [Asked["method"], string, unknown, Record<string, string>?][] = [
      ["POST", configmaps, { metadata: { name: "new" } }],
      ["PUT", `${configmaps}/dry`, { metadata: { name: "dry" }, data: { a: "2" } }],
      ["PATCH", `${configmaps}/dry`, { data: { a: "2" } }, MERGE],
      ["PATCH", `${configmaps}/other`, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "other" } }, APPLY],
      ["PUT", `${deployments}/web/status`, { ...web, status: { replicas: 9 } }],
      ["PATCH", `${deployments}/web/scale`, { spec: { replicas: 9 } }, MERGE],
      ["POST", `${pods}/unbound/binding`, binding],
      ["POST", `${pods}/unbound/eviction`, eviction],
      ["DELETE", `${configmaps}/dry`, undefined],
      ["DELETE", configmaps, undefined],
    ];
    for (const [method, path, body, headers] of writes) {
      const asked = { method, path: `${path}?dryRun=All&fieldManager=m`, ...(headers ? { headers } : {}) };
      const { status, json } = await ask(body === undefined ? asked : { ...asked, body });
      t.ok(status === 200 || status === 201, `${method} ${path}: ${status} ${json.message}`);
    }
    t.same(await state(), before);
  });

  await t.test("what Go has in every struct may be left out", async (t) => {
    const reviews = "/apis/authorization.k8s.io/v1";
    const namespaced = `${reviews}/namespaces/default/localsubjectaccessreviews`;
    const table: [string, object, number][] = [
      [`${reviews}/subjectaccessreviews`, { spec: null }, 422],
      [`${reviews}/selfsubjectaccessreviews`, {}, 422],
      [`${reviews}/selfsubjectrulesreviews`, { spec: null }, 400],
      [namespaced, {}, 422],
      [pods, { metadata: { name: "x" }, spec: {} }, 422],
      [pods, { metadata: { name: "x" }, spec: { volumes: [{}], containers: [null] } }, 422],
    ];
    for (const [path, body, code] of table) {
      const { status, json } = await ask({ method: "POST", path, body });
      t.equal(status, code, `${path}: ${json.message}`);
    }
  });

  await t.test("many patches of one object all come to pass", async (t) => {
    await ask({ method: "POST", path: configmaps, body: { metadata: { name: "fought-for" } } });
    const writers = Array.from({ length: 40 }, (_, index) => `k${index}`);
    const answers = await Promise.all(
      writers.map((key) =>
        ask({ method: "PATCH", path: `${configmaps}/fought-for`, body: { data: { [key]: "x" } }, headers: MERGE }),
      ),
    );
    t.same([...new Set(answers.map(({ status }) => status))], [200]);
    t.same(Object.keys((await ask({ path: `${configmaps}/fought-for` })).json.data).sort(), [...writers].sort());
  });
});
