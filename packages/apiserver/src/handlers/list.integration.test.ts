// Lists of a real process: which state each resourceVersion stands for, pages that stay of one revision while objects
// change, and the field selectors of every kind.

import { text as textOf } from "node:stream/consumers";
import { configmaps } from "@picokube/api/core/v1";
import { apiVersionOf } from "@picokube/api/resource";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { builtinDefinitions } from "../registry/index.js";

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";

async function get(server: TestApiServer, path: string) {
  const { status, body } = await server.client.raw({ method: "GET", path });
  // biome-ignore lint/suspicious/noExplicitAny: a list or a Status
  return { status, json: JSON.parse(await textOf(body)) as any };
}

const create = (server: TestApiServer, name: string) =>
  server.client.create(configmaps, { metadata: { name, namespace: "default" } } as never);

const namesOf = (list: { items: { metadata: { name: string } }[] }) => list.items.map(({ metadata }) => metadata.name);

test("resourceVersion and resourceVersionMatch choose the state", async (t) => {
  const server = await startApiServer(t);
  await create(server, "a");
  const past = (await create(server, "b")).metadata.resourceVersion;
  await create(server, "c");
  await server.client.delete(configmaps, { namespace: "default", name: "a" });
  const now = (await server.client.list(configmaps)).metadata.resourceVersion;
  const list = (query: string) => get(server, `${CONFIG_MAPS}?${query}`);
  const states: { query: string; names: string[]; revision?: string | undefined }[] = [
    { query: "", names: ["b", "c"] },
    { query: "resourceVersion=0", names: ["b", "c"] },
    { query: "resourceVersion=0&resourceVersionMatch=NotOlderThan", names: ["b", "c"] },
    { query: `resourceVersion=${past}`, names: ["b", "c"] },
    { query: `resourceVersion=${past}&resourceVersionMatch=NotOlderThan`, names: ["b", "c"] },
    { query: `resourceVersion=${past}&resourceVersionMatch=Exact`, names: ["a", "b"], revision: past },
    { query: `resourceVersion=${now}&resourceVersionMatch=Exact`, names: ["b", "c"], revision: now },
    { query: `resourceVersion=${past}&limit=1`, names: ["a"], revision: past },
    { query: `resourceVersion=${past}&limit=1&resourceVersionMatch=NotOlderThan`, names: ["b"] },
    { query: "resourceVersion=0&limit=1", names: ["b", "c"] },
    { query: `resourceVersion=${past}&resourceVersionMatch=Exact&fieldSelector=metadata.name%3Da`, names: ["a"] },
  ];
  for (const { query, names, revision } of states) {
    const { status, json } = await list(query);
    t.equal(status, 200, query);
    t.same(namesOf(json), names, query);
    if (revision !== undefined) t.equal(json.metadata.resourceVersion, revision, query);
    else t.ok(Number(json.metadata.resourceVersion) >= Number(past), query);
  }
  const { json: page } = await list("limit=1");
  const token = page.metadata.continue;
  const refusals: [string, number, RegExp][] = [
    ["resourceVersionMatch=Exact", 422, /resourceVersionMatch is forbidden unless resourceVersion is provided/],
    [
      "resourceVersion=0&resourceVersionMatch=Exact",
      422,
      /resourceVersionMatch "exact" is forbidden for resourceVersion "0"/,
    ],
    [`resourceVersion=${past}&resourceVersionMatch=Newer`, 422, /resourceVersionMatch: Unsupported value: "Newer"/],
    [
      `resourceVersion=${past}&resourceVersionMatch=Exact&continue=${token}`,
      422,
      /resourceVersionMatch is forbidden when continue is provided/,
    ],
    [
      `resourceVersion=${past}&continue=${token}`,
      400,
      /specifying resource version is not allowed when using continue/,
    ],
    ["resourceVersion=-1", 400, /Invalid value/],
    ["sendInitialEvents=true", 422, /sendInitialEvents is forbidden for list/],
    ["limit=x", 400, /invalid syntax/],
    ["continue=x", 400, /continue key is not valid/],
  ];
  for (const [query, code, message] of refusals) {
    const { status, json } = await list(query);
    t.equal(status, code, query);
    t.match(json, { kind: "Status", code, message }, query);
  }
});

