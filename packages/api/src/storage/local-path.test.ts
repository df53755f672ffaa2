// Names that lead to a kubelet's disk.

import { test } from "tap";
import type { PersistentVolume } from "../core/v1.js";
import { isLocalPathDirectory, localPathDirectory, localPathPlace, removalOf, removalsOn } from "./local-path.js";

const volumeName = "pvc-9c1b0d6e-0f2b-4a54-9a53-0d6c3b1f7e11";

test("directories", (t) => {
  const metadata = { namespace: "shop", name: "data-web-0", uid: "u", resourceVersion: "1", creationTimestamp: "" };
  const directory = localPathDirectory(volumeName, { metadata });
  t.equal(directory, `${volumeName}_shop_data-web-0`);
  t.ok(isLocalPathDirectory(directory));
  const long = localPathDirectory(volumeName, { metadata: { ...metadata, name: `a${".b".repeat(126)}` } });
  t.equal(long.length, 255, "as long as a file system takes");
  t.ok(isLocalPathDirectory(long));
  const ways = [
    "",
    ".",
    "..",
    "../x",
    `${directory}/..`,
    `../${directory}`,
    `${volumeName}`,
    "pvc-1_a_b",
    "removed",
    "*",
  ];
  for (const way of ways) t.notOk(isLocalPathDirectory(way), way);
  t.end();
});

test("requests on a Node", (t) => {
  const annotations = { other: "x", [removalOf(volumeName)]: "removed" };
  t.strictSame([...removalsOn(annotations)], [[volumeName, "removed"]]);
  t.strictSame([...removalsOn(undefined)], []);
  t.end();
});

test("where a volume lies", (t) => {
  const matchExpressions = [{ key: "kubernetes.io/hostname", operator: "In" as const, values: ["n"] }];
  const spec = {
    local: { path: "/data/d" },
    nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
  };
  t.strictSame(localPathPlace({ spec } as PersistentVolume), { hostname: "n", directory: "d" });
  t.equal(localPathPlace({ spec: { hostPath: { path: "/x" } } } as PersistentVolume), undefined);
  t.end();
});
