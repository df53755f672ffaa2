// Story: the first machine gets another address. Its VMs' kubelets and kube-proxies follow; their engines and pods run on.

import { readFileSync } from "node:fs";
import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import type { LocalVms } from "../harness/local-vms.js";
import { isReady, podsOf } from "../harness/pod-rows.js";

const patienceMs = 120_000;
const names = ["node-2", "node-3"] as const;

/** Processes of the VMs' engines, as their supervisors know them. */
const enginesOf = ({ dataDir }: { dataDir: string }) =>
  names.map((name) => {
    const { components } = JSON.parse(readFileSync(`${dataDir}/vms/${name}/run/processes.json`, "utf8"));
    return components.dockerd.process.pid;
  });

export async function movedHost(t: Test, vms: LocalVms): Promise<void> {
  const { cluster, kubectl, picokube, inVm, readyOf } = vms;
  // An address that the machine holds for as long as its VMs have a link.
  const [, router = ""] = /default via (\S+)/.exec(await inVm("node-2", "ip", "route")) ?? [];
  const uids = async () => (await podsOf(kubectl, "stays")).map(({ metadata }) => metadata.uid).sort();
  const engines = enginesOf(cluster);
  const before = await uids();
  t.match(await picokube("certs", "renew", `--node-ip=${router}`), /is up after/);
  t.match(await picokube("certs", "check"), /are well/);
  for (const name of names) {
    t.match(readFileSync(`${cluster.dataDir}/vms/${name}/kubeconfig/kubelet.kubeconfig`, "utf8"), `https://${router}:`);
    await eventually(`${name} speaks to the new address alone`, async () => {
      const connections = await inVm(name, "ss", "-Htn", "state", "established");
      const to = (address: string) => connections.includes(` ${address}:${cluster.securePort}`);
      return to(router) && !to(cluster.nodeIp);
    });
    t.notMatch(await inVm(name, "ip", "route"), `${cluster.nodeIp} `, "the way to the old one is forgotten");
    await eventually(`${name} is Ready`, async () => (await readyOf(name)) === "True", patienceMs);
  }
  const spec = (name: string) => ({
    nodeName: name,
    terminationGracePeriodSeconds: 1,
    containers: [{ name: "main", image: "nginx", imagePullPolicy: "IfNotPresent" }],
  });
  const items = names.map((name) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `new-${name}`, labels: { app: "new" } },
    spec: spec(name),
  }));
  await kubectl.apply(JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  await eventually("their kubelets take pods", async () => (await podsOf(kubectl, "new")).every(isReady), patienceMs);
  await kubectl.run(["delete", "pod", "-l", "app=new", "--now"]);
  t.strictSame(await uids(), before, "the same pods");
  t.strictSame(enginesOf(cluster), engines, "the engines ran on");
}
