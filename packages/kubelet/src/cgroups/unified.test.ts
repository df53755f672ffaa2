// cgroup v2 by a tree of files as its kernel has them: what is read there, and what is written. (That the kernel does as it
// is told needs a host whose controllers are not bound to v1.)

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Test, test } from "tap";
import { cgroupMemory } from "../eviction/observe-node.js";
import { testPod } from "../pods/observed.js";
import { cgroupCpuNanos } from "../server/system-containers.js";
import { limitPodCgroup, podCgroupParent } from "./pod-cgroup.js";
import { shareByQos } from "./qos-cgroups.js";

const limits = { "cpu.max": "max 100000\n", "cpu.weight": "100\n", "memory.max": "max\n", "pids.max": "max\n" };

/** A unified hierarchy with one burstable pod. */
function hierarchy(t: Test): string {
  return t.testdir({
    "cgroup.controllers": "cpuset cpu io memory hugetlb pids rdma misc\n",
    "memory.stat": "anon 1000\nfile 500\nkernel 9\ninactive_anon 3\ninactive_file 200\n",
    kubepods: {
      ...limits,
      "cpu.stat": "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 0\n",
      "memory.current": "4096\n",
      "memory.max": "8192\n",
      "memory.stat": "anon 3000\nfile 1096\ninactive_file 96\nactive_file 1000\n",
      besteffort: { ...limits },
      burstable: { ...limits, "poduid-1": { ...limits } },
    },
  });
}

test("what is read", async (t) => {
  const root = hierarchy(t);
  t.same(await cgroupMemory("kubepods", root), { usage: 4096, workingSet: 4000, limit: 8192 });
  // The root of the hierarchy counts no usage of its own.
  t.match(await cgroupMemory("", root), { workingSet: 1300, limit: Number.POSITIVE_INFINITY });
  t.equal(await cgroupMemory("none", root), undefined);
  t.equal(await cgroupCpuNanos("kubepods", root), 1_500_000);
  t.equal(await cgroupCpuNanos("none", root), undefined);
});

test("what is written", async (t) => {
  const mountPoint = hierarchy(t);
  const tree = { driver: "cgroupfs", root: "/" } as const;
  const pod = (cpu: string, memory: string) =>
    testPod({
      containers: [{ name: "c", image: "i", resources: { requests: { cpu: "100m" }, limits: { cpu, memory } } }],
    });
  const parent = podCgroupParent(pod("1", "1Mi"), tree);
  t.equal(parent, "/kubepods/burstable/poduid-1");
  const has = () => Object.keys(limits).map((file) => readFileSync(join(mountPoint, parent, file), "utf8").trim());
  limitPodCgroup(pod("500m", "64Mi"), parent, { onlyWiden: false, maxPids: 40, mountPoint });
  t.same(has(), ["50000 100000", "4", String(64 * 1024 * 1024), "40"]);
  limitPodCgroup(pod("200m", "128Mi"), parent, { onlyWiden: true, mountPoint });
  t.same(has(), ["50000 100000", "4", String(128 * 1024 * 1024), "40"], "widened alone");
  limitPodCgroup(pod("200m", "32Mi"), parent, { onlyWiden: false, mountPoint });
  t.same(has(), ["20000 100000", "4", String(32 * 1024 * 1024), "40"]);
  shareByQos(tree, [pod("1", "1Mi")], mountPoint);
  const weight = (name: string) => readFileSync(join(mountPoint, "kubepods", name, "cpu.weight"), "utf8");
  t.same([weight("burstable"), weight("besteffort")], ["4", "1"]);
});
