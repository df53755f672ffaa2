// Upstream's container garbage collection by table: a container is written pod/name/attempt with its age in minutes.

import { test } from "tap";
import type { ContainerState } from "../cri/runtime.js";
import type { DeadContainerPolicy } from "../parts.js";
import { excessContainers } from "./dead-containers.js";

const minuteMs = 60_000;
const nowMs = 100 * minuteMs;
const defaults: DeadContainerPolicy = { maxPerContainer: 1, max: -1, minAgeMs: 0 };

/** "web/c/3" of 5 minutes, exited unless it is said otherwise. */
function container(id: string, ageMinutes: number, state: ContainerState = "exited") {
  const [podUid = "", name = "", attempt = "0"] = id.split("/");
  return { id, podUid, name, attempt: Number(attempt), state, createdAt: nowMs - ageMinutes * minuteMs };
}

const crashed = (pod: string, attempts: number) =>
  Array.from({ length: attempts }, (_, attempt) => container(`${pod}/c/${attempt}`, 10 * (attempts - attempt)));

test("which ended containers go", async (t) => {
  const table: [string, Partial<DeadContainerPolicy>, ReturnType<typeof container>[], string[]][] = [
    ["one of each container stays", {}, crashed("a", 3), ["a/c/0", "a/c/1"]],
    ["beside the one that runs", {}, [container("a/c/2", 1, "running"), ...crashed("a", 2)], ["a/c/0"]],
    ["more of each", { maxPerContainer: 2 }, crashed("a", 4), ["a/c/0", "a/c/1"]],
    ["all of them", { maxPerContainer: -1 }, crashed("a", 4), []],
    [
      "none beside the one that runs",
      { maxPerContainer: 0 },
      [container("a/c/1", 1, "running"), ...crashed("a", 1)],
      ["a/c/0"],
    ],
    ["but never a pod's newest", { maxPerContainer: 0 }, crashed("a", 2), ["a/c/0"]],
    ["the young ones stay", { minAgeMs: 25 * minuteMs }, crashed("a", 4), ["a/c/0"]],
    ["those that never ran go", {}, [container("a/c/2", 1, "running"), container("a/c/1", 2, "created")], ["a/c/1"]],
    ["but for one that is about to", {}, [container("a/c/1", 2, "created"), container("a/c/0", 3)], []],
    ["what runs or is not known", {}, [container("a/c/1", 2, "running"), container("a/c/0", 3, "unknown")], []],
    [
      "too many in all: each container gives alike",
      { maxPerContainer: 3, max: 4 },
      [...crashed("a", 3), ...crashed("b", 3)],
      ["a/c/0", "b/c/0"],
    ],
    [
      "then the oldest of all, a pod's newest aside",
      { maxPerContainer: 3, max: 1 },
      [container("a/c/9", 1, "running"), container("a/c/8", 90), ...crashed("b", 1)],
      ["a/c/8"],
    ],
    ["few enough in all", { max: 5 }, crashed("a", 3), ["a/c/0", "a/c/1"]],
  ];
  for (const [what, policy, containers, gone] of table) {
    const collection = { policy: { ...defaults, ...policy }, nowMs };
    t.same(excessContainers(containers, collection).sort(), gone, what);
  }
});
