// Lists of a real process: which state each resourceVersion stands for, pages that stay of one revision while objects
// change, and the field selectors of every kind.

import { text as textOf } from "node:stream/consumers";
import { configmaps } from "@picokube/api/core/v1";
import { apiVersionOf } from "@picokube/api/resource";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { builtinDefinitions } from "../registry/index.js";
import { plainRequest } from "../testing/plain-request.js";

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";

// biome-ignore lint/suspicious/noExplicitAny: a list or a Status
const parse = (text: string) => JSON.parse(text) as any;

async function get(server: TestApiServer, path: string) {
  const { status, body } = await server.client.raw({ method: "GET", path });
  return { status, json: parse(await textOf(body)) };
}

/** Without our client's retries, which a Retry-After asks for. */
async function getOnce(server: TestApiServer, path: string) {
  const { status, headers, text } = await plainRequest(server, { path });
  return { status, headers, json: parse(text) };
}

/** Asks again until the answer is as wanted; the test's own timeout ends it. */
async function until<T>(ask: () => Promise<T>, isWanted: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
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
  const unless =
    "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided";
  const continued = "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided";
  const exact = 'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"';
  const newer = 'resourceVersionMatch: Unsupported value: "Newer": supported values: "Exact", "NotOlderThan", ""';
  const notForList = "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list";
  const requires =
    "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
  const unlessInitial =
    "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
  const onlyNotOlder = 'resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"';
  const invalid: [string, ...string[]][] = [
    ["resourceVersionMatch=Exact", unless],
    ["resourceVersionMatch=NotOlderThan", unless],
    ["resourceVersionMatch=Newer", unless, newer],
    ["resourceVersion=0&resourceVersionMatch=Exact", exact],
    ["resourceVersion=0&limit=1&resourceVersionMatch=Exact", exact],
    [`resourceVersion=${past}&resourceVersionMatch=Newer`, newer],
    [`resourceVersion=${past}&resourceVersionMatch=Exact&continue=${token}`, continued],
    [`resourceVersion=0&resourceVersionMatch=NotOlderThan&continue=${token}`, continued],
    [`resourceVersionMatch=Exact&continue=${token}`, unless, continued],
    ["sendInitialEvents=true", notForList],
    ["sendInitialEvents=false", notForList],
    ["watch=1&sendInitialEvents=true", requires],
    ["watch=1&sendInitialEvents=false", requires],
    ["watch=1&sendInitialEvents=true&resourceVersionMatch=Exact", requires, onlyNotOlder],
    ["watch=1&resourceVersionMatch=NotOlderThan", unlessInitial],
    [`watch=1&resourceVersion=${past}&resourceVersionMatch=Exact`, unlessInitial, onlyNotOlder],
    [`watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&continue=${token}`, continued],
  ];
  for (const [query, ...faults] of invalid) {
    const { status, json } = await list(query);
    t.equal(status, 422, query);
    const words = faults.length === 1 ? faults[0] : `[${faults.join(", ")}]`;
    t.equal(json.message, `ListOptions.meta.k8s.io "" is invalid: ${words}`, query);
  }
  const refusals: [string, RegExp][] = [
    [`resourceVersion=${past}&continue=${token}`, /^specifying resource version is not allowed when using continue$/],
    ["resourceVersion=-1", /^resourceVersion: Invalid value: "-1": strconv.ParseUint: parsing "-1": invalid syntax$/],
    ["watch=1&resourceVersion=x", /^resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid/],
    ["limit=x", /^strconv.ParseInt: parsing "x": invalid syntax$/],
    ["continue=x", /^invalid continue token: continue key is not valid/],
    ["labelSelector=a%20in%20b", /^unable to parse requirement: /],
    ["fieldSelector=metadata.name", /^invalid selector: 'metadata.name'; can't understand 'metadata.name'$/],
  ];
  for (const [query, message] of refusals) {
    const { status, json } = await list(query);
    t.equal(status, 400, query);
    t.match(json, { kind: "Status", code: 400, reason: "BadRequest", message }, query);
  }
  const named = await get(server, `/api/v1/watch/namespaces/default/configmaps/b?fieldSelector=metadata.name%3Dc`);
  t.match(named.json, { code: 400, message: "fieldSelector metadata.name doesn't match requested name" });
});

