// What `picokube fault` says to what cannot be: names, before anything is broken.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { type Cluster, writeCluster } from "../cluster/cluster.js";
import { planVm, writeVm } from "../vms/vm.js";
import { delay, heal, kill, partition } from "./fault.js";

test("names that nobody has, and faults that make no sense", async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), "picokube-fault-"));
  t.teardown(() => rmSync(dataDir, { recursive: true }));
  const place = { dataDir };
  await t.rejects(partition("node-2", [], place), /no cluster in .*: run picokube up first/);

  const cluster = { dataDir, nodeName: "host" } as Cluster;
  writeCluster(cluster);
  await t.rejects(heal("node-2", place), 'there is no local VM "node-2"; picokube node add makes one');
  writeVm(planVm(cluster, { bridge: "vmnone", cidr: "172.30.0.0/24" }));

  const nobody = 'there is no local VM "nobody"; there are: node-2';
  const itself = /host is this machine itself, not a local VM: picokube down, up and reset work on it/;
  const rows: [what: string, run: () => Promise<void>, words: string | RegExp][] = [
    ["partition nobody", () => partition("nobody", [], place), nobody],
    ["partition node-2 nobody", () => partition("node-2", ["nobody"], place), nobody],
    ["partition node-2 node-2", () => partition("node-2", ["node-2"], place), "node-2 cannot be cut off from itself"],
    ["partition host", () => partition("host", [], place), itself],
    ["delay nobody", () => delay("nobody", 10, place), nobody],
    ["delay host", () => delay("host", 10, place), itself],
    ["kill nobody", () => kill("nobody", undefined, place), nobody],
    ["kill nobody kubelet", () => kill("nobody", "kubelet", place), nobody],
    ["kill host", () => kill("host", undefined, place), itself],
    ["kill node-2 kubelet", () => kill("node-2", "kubelet", place), 'node-2 has no process "kubelet"; it is off'],
    ["heal nobody", () => heal("nobody", place), nobody],
    ["heal host", () => heal("host", place), itself],
  ];
  for (const [what, run, words] of rows)
    await t.rejects(run(), typeof words === "string" ? { message: words } : words, what);
});
