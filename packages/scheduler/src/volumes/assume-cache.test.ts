// What is assumed holds until the informer shows something newer, or it is taken back.

import { setMaxListeners } from "node:events";
import { type PersistentVolumeClaim, persistentvolumeclaims } from "@picokube/api/core/v1";
import { createInformerFactory } from "@picokube/client/shared-informer";
import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { AssumeCache } from "./assume-cache.js";

const where = { name: "data", namespace: "default" };
const key = "default/data";

test("assumptions", async (t) => {
  const { client } = await startApiServer(t);
  const clock = realClock();
  const informers = createInformerFactory({ client, logger: createLogger({ write() {} }), clock });
  const informer = informers.for(persistentvolumeclaims);
  const cache = new AssumeCache(informer);
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  informers.start(stop.signal);
  t.teardown(() => stop.abort());
  const until = async (what: string, look: () => boolean) => {
    for (const endMs = clock.now() + 60_000; !look(); await clock.sleep(20))
      if (clock.now() > endMs) throw new Error(`not within 60 s: ${what}`);
  };
  const nodeOf = (claim: PersistentVolumeClaim | undefined) => claim?.metadata.annotations?.node;
  const on = (claim: PersistentVolumeClaim, node: string) => ({
    ...claim,
    metadata: { ...claim.metadata, annotations: { node } },
  });

  const requests = { storage: "1Gi" };
  await client.create(persistentvolumeclaims, {
    metadata: where,
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests } },
  });
  await until("the informer knows it", () => informer.get(key) !== undefined);
  const known = informer.get(key)!;
  const first = on(known, "a");
  cache.assume(first);
  t.equal(nodeOf(cache.get(key)), "a");
  t.strictSame(cache.list().map(nodeOf), ["a"]);

  const second = on(known, "b");
  cache.assume(second);
  cache.restore(first);
  t.equal(nodeOf(cache.get(key)), "b", "an older assumption takes back only itself");
  cache.restore(second);
  t.equal(cache.get(key), known);

  cache.assume(second);
  await client.patch(persistentvolumeclaims, where, { metadata: { labels: { changed: "yes" } } }, { type: "merge" });
  await until("the informer is further", () => informer.get(key)?.metadata.labels?.changed === "yes");
  t.equal(nodeOf(cache.get(key)), undefined, "made from what is no longer so");
});
