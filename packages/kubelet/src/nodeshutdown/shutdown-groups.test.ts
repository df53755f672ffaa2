// Who goes when, and with how much time.

import type { Pod } from "@picokube/api/core/v1";
import { test } from "tap";
import { graceOf, groupByPriority, shutdownPeriods } from "./shutdown-groups.js";

const critical = 2_000_000_000;
const pod = (name: string, priority?: number, terminationGracePeriodSeconds?: number) =>
  ({ metadata: { name }, spec: { containers: [], priority, terminationGracePeriodSeconds } }) as unknown as Pod;
const period = (priority: number, shutdownGracePeriodSeconds: number) => ({ priority, shutdownGracePeriodSeconds });

test("periods out of configuration", async (t) => {
  const none = { gracePeriodMs: 0, criticalPodsMs: 0, byPodPriority: [] };
  t.same(shutdownPeriods(none), []);
  t.same(shutdownPeriods({ ...none, gracePeriodMs: 30_000, criticalPodsMs: 10_000 }), [
    period(0, 20),
    period(critical, 10),
  ]);
  t.same(shutdownPeriods({ ...none, gracePeriodMs: 5_000, criticalPodsMs: 10_000 }), []);
  t.same(shutdownPeriods({ ...none, byPodPriority: [period(100, 5), period(-10, 60), period(10, 20)] }), [
    period(-10, 60),
    period(10, 20),
    period(100, 5),
  ]);
});

test("pods in their groups", async (t) => {
  const periods = [period(0, 20), period(1000, 10), period(critical, 5)];
  const pods = [
    pod("below", -5),
    pod("none"),
    pod("zero", 0),
    pod("between", 999),
    pod("bound", 1000),
    pod("system", critical),
    pod("node", critical + 1000),
  ];
  t.same(
    groupByPriority(periods, pods).map(({ priority, pods }) => [priority, pods.map(({ metadata }) => metadata.name)]),
    [
      [0, ["below", "none", "zero", "between"]],
      [1000, ["bound"]],
      [critical, ["system", "node"]],
    ],
  );
  t.equal(graceOf(pod("own", 0, 3), periods[0]!), 3);
  t.equal(graceOf(pod("long", 0, 300), periods[0]!), 20);
  t.equal(graceOf(pod("unset", 0), periods[0]!), 20);
});
