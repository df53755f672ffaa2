// A real apiserver process under real requests and real kubectl: what clients see, verb by verb.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { deployments } from "@picokube/api/apps/v1";
import { configmaps, namespaces, pods } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { plainRequest } from "./testing/plain-request.js";
import { watchOnce } from "./testing/watchers.js";

const run = promisify(execFile);

const configMap = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "default", labels },
  data,
});

test("apiserver", async (t) => {
  const server = await startApiServer(t);
  const { client } = server;
  const kubectl = async (...args: string[]) => {
    const { stdout } = await run("kubectl", [`--kubeconfig=${server.kubeconfig}`, ...args]);
    return stdout;
  };

  await t.test("create, update, conflict, delete", async (t) => {
    const created = await client.create(configmaps, configMap("c1", { a: "1" }) as never);
    t.match(created.metadata, { uid: /^[0-9a-f-]{36}$/, resourceVersion: /^\d+$/, creationTimestamp: /Z$/ });
    const updated = await client.update(configmaps, { ...created, data: { a: "2" } });
    t.not(updated.metadata.resourceVersion, created.metadata.resourceVersion);
    await t.rejects(client.update(configmaps, { ...created, data: { a: "3" } }), { code: 409 });
    const same = await client.update(configmaps, updated);
    t.equal(same.metadata.resourceVersion, updated.metadata.resourceVersion, "nothing changed, nothing written");
    await t.rejects(client.create(configmaps, configMap("c1") as never), { code: 409 });
    const wrong = { uid: "00000000-0000-0000-0000-000000000000" };
    await t.rejects(client.delete(configmaps, { namespace: "default", name: "c1" }, { preconditions: wrong }), {
      code: 409,
    });
    await client.delete(configmaps, { namespace: "default", name: "c1" });
    await t.rejects(client.get(configmaps, { namespace: "default", name: "c1" }), { code: 404 });
    const generated = await client.create(configmaps, {
      metadata: { generateName: "g-", namespace: "default" },
    } as never);
    t.match(generated.metadata.name, /^g-[a-z0-9]{5}$/);
    const dry = await plainRequest(server, {
      method: "POST",
      path: "/api/v1/namespaces/default/configmaps?dryRun=All",
      body: JSON.stringify(configMap("dry")),
      headers: { "content-type": "application/json" },
    });
    t.equal(dry.status, 201);
    t.equal((await plainRequest(server, { path: "/api/v1/namespaces/default/configmaps/dry" })).status, 404);
  });

  await t.test("finalizers keep, propagation asks for them", async (t) => {
    const name = { namespace: "default", name: "f1" };
    await client.create(configmaps, {
      ...configMap("f1"),
      metadata: { ...configMap("f1").metadata, finalizers: ["example.com/f"] },
    } as never);
    await client.delete(configmaps, name, { propagationPolicy: "Foreground" });
    const going = await client.get(configmaps, name);
    t.match(going.metadata, { deletionTimestamp: /Z$/, deletionGracePeriodSeconds: 0 });
    t.same(going.metadata.finalizers, ["example.com/f", "foregroundDeletion"]);
    await client.patch(configmaps, name, { metadata: { finalizers: null } }, { type: "merge" });
    await t.rejects(client.get(configmaps, name), { code: 404 });
  });

  await t.test("namespaces wait for their finalizer", async (t) => {
    await client.create(namespaces, { metadata: { name: "going" } } as never);
    await client.delete(namespaces, { name: "going" });
    const going = await client.get(namespaces, { name: "going" });
    t.equal(going.status?.phase, "Terminating");
    const body = JSON.stringify({ ...going, kind: "Namespace", apiVersion: "v1", spec: { finalizers: [] } });
    const done = await plainRequest(server, {
      method: "PUT",
      path: "/api/v1/namespaces/going/finalize",
      body,
      headers: { "content-type": "application/json" },
    });
    t.equal(done.status, 200, done.text);
    await t.rejects(client.get(namespaces, { name: "going" }), { code: 404 });
  });

  await t.test("lists page at one revision, selectors choose", async (t) => {
    for (const index of [0, 1, 2, 3, 4]) {
      await client.create(
        configmaps,
        configMap(`l${index}`, {}, { list: "1", even: String(index % 2 === 0) }) as never,
      );
    }
    const first = await client.list(configmaps, { namespace: "default", labelSelector: "list=1", limit: 2 });
    t.same(
      first.items.map(({ metadata }) => metadata.name),
      ["l0", "l1"],
    );
    await client.create(configmaps, configMap("l2a", {}, { list: "1" }) as never);
    const rest = await client.list(configmaps, {
      namespace: "default",
      labelSelector: "list=1",
      limit: 9,
      continue: first.metadata.continue!,
    });
    t.same(
      rest.items.map(({ metadata }) => metadata.name),
      ["l2", "l3", "l4"],
      "the new one is not of that revision",
    );
    t.equal(rest.metadata.resourceVersion, first.metadata.resourceVersion);
    const even = await client.list(configmaps, { namespace: "default", labelSelector: "list,even in (true)" });
    t.same(
      even.items.map(({ metadata }) => metadata.name),
      ["l0", "l2", "l4"],
    );
    const named = await client.list(configmaps, { fieldSelector: "metadata.name=l3" });
    t.equal(named.items.length, 1);
    const exact = await plainRequest(server, {
      path: `/api/v1/namespaces/default/configmaps?resourceVersion=${first.metadata.resourceVersion}&resourceVersionMatch=Exact&labelSelector=list`,
    });
    t.equal(JSON.parse(exact.text).items.length, 5);
    await client.deleteCollection(configmaps, { namespace: "default", labelSelector: "list" });
    t.equal((await client.list(configmaps, { namespace: "default", labelSelector: "list" })).items.length, 0);
  });

  await t.test("a watch sees objects enter and leave its selection, in order", async (t) => {
    const { metadata } = await client.list(configmaps, { namespace: "default" });
    const abort = new AbortController();
    const events: string[] = [];
    const watching = (async () => {
      const options = {
        namespace: "default",
        labelSelector: "w=1",
        resourceVersion: metadata.resourceVersion!,
        signal: abort.signal,
      };
      for await (const { type, object } of client.watch(configmaps, options)) {
        events.push(`${type} ${object.metadata.name}`);
        if (events.length === 5) return;
      }
    })();
    await client.create(configmaps, configMap("w0") as never);
    await client.create(configmaps, configMap("w1", {}, { w: "1" }) as never);
    const label = (name: string, value: string | null) =>
      client.patch(
        configmaps,
        { namespace: "default", name },
        { metadata: { labels: { w: value } } },
        { type: "merge" },
      );
    await label("w0", "1");
    await client.patch(configmaps, { namespace: "default", name: "w1" }, { data: { a: "1" } }, { type: "strategic" });
    await label("w0", null);
    await client.delete(configmaps, { namespace: "default", name: "w1" });
    await watching;
    abort.abort();
    t.same(events, ["ADDED w1", "ADDED w0", "MODIFIED w1", "DELETED w0", "DELETED w1"]);
  });

  await t.test("initial events end with a bookmark; old revisions are kept", async (t) => {
    const path =
      "/api/v1/namespaces/default/configmaps?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1";
    const lines = (await plainRequest(server, { path })).text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    t.equal(lines[0].type, "ADDED");
    t.match(
      lines.find(({ type }) => type !== "ADDED"),
      { type: "BOOKMARK", object: { metadata: { annotations: { "k8s.io/initial-events-end": "true" } } } },
    );
    await server.restart();
    const oldest = "/api/v1/configmaps?watch=1&resourceVersion=1";
    const [first] = await watchOnce(server, { path: oldest, transport: "http", leaveAfter: 1 });
    t.match(first, { type: "ADDED", object: { kind: "ConfigMap" } }, "the log is as old as the store");
  });

  await t.test("patches, scale and generation", async (t) => {
    const template = {
      metadata: { labels: { app: "d" } },
      spec: {
        containers: [
          { name: "a", image: "i" },
          { name: "b", image: "i" },
        ],
      },
    };
    await client.create(deployments, {
      metadata: { name: "d", namespace: "default" },
      spec: { selector: { matchLabels: { app: "d" } }, template },
    } as never);
    const name = { namespace: "default", name: "d" };
    const containers = [
      { name: "b", image: "j" },
      { name: "a", $patch: "delete" },
    ];
    const strategic = await client.patch(
      deployments,
      name,
      { spec: { template: { spec: { containers } } } },
      { type: "strategic" },
    );
    t.match(strategic.spec?.template.spec?.containers, [{ name: "b", image: "j" }]);
    t.equal(strategic.metadata.generation, 2);
    const labelled = await client.patch(
      deployments,
      name,
      [{ op: "add", path: "/metadata/labels", value: { x: "y" } }],
      { type: "json" },
    );
    t.equal(labelled.metadata.generation, 2, "metadata is no new generation");
    await t.rejects(
      client.patch(deployments, name, [{ op: "test", path: "/spec/replicas", value: 9 }], { type: "json" }),
      { code: 422 },
    );
    const scaled = await plainRequest(server, {
      method: "PATCH",
      path: "/apis/apps/v1/namespaces/default/deployments/d/scale",
      body: '{"spec":{"replicas":4}}',
      headers: { "content-type": "application/merge-patch+json" },
    });
    t.match(JSON.parse(scaled.text), {
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      spec: { replicas: 4 },
      status: { selector: "app=d" },
    });
    const status = await client.patch(
      deployments,
      name,
      { spec: { replicas: 9 }, status: { replicas: 1 } },
      { type: "merge", subresource: "status" },
    );
    t.match(status, { spec: { replicas: 4 }, status: { replicas: 1 } });
    const { generation } = status.metadata;
    const annotate = (value: string, subresource: "" | "status") =>
      client.patch(
        deployments,
        name,
        { metadata: { annotations: { note: value } } },
        { type: "merge", ...(subresource ? { subresource } : {}) },
      );
    const bySelf = await annotate("a", "");
    t.equal(bySelf.metadata.generation, generation! + 1, "a Deployment's annotations count among what is desired");
    const byStatus = await annotate("b", "status");
    t.match(byStatus.metadata, { annotations: { note: "b" }, generation: generation! + 1 }, "its controller's do not");
  });

  await t.test("pods go gracefully once they are bound", async (t) => {
    await client.create(configmaps, configMap("unused") as never);
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace: "default" } };
    await plainRequest(server, {
      method: "POST",
      path: "/api/v1/namespaces/default/serviceaccounts",
      body: JSON.stringify(account),
      headers: { "content-type": "application/json" },
    });
    const pod = {
      metadata: { name: "p", namespace: "default" },
      spec: { nodeName: "n", containers: [{ name: "c", image: "i" }] },
    };
    await client.create(pods, pod as never);
    await client.delete(pods, { namespace: "default", name: "p" });
    const going = await client.get(pods, { namespace: "default", name: "p" });
    t.equal(going.metadata.deletionGracePeriodSeconds, 30);
    await client.delete(pods, { namespace: "default", name: "p" }, { gracePeriodSeconds: 0 });
    await t.rejects(client.get(pods, { namespace: "default", name: "p" }), { code: 404 });
  });

  await t.test("kubectl", async (t) => {
    t.match(await kubectl("api-resources"), /deployments +deploy +apps\/v1 +true +Deployment/);
    t.match(
      await kubectl("create", "deployment", "web", "--image=nginx", "--replicas=3"),
      "deployment.apps/web created",
    );
    t.match(await kubectl("get", "deploy", "web"), /NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +0\/3/);
    t.match(await kubectl("scale", "deploy/web", "--replicas=5"), "scaled");
    t.match(await kubectl("get", "deploy", "web", "-o", "jsonpath={.spec.replicas}"), "5");
    t.match(await kubectl("explain", "pod.spec.containers"), /FIELD: containers <\[\]Container>/);
    t.match(await kubectl("version"), /Server Version: v1.33/);
    t.match(await kubectl("delete", "deploy", "web"), "deleted");
  });

  await t.test("who may not", async (t) => {
    const { client: scheduler } = server.as("kube-scheduler");
    await t.rejects(scheduler.create(configmaps, configMap("x") as never), {
      code: 403,
      message:
        'configmaps is forbidden: User "system:kube-scheduler" cannot create resource "configmaps" in API group "" in the namespace "default"',
    });
    const bad = await plainRequest(server, { path: "/api/v1/pods", headers: { authorization: "Bearer nonsense" } });
    t.equal(bad.status, 200, "the client certificate speaks first");
  });

  await t.test("a clean stop", async (t) => {
    t.equal(await server.stop(), 0);
    t.match(server.log(), /Received signal, shutting down/);
  });
});
