// The official JavaScript client's informer against our watch: a client that we did not write must hear what happened,
// also across a restart, and when it must list again because its revision is gone.

import { text as textOf } from "node:stream/consumers";
import { CoreV1Api, KubeConfig, type KubernetesObject, ListWatch, Watch } from "@kubernetes/client-node";
import { configmaps } from "@picokube/api/core/v1";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { type Test, test } from "tap";

/** Looks again until it holds; the test's own timeout ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 50));
}

const namespace = "default";

/** The client's informer of labelled ConfigMaps, what it has told and how often it was started again; hold() delays that. */
function informerOf(t: Test, server: TestApiServer) {
  const config = new KubeConfig();
  config.loadFromFile(server.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const labelSelector = "of=informer";
  const lists: (string | undefined)[] = [];
  // What makeInformer() makes; its type there hides the cache.
  const informer = new ListWatch(
    `/api/v1/namespaces/${namespace}/configmaps`,
    new Watch(config),
    async () => {
      const list = await core.listNamespacedConfigMap({ namespace, labelSelector });
      lists.push(list.metadata?.resourceVersion);
      return list;
    },
    false,
    labelSelector,
  );
  const heard: string[] = [];
  const note = (type: string) => (object: KubernetesObject & { data?: { [key: string]: string } }) => {
    heard.push(`${type} ${object.metadata?.name} ${object.data?.value}`);
  };
  informer.on("add", note("add"));
  informer.on("update", note("update"));
  informer.on("delete", note("delete"));
  let restarts = 0;
  let stopped = false;
  let held: Promise<void> | undefined;
  // As its documentation says: an error ends the informer, who wants it to go on starts it again.
  informer.on("error", () => {
    restarts++;
    setTimeout(async () => {
      await held;
      if (!stopped) await informer.start().catch(() => undefined);
    }, 100);
  });
  t.teardown(() => {
    stopped = true;
    return informer.stop();
  });
  return {
    informer,
    heard,
    lists,
    restarts: () => restarts,
    hold(until: Promise<void>) {
      held = until;
    },
  };
}

test("the JavaScript client's informer", async (t) => {
  const server = await startApiServer(t);
  const { informer, heard, restarts } = informerOf(t, server);
  const write = (name: string, value: string) =>
    server.client.create(configmaps, {
      metadata: { name, namespace, labels: { of: "informer" } },
      data: { value },
    } as never);
  const patch = (name: string, body: object) =>
    server.client.patch(configmaps, { namespace, name }, body, { type: "merge" });
  await write("a", "1");
  await informer.start();
  await until(() => heard.length === 1);
  await write("b", "1");
  await patch("a", { data: { value: "2" } });
  await server.client.delete(configmaps, { namespace, name: "b" });
  await write("c", "1");
  await patch("c", { metadata: { labels: { of: "nobody" } }, data: { value: "2" } });
  await until(() => heard.length === 6);
  t.same(heard, ["add a 1", "add b 1", "update a 2", "delete b 1", "add c 1", "delete c 1"]);

  await server.restart();
  await patch("a", { data: { value: "3" } });
  await write("d", "1");
  await until(() => informer.get("d", namespace) !== undefined && heard.includes("update a 3"));
  t.ok(restarts() > 0, "the restart ended its watch");
  t.same(
    informer
      .list(namespace)
      .map(({ metadata }) => metadata?.name)
      .sort(),
    ["a", "d"],
    "its cache is what is stored",
  );
  t.equal(heard.filter((line) => line === "add d 1").length, 1, "nothing is told twice");
});

test("the JavaScript client's informer lists again when its revision is gone", async (t) => {
  const server = await startApiServer(t, { flags: ["--etcd-compaction-interval=300ms"] });
  const { informer, heard, lists, restarts, hold } = informerOf(t, server);
  const write = (name: string) =>
    server.client.create(configmaps, {
      metadata: { name, namespace, labels: { of: "informer" } },
      data: { value: "1" },
    } as never);
  await write("goes");
  await write("stays");
  await informer.start();
  await until(() => heard.length === 2);
  let release = () => {};
  hold(
    new Promise((resolve) => {
      release = resolve;
    }),
  );
  const known = informer.latestResourceVersion();
  // What it is not told of lies between its revision and the restarted server's first one.
  await server.client.create(configmaps, { metadata: { name: "between", namespace } } as never);
  await server.stop("SIGKILL");
  await until(() => restarts() > 0);
  await server.restart();
  await server.client.delete(configmaps, { namespace, name: "goes" });
  await write("comes");
  await untilGone(server, known);
  const listed = lists.length;
  release();
  await until(() => heard.includes("delete goes 1") && heard.includes("add comes 1"));
  t.ok(lists.length > listed, "it has listed anew");
  t.same(
    informer
      .list(namespace)
      .map(({ metadata }) => metadata?.name)
      .sort(),
    ["comes", "stays"],
  );
  await write("later");
  await until(() => heard.includes("add later 1"));
});

/** Until a watch from the revision is told that it is too old. */
async function untilGone(server: TestApiServer, revision: string): Promise<void> {
  for (let turn = 0; ; turn++) {
    const path = `/api/v1/namespaces/${namespace}/configmaps?watch=1&timeoutSeconds=1&resourceVersion=${revision}`;
    const { body } = await server.client.raw({ method: "GET", path });
    if (/"code":410/.test(await textOf(body))) return;
    // History is compacted only as it grows.
    await server.client.create(configmaps, { metadata: { name: `turn-${turn}`, namespace } } as never);
  }
}
