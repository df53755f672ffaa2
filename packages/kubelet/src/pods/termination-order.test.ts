import type { Container } from "@picokube/api/core/v1";
import { test } from "tap";
import { testPod } from "./observed.js";
import { terminationOrder } from "./termination-order.js";

const container = (name: string): Container => ({ name, image: "i" });
const sidecar = (name: string): Container => ({ ...container(name), restartPolicy: "Always" });

test("sidecars end after the containers they serve, the last first", async (t) => {
  const pod = testPod({
    initContainers: [sidecar("s1"), container("init"), sidecar("s2")],
    containers: [container("a"), container("b")],
    ephemeralContainers: [{ name: "debug", image: "i" }],
  });
  const table: [string, string[], Record<string, string[]>][] = [
    ["all", ["s1", "s2", "a", "b", "debug"], { s2: ["a", "b"], s1: ["a", "b", "s2"] }],
    ["what has ended is not waited for", ["s1", "b"], { s1: ["b"] }],
    ["an init container under way ends at once", ["s1", "init"], { s1: [] }],
    ["no sidecar, no order", ["a", "b"], {}],
  ];
  for (const [name, running, expected] of table)
    t.same(Object.fromEntries(terminationOrder(pod, running)), expected, name);
});
