// Story: a pool's address is found on the link by somebody who is no node, at one node and, when that has lost its power, at
// another. power-cut.ts cuts the power.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import type { LocalVms } from "../harness/local-vms.js";

const execute = promisify(execFile);
const name = "net-outside";

/** Any link that local VMs may have: which one is chosen is not known before. */
export const poolFlag = "--kube-controller-manager-arg=load-balancer-addresses=172.30.0.0/16";

interface Outsider {
  /** What the pod behind the address answers; undefined: nobody does. */
  ask(): Promise<string | undefined>;
  /** The node whose link address the outsider was told. */
  announcer(): Promise<string | undefined>;
}

/** A machine on the VMs' link, and a load balancer whose address node-2 announces. */
export async function announcedAddress(t: Test, { cluster, kubectl, inVm }: LocalVms): Promise<Outsider> {
  const { bridge, cidr } = JSON.parse(readFileSync(join(cluster.dataDir, "vms", "network.json"), "utf8")) as {
    bridge: string;
    cidr: string;
  };
  const onLink = (host: number) => cidr.replace(/\d+\/.*$/, String(host));
  const namespace = `out${cluster.podBridge}`;
  const inside = async (...command: string[]) => (await execute("ip", ["netns", "exec", namespace, ...command])).stdout;
  t.teardown(() => execute("ip", ["netns", "delete", namespace]).catch(() => undefined));
  await execute("ip", ["netns", "add", namespace]);
  await execute("ip", ["link", "add", namespace, "type", "veth", "peer", "name", "eth0", "netns", namespace]);
  await execute("ip", ["link", "set", namespace, "master", bridge, "up"]);
  await inside("ip", "address", "add", `${onLink(200)}/24`, "dev", "eth0");
  await inside("ip", "link", "set", "eth0", "up");

  // The machine itself is a node, too, and cannot lose its power.
  await kubectl.run([
    "label",
    "node",
    cluster.nodeName,
    "node.kubernetes.io/exclude-from-external-load-balancers=true",
  ]);
  await kubectl.run(["create", "service", "loadbalancer", name, "--tcp=80:80"]);
  await kubectl.run(["set", "selector", "service", name, "app=net"]);
  const service = () => kubectl.json(["get", "service", name]);
  // Whose an address is, its number says: one of a few is node-2's.
  const ip = await eventually("an address at node-2", async () => {
    for (let host = 100; host < 130; host++) {
      const wanted = onLink(host);
      await kubectl.run(["patch", "service", name, "-p", JSON.stringify({ spec: { loadBalancerIP: wanted } })]);
      const given = await eventually("it is given", async () => {
        const { metadata, status } = await service();
        const has = status.loadBalancer.ingress?.[0]?.ip === wanted;
        return has && metadata.annotations?.["load-balancer.picokube.io/announced-by"];
      });
      if (given === "node-2") return wanted;
    }
    return false;
  });
  await eventually("an event says so", async () =>
    (await kubectl.run(["describe", "service", name])).includes('announcing from node "node-2"'),
  );
  const macs = new Map<string, string>();
  for (const node of ["node-2", "node-3"])
    macs.set(
      (JSON.parse(await inVm(node, "ip", "-json", "link", "show", "eth0")) as { address: string }[])[0]!.address,
      node,
    );
  return {
    ask: () => inside("curl", "-sS", "--max-time", "2", `http://${ip}/cgi-bin/who`).catch(() => undefined),
    async announcer() {
      const known = JSON.parse((await inside("ip", "-json", "neighbour", "show", ip)) || "[]") as { lladdr?: string }[];
      return macs.get(known[0]?.lladdr ?? "");
    },
  };
}
