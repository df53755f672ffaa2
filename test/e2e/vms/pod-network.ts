// Story: pods of three nodes reach one another through tunnels, by their own addresses, with whole packets.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import type { LocalVms } from "../harness/local-vms.js";
import { addressIn, netAddresses, netNodesOf, netPods } from "./net-pods.js";

const execute = promisify(execFile);

export async function podNetwork(t: Test, vms: LocalVms): Promise<void> {
  const { cluster, kubectl, inVm } = vms;
  const names = Object.keys(netNodesOf(vms));
  await kubectl.apply(netPods(netNodesOf(vms)));
  await kubectl.run(["wait", "pod", "-l", "app=net", "--for=condition=Ready", "--timeout=120s"]);
  const tunnel = `dev vx${cluster.podBridge} `;
  await eventually("routes lead into tunnels", async () => {
    const here = execute("ip", ["route"]).then(({ stdout }) => stdout);
    const all = await Promise.all([here, inVm("node-2", "ip", "route"), inVm("node-3", "ip", "route")]);
    return all.every((table) => table.split("\n").filter((line) => line.includes(tunnel)).length === 2);
  });
  const ips = await netAddresses(vms);
  const inPod = (name: string, script: string) => kubectl.run(["exec", name, "--", "sh", "-c", script]);

  for (const from of names) {
    const others = names.filter((name) => name !== from).map((name) => `wget -qO- http://${ips[name]}/cgi-bin/who`);
    const seen = await inPod(from, others.join(" && "));
    t.strictSame(seen.trim().split("\n").map(addressIn), [ips[from], ips[from]], `${from} is seen as itself`);
  }
  for (const name of names) t.equal(await kubectl.run(["logs", name]), "serving\n");

  const sum = "sha256sum | cut -c 1-64";
  const made = await inPod(
    "net-b",
    `dd if=/dev/urandom of=/www/blob bs=1M count=100 2>/dev/null; cat /www/blob | ${sum}`,
  );
  t.match(made, /^[0-9a-f]{64}\n$/);
  const got = await inPod("net-c", `wget -qO- http://${ips["net-b"]}/blob | ${sum}`);
  t.equal(got, made, "100 MB from net-b to net-c");

  const mtuIn = (shown: string) => Number(/mtu (\d+)/.exec(shown)?.[1]);
  const ofPod = mtuIn(await inPod("net-b", "ip link show eth0"));
  const ofVm = mtuIn(await inVm("node-2", "ip", "link", "show", "eth0"));
  t.equal(ofPod, ofVm - 50, "pods leave room for the tunnel's headers");
}
