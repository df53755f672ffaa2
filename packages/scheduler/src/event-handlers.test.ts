// What informers hear reaches cache and queue, also what happened while no watch was open; against a real HTTP server.

import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createClient } from "@picokube/client/rest-client";
import { createInformerFactory } from "@picokube/client/shared-informer";
import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import { node, pod } from "@picokube/testing/builders";
import { test } from "tap";
import { SchedulerCache } from "./cache.js";
import { addEventHandlers } from "./event-handlers.js";
import type { ClusterEvent } from "./framework/plugin.js";
import { podInfoOf } from "./framework/pod-info.js";
import { SchedulingQueue } from "./queue.js";

test("a pod bound and gone while the watch was lost leaves no room taken; a node that goes is told of", async (t) => {
  const clock = realClock();
  let listed: object[] = [pod("web")];
  const watches = new Map<string, ServerResponse>();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, "http://host");
    const kind = pathname.split("/").at(-1)!;
    if (searchParams.has("watch")) {
      response.write("\n");
      watches.set(kind, response);
      return;
    }
    const items = kind === "nodes" ? [node("a")] : listed;
    response.end(JSON.stringify({ metadata: { resourceVersion: "5" }, items }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = createClient({ kubeconfig: { server: `http://127.0.0.1:${port}`, namespace: "" }, userAgent: "t" });
  const stop = new AbortController();
  t.teardown(async () => {
    stop.abort();
    await client.close();
    server.closeAllConnections();
    server.close();
  });
  const until = async (what: () => unknown) => {
    while (!what()) await clock.sleep(5);
  };

  const cache = new SchedulerCache();
  const heard: ClusterEvent[] = [];
  const queue = new SchedulingQueue({ clock, mayHelp: (_, __, event) => heard.push(event) > 0 });
  const informers = createInformerFactory({ client, logger: createLogger({ write() {} }), clock });
  addEventHandlers({ informers, cache, queue, isOurs: () => true });
  informers.start(stop.signal);
  await informers.waitForSync(stop.signal);
  const first = (await queue.pop(stop.signal))!;
  cache.assume(podInfoOf(first.info.pod), "a");
  queue.done(first);
  t.equal(cache.get("a")?.pods.size, 1);

  // Another pod that no node would take, to see what it is told.
  const other = pod("other");
  queue.add(other);
  queue.fail((await queue.pop(stop.signal))!, { pod: other, plugins: new Set(["PodTopologySpread"]) });
  await until(() => watches.has("pods") && watches.has("nodes"));
  listed = [];
  const expired = { type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired", message: "old" } };
  watches.get("pods")!.end(`${JSON.stringify(expired)}\n`);
  await until(() => heard.length > 0);
  t.equal(cache.get("a")?.pods.size, 0);
  t.notOk(cache.isAssumed(first.info.pod.metadata.uid));
  t.match(heard, [{ resource: "assignedPod", previous: { metadata: { name: "web" } }, current: undefined }]);

  const second = (await queue.pop(stop.signal))!;
  queue.fail(second, { pod: other, plugins: new Set(["PodTopologySpread"]) });
  watches.get("nodes")!.write(`${JSON.stringify({ type: "DELETED", object: node("a") })}\n`);
  await until(() => heard.length > 1);
  t.match(heard[1], { resource: "nodeGone", previous: { metadata: { name: "a" } } });
  t.same(cache.nodes, []);
});
