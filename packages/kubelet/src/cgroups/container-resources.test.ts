// Requests and limits in the engine's terms, and where a pod's cgroup lies.

import type { Container, Pod } from "@picokube/api/core/v1";
import { test } from "tap";
import { containerResources } from "./container-resources.js";
import { podCgroupParent } from "./pod-cgroup.js";

const gi = 1024 ** 3;

function pod(resources: object): Pod {
  const container = { name: "c", image: "i", resources };
  return { metadata: { uid: "1234-5678" }, spec: { containers: [container] } } as unknown as Pod;
}

test("resources by table", async (t) => {
  const table: [string, object, object][] = [
    ["nothing asked", {}, { cpuShares: 2, oomScoreAdj: 1000 }],
    ["a request alone", { requests: { cpu: "250m", memory: "512Mi" } }, { cpuShares: 256, oomScoreAdj: 500 }],
    [
      "limits are requests too",
      { limits: { cpu: "500m", memory: "128Mi" } },
      {
        cpuShares: 512,
        cpuQuotaUs: 50_000,
        cpuPeriodUs: 100_000,
        memoryLimitBytes: 128 * 1024 ** 2,
        oomScoreAdj: -997,
      },
    ],
    [
      "quota has a floor",
      { limits: { cpu: "1m" } },
      { cpuShares: 2, cpuQuotaUs: 1000, cpuPeriodUs: 100_000, oomScoreAdj: 999 },
    ],
    ["a huge request keeps 3", { requests: { memory: "100Gi" } }, { cpuShares: 2, oomScoreAdj: 3 }],
  ];
  for (const [name, resources, expected] of table) {
    const subject = pod(resources);
    t.same(containerResources(subject, subject.spec!.containers[0] as Container, gi), expected, name);
  }
});

test("the pod's cgroup by class and driver", async (t) => {
  const burstable = pod({ requests: { cpu: "1" } });
  const guaranteed = pod({ limits: { cpu: "1", memory: "1Gi" } });
  const parent = (subject: Pod, driver: "cgroupfs" | "systemd") => podCgroupParent(subject, { driver, root: "/" });
  t.equal(parent(pod({}), "cgroupfs"), "/kubepods/besteffort/pod1234-5678");
  t.equal(parent(burstable, "cgroupfs"), "/kubepods/burstable/pod1234-5678");
  t.equal(parent(guaranteed, "cgroupfs"), "/kubepods/pod1234-5678");
  t.equal(parent(burstable, "systemd"), "kubepods-burstable-pod1234_5678.slice");
  t.equal(parent(guaranteed, "systemd"), "kubepods-pod1234_5678.slice");
});