test("pages are of one revision while objects come, change and go", async (t) => {
  const server = await startApiServer(t);
  const names = Array.from({ length: 30 }, (_, index) => `c${String(index).padStart(2, "0")}`);
  await Promise.all(names.map((name) => create(server, name)));
  for (const selector of ["", "&fieldSelector=metadata.name!%3Dc29"]) {
    const before = await get(server, `${CONFIG_MAPS}?${selector}`);
    const heard: { name: string; revision: string }[] = [];
    const revisions = new Set<string>();
    let token = "";
    let turn = 0;
    do {
      const { status, json } = await get(server, `${CONFIG_MAPS}?limit=7&continue=${token}${selector}`);
      t.equal(status, 200);
      for (const { metadata } of json.items) heard.push({ name: metadata.name, revision: metadata.resourceVersion });
      revisions.add(json.metadata.resourceVersion);
      token = json.metadata.continue ?? "";
      const left = before.json.items.length - heard.length;
      t.equal(json.metadata.remainingItemCount, selector === "" && left > 0 ? left : undefined);
      // Before, within and behind what has been read: a new one, a changed one, one that goes.
      await create(server, `c1${turn}-new${selector === "" ? "" : "-again"}`);
      await server.client.patch(
        configmaps,
        { namespace: "default", name: `c2${turn}` },
        { data: { turn: `${turn}${selector}` } },
        { type: "merge" },
      );
      await server.client.delete(configmaps, {
        namespace: "default",
        name: `c${selector === "" ? "0" : "1"}${9 - turn}`,
      });
      turn++;
    } while (token !== "");
    t.ok(turn > 3);
    t.equal(revisions.size, 1, "every page says the first one's revision");
    t.same(
      heard,
      before.json.items.map(({ metadata }: { metadata: { name: string; resourceVersion: string } }) => ({
        name: metadata.name,
        revision: metadata.resourceVersion,
      })),
    );
  }
});

/** Beyond metadata.name and metadata.namespace, which every kind has (upstream: AddFieldLabelConversionFunc). */
const FIELDS: { readonly [resource: string]: readonly string[] } = {
  "v1/pods": [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.podIPs",
    "status.nominatedNodeName",
  ],
  "v1/nodes": ["spec.unschedulable"],
  "v1/namespaces": ["status.phase"],
  "v1/secrets": ["type"],
  "v1/services": ["spec.clusterIP", "spec.type"],
  "v1/replicationcontrollers": ["status.replicas"],
  "v1/events": [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
  ],
  "events.k8s.io/v1/events": ["reason", "regarding.kind", "regarding.name", "reportingController", "type"],
  "apps/v1/replicasets": ["status.replicas"],
  "batch/v1/jobs": ["status.successful"],
  "certificates.k8s.io/v1/certificatesigningrequests": ["spec.signerName"],
};

function unknownFieldWords(kind: string, field: string, hasOwn: boolean): string {
  if (kind === "Job") return `field label "${field}" not supported for Job`;
  if (hasOwn) return `field label not supported: ${field}`;
  return `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`;
}

test("every kind selects by upstream's fields and by no others", async (t) => {
  const server = await startApiServer(t);
  const options = { serviceCidrs: ["10.96.0.0/16"], nodePortRange: { from: 30000, to: 32767 }, connect: {} };
  for (const { resource, verbs } of builtinDefinitions(options)) {
    if (verbs && !verbs.includes("list")) continue;
    const groupVersion = apiVersionOf(resource);
    const root = `${resource.group === "" ? "/api" : "/apis"}/${groupVersion}/${resource.resource}`;
    const own = FIELDS[`${groupVersion}/${resource.resource}`] ?? [];
    const knowsNamespace = resource.namespaced || own.length === 0;
    for (const field of ["metadata.name", ...(knowsNamespace ? ["metadata.namespace"] : []), ...own]) {
      const { status, json } = await get(server, `${root}?fieldSelector=${field}%3Dnothing-has-this`);
      t.equal(status, 200, `${root} ${field}`);
      t.same(json.items, [], `${root} ${field}`);
    }
    for (const field of ["spec.nothing", ...(knowsNamespace ? [] : ["metadata.namespace"])]) {
      const { json } = await get(server, `${root}?fieldSelector=${field}%3Da`);
      const message = unknownFieldWords(resource.kind, field, own.length > 0);
      t.match(json, { kind: "Status", code: 400, reason: "BadRequest", message }, `${root} ${field}`);
    }
  }
});
