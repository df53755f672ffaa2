// A remembered row against the row that is made anew: the same at every time, whatever of it changes with time.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pod } from "@picokube/api/core/v1";
import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import { openLevelDbStore } from "@picokube/store/leveldb/store";
import { test } from "tap";
import { builtinDefinitions } from "../registry/index.js";
import { CacheFeed } from "../storage/cache-feed.js";
import type { CacheItem } from "../storage/cache-item.js";
import { encodeObject, spliceRevision } from "../storage/codec.js";
import { ServedResource } from "../storage/served-resource.js";
import { rowOf } from "./table-rows.js";
import { tableRow } from "./tables.js";

const createdMs = Date.parse("2026-01-01T00:00:00Z");
const restarted = {
  name: "main",
  restartCount: 2,
  lastState: { terminated: { exitCode: 1, finishedAt: "2026-01-01T00:10:00Z" } },
};

function podOf(name: string, status: object): Pod {
  const metadata = {
    name,
    namespace: "default",
    uid: "u",
    creationTimestamp: "2026-01-01T00:00:00Z",
    annotations: { 'a"}{': '\\"}' },
  };
  const spec = { containers: [{ name: "main", image: "nginx" }], nodeName: "node-1" };
  return { kind: "Pod", apiVersion: "v1", metadata, spec, status } as unknown as Pod;
}

test("a row is the same whether it is remembered or not, at any time", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "picokube-rows-"));
  const logger = createLogger({ name: "rows-test", verbosity: 0 });
  const store = await openLevelDbStore({ directory, logger, clock: realClock() });
  t.teardown(async () => {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const definitions = builtinDefinitions({
    serviceCidrs: ["10.96.0.0/16"],
    nodePortRange: { from: 30000, to: 32767 },
    connect: {},
  } as never);
  const definition = definitions.find(({ resource }) => resource.resource === "pods" && resource.group === "")!;
  const served = new ServedResource({ definition, feed: new CacheFeed({ store, logger }) });
  const pods = [
    podOf("plain", { phase: "Running" }),
    podOf("restarted", { phase: "Running", containerStatuses: [restarted] }),
    podOf("done", { phase: "Succeeded", conditions: [{ type: "Ready", status: "False", reason: "PodCompleted" }] }),
  ];
  for (const [index, pod] of pods.entries()) {
    const { name } = pod.metadata;
    const bytes = spliceRevision(encodeObject(pod), index + 2);
    const fields = { "metadata.name": name };
    const key = served.keyOf("default", name);
    const item: CacheItem = {
      key,
      namespace: "default",
      name,
      revision: index + 2,
      bytes,
      labels: {},
      fields,
      parsed: undefined,
    };
    served.cache.load(item);
    for (const ageMs of [5_000, 65_000, 900_000, 90_000_000, 4e11]) {
      for (const includeObject of ["Metadata", "None", "Object"] as const) {
        const nowMs = createdMs + ageMs;
        const remembered = JSON.parse(rowOf(item, { served, includeObject, nowMs }).toString());
        const anew = JSON.parse(tableRow(served.objectOf(item), { definition, includeObject, bytes, nowMs }));
        t.same(remembered, anew, `${name}, ${ageMs} ms, ${includeObject}`);
        if (includeObject === "Metadata") t.same(remembered.object.metadata, JSON.parse(bytes.toString()).metadata);
      }
    }
    const cells = JSON.parse(
      rowOf(item, { served, includeObject: "None", nowMs: createdMs + 900_000 }).toString(),
    ).cells;
    t.ok(cells.includes("15m"), "the age goes on");
    if (name === "restarted") t.ok(cells.includes("2 (5m ago)"), "and so does the time since the last restart");
    t.equal(item.row?.cells[0], JSON.stringify(name));
  }
});
