// Story: the cluster with its VMs goes down in order and comes up, and then its machine is rebooted: the same pods, and every row.

import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import { readTestCluster } from "../harness/cluster.js";
import type { LocalVms } from "../harness/local-vms.js";
import { isReady, type PodRow, podsOf } from "../harness/pod-rows.js";
import { rebootHost } from "../harness/reboot.js";
import { rows } from "./workloads.js";

const patienceMs = 120_000;

export async function downAndUp(t: Test, vms: LocalVms): Promise<void> {
  const { picokube, docker } = vms;
  await comesBack(t, vms, async () => {
    t.match(await picokube("down"), /is stopped; its data and its pods stay/);
    await t.rejects(docker("node-2", "version"), "the VMs are off");
    t.match(await picokube("node", "list"), /node-2 .* off .*\n?.*node-3 .* off /);
  });
}

export async function reboot(t: Test, vms: LocalVms): Promise<void> {
  const { cluster } = vms;
  await comesBack(t, vms, () => rebootHost(cluster));
  t.equal(readTestCluster(cluster.dataDir).nodeIp, cluster.nodeIp, "an address that the machine lost is replaced");
}

/** After `up` the DaemonSet's pods, which nothing evicts, are the ones of before, and postgres has what it had. */
async function comesBack(t: Test, vms: LocalVms, goAway: () => Promise<void>): Promise<void> {
  const { kubectl, picokube, readyOf, cluster } = vms;
  const stays = async () =>
    (await podsOf(kubectl, "stays")).sort((a, b) => (a.spec.nodeName! < b.spec.nodeName! ? -1 : 1));
  const before = await stays();
  const held = await eventually("postgres answers", () => rows(vms), patienceMs);
  await goAway();
  t.match(await picokube("up"), /is up after/);
  for (const node of [cluster.nodeName, "node-2", "node-3"])
    await eventually(`${node} is Ready`, async () => (await readyOf(node)) === "True", patienceMs);
  const restartsOf = (pod: PodRow) => pod.status.containerStatuses?.[0]?.restartCount ?? 0;
  const after = await eventually(
    "their pods run again",
    async () => {
      const now = await stays();
      const inVms = now.filter(({ spec }) => spec.nodeName !== cluster.nodeName);
      // Until a kubelet has looked, the API tells what was.
      const ranAnew = (pod: PodRow) =>
        restartsOf(pod) > restartsOf(before.find((was) => was.spec.nodeName === pod.spec.nodeName)!);
      return now.length === 3 && now.every(isReady) && inVms.every(ranAnew) && now;
    },
    patienceMs,
  );
  t.strictSame(
    after.map(({ metadata }) => metadata.uid),
    before.map(({ metadata }) => metadata.uid),
    "the same pods",
  );
  await eventually(
    "postgres is Ready",
    async () => {
      const dbs = await podsOf(kubectl, "db");
      return dbs.length === 1 && isReady(dbs[0]!);
    },
    patienceMs,
  );
  t.equal(await eventually("postgres answers", () => rows(vms), patienceMs), held, "every row");
  await kubectl.run(["rollout", "status", "deployment/web", "--timeout=120s"]);
}
