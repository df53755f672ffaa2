// Upstream's timers as they are by default: a cluster of three VMs of its own, almost idle, for a quarter of an hour beside all other
// tests. vms.test.ts tells such stories with short timers.

import { test } from "tap";
import { createLocalVms } from "../harness/local-vms.js";
import { lostNode } from "./lost-node.js";
import { restarts } from "./restarts.js";
import { withoutControlPlane } from "./without-control-plane.js";
import { workloads } from "./workloads.js";

test("A6 A7 three VMs with the default timers", async (t) => {
  const vms = await createLocalVms(t, { nodes: 3, flags: [] });
  const { kubectl, picokube } = vms;
  await picokube("image", "load", "nginx", "busybox");
  await kubectl.apply(workloads(vms));
  for (const name of ["deployment/web", "statefulset/db", "daemonset/agent"])
    await kubectl.run(["rollout", "status", name, "--timeout=300s"], { timeoutMs: 310_000 });
  await kubectl.run(["wait", "pod", "--all", "--for=condition=Ready", "--timeout=300s"], { timeoutMs: 310_000 });

  await t.test("A6 a node is cut off for more than five minutes: evicted, replaced, never doubled, reconciled", (t) =>
    lostNode(t, vms),
  );
  await t.test("A7 ten minutes without a control plane: everything answers, and nothing has happened after it", (t) =>
    withoutControlPlane(t, vms),
  );
  await t.test(
    "A6 A7 anything is killed under load: its work is taken up again, and what may not be lost is not",
    (t) => restarts(t, vms),
  );
});
