// --controllers, by table.

import { test } from "tap";
import { selectControllers } from "./controllers.js";

test("a star is all; a minus takes one out; old names are understood", async (t) => {
  const names = (...words: string[]) => selectControllers(words).map(({ name }) => name);
  const all = names("*");
  t.ok(all.includes("deployment-controller"));
  t.equal(new Set(all).size, all.length, "each runs once");
  t.strictSame(
    names("*", "-deployment"),
    all.filter((name) => name !== "deployment-controller"),
  );
  t.strictSame(names("replicaset", "podgc"), ["replicaset-controller", "pod-garbage-collector-controller"]);
  t.strictSame(names("replicationcontroller", "statefulset", "daemonset", "disruption").sort(), [
    "daemonset-controller",
    "disruption-controller",
    "replicationcontroller-controller",
    "statefulset-controller",
  ]);
  t.strictSame(names("-deployment-controller"), []);
  t.throws(() => names("foo"), { name: "ConfigError", message: '"foo" is not in the list of known controllers' });
});
