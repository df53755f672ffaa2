// Which pods a leaving node loses, by table.

import type { Pod } from "@picokube/api/core/v1";
import { test } from "tap";
import { planDrain } from "./drain-plan.js";

const pod = (name: string, { owner, mirror, phase }: { owner?: string; mirror?: boolean; phase?: string } = {}) =>
  ({
    metadata: {
      name,
      namespace: "default",
      ...(owner ? { ownerReferences: [{ kind: owner, controller: true }] } : {}),
      ...(mirror ? { annotations: { "kubernetes.io/config.mirror": "x" } } : {}),
    },
    ...(phase ? { status: { phase } } : {}),
  }) as unknown as Pod;

test("what belongs to the node stays, what nobody makes again is told", (t) => {
  const table: [words: string, pod: Pod, isEvicted: boolean, isUnmanaged: boolean][] = [
    ["of a ReplicaSet", pod("a", { owner: "ReplicaSet" }), true, false],
    ["of a DaemonSet", pod("b", { owner: "DaemonSet" }), false, false],
    ["a static pod's mirror", pod("c", { mirror: true, owner: "Node" }), false, false],
    ["nobody's", pod("d"), true, true],
    ["nobody's, but done", pod("e", { phase: "Succeeded" }), true, false],
  ];
  for (const [words, each, isEvicted, isUnmanaged] of table) {
    const { evict, unmanaged } = planDrain([each]);
    t.same([evict.length === 1, unmanaged.length === 1], [isEvicted, isUnmanaged], words);
  }
  t.same(planDrain([pod("d")]).unmanaged, ["default/d"]);
  t.end();
});
