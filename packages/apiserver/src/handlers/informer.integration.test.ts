// The official JavaScript client's informer against our watch: a client that we did not write must hear what happened,
// also across a restart that makes it list again.

import { CoreV1Api, KubeConfig, type KubernetesObject, ListWatch, Watch } from "@kubernetes/client-node";
import { configmaps } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";

/** Looks again until it holds; the test's own timeout ends it. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 50));
}

test("the JavaScript client's informer", async (t) => {
  const server = await startApiServer(t);
  const config = new KubeConfig();
  config.loadFromFile(server.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const namespace = "default";
  const labelSelector = "of=informer";
  // What makeInformer() makes; its type there hides the cache.
  const informer = new ListWatch(
    `/api/v1/namespaces/${namespace}/configmaps`,
    new Watch(config),
    () => core.listNamespacedConfigMap({ namespace, labelSelector }),
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
  // As its documentation says: an error ends the informer, who wants it to go on starts it again.
  informer.on("error", () => {
    restarts++;
    if (!stopped) setTimeout(() => void informer.start(), 100);
  });
  t.teardown(() => {
    stopped = true;
    return informer.stop();
  });

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
  t.ok(restarts > 0, "the restart ended its watch");
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