test("a revision of the future is waited for, then refused", async (t) => {
  const server = await startApiServer(t);
  await create(server, "a");
  const future = Number((await server.client.list(configmaps)).metadata.resourceVersion) + 1_000_000;
  const paths = [
    `${CONFIG_MAPS}?resourceVersion=${future}`,
    `${CONFIG_MAPS}?resourceVersion=${future}&resourceVersionMatch=Exact`,
    `${CONFIG_MAPS}?resourceVersion=${future}&limit=1`,
    `${CONFIG_MAPS}/a?resourceVersion=${future}`,
    `${CONFIG_MAPS}?watch=1&resourceVersion=${future}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`,
  ];
  await Promise.all(
    paths.map(async (path) => {
      const { status, json, headers } = await getOnce(server, path);
      t.equal(status, 504, path);
      t.match(json, {
        kind: "Status",
        code: 504,
        reason: "Timeout",
        message: new RegExp(`^Timeout: Too large resource version: ${future}, current: \\d+$`),
        details: {
          retryAfterSeconds: 1,
          causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
        },
      });
      t.equal(headers["retry-after"], "1", path);
    }),
  );
  let soon = 0;
  // A write that takes longer than the wait is no fault of the list's.
  const served = await until(
    async () => {
      soon = Number((await server.client.list(configmaps)).metadata.resourceVersion) + 1;
      const [answer] = await Promise.all([
        getOnce(server, `${CONFIG_MAPS}?resourceVersion=${soon}`),
        create(server, `b-${soon}`),
      ]);
      return answer;
    },
    ({ status }) => status !== 504,
  );
  t.equal(served.status, 200, "one that comes in time is served");
  t.ok(Number(served.json.metadata.resourceVersion) >= soon);
});

test("pages of a compacted revision expire, and can be gone on with all the same", async (t) => {
  const server = await startApiServer(t, { flags: ["--etcd-compaction-interval=500ms"] });
  for (const name of ["a", "b", "d"]) await create(server, name);
  const { json: first } = await get(server, `${CONFIG_MAPS}?limit=1`);
  t.equal(first.metadata.remainingItemCount, 2);
  const past = first.metadata.resourceVersion;
  await server.client.delete(configmaps, { namespace: "default", name: "d" });
  await create(server, "c");
  const second = await until(
    () => get(server, `${CONFIG_MAPS}?limit=1&continue=${first.metadata.continue}`),
    ({ status }) => status !== 200,
  );
  t.equal(second.status, 410);
  t.match(second.json, {
    code: 410,
    reason: "Expired",
    message:
      /^The provided continue parameter is too old to display a consistent list result\. You can start a new list without the continue parameter, or use the continue token in this response/,
    metadata: { continue: /./ },
  });
  const token = second.json.metadata.continue;
  const third = await get(server, `${CONFIG_MAPS}?limit=1&continue=${token}`);
  t.equal(third.status, 200);
  t.same(namesOf(third.json), ["b"]);
  t.ok(Number(third.json.metadata.resourceVersion) > Number(past), "of the state as it is now");
  const fourth = await get(server, `${CONFIG_MAPS}?limit=9&continue=${third.json.metadata.continue}`);
  t.same(namesOf(fourth.json), ["c"]);
  t.equal(fourth.json.metadata.continue, undefined);
  const exact = await get(server, `${CONFIG_MAPS}?resourceVersion=${past}&resourceVersionMatch=Exact`);
  t.match(exact.json, {
    code: 410,
    reason: "Expired",
    message: "The resourceVersion for the provided list is too old.",
  });
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
