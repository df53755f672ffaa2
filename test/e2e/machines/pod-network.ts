// Story: pods of three machines reach one another by their own addresses: directly on one link, through a tunnel where a router
// stands between. Packets are whole; only what leaves the cluster is translated.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import type { Machine } from "../harness/machine.js";
import type { Machines } from "../harness/machines.js";
import { routerOf } from "../harness/vms.js";
import { addressIn, netAddresses, netPods } from "../vms/net-pods.js";

/** Each pod's machine. */
export const placesOf = ({ first, near, far }: Machines) => ({ "net-a": first, "net-b": near, "net-c": far });

/** Each pod asks all others who it is. */
export async function everyPodIsSeenAsItself(t: Test, { kubectl }: Machines): Promise<void> {
  const ips = await netAddresses({ kubectl });
  const names = Object.keys(ips);
  for (const from of names) {
    const others = names.filter((name) => name !== from);
    const asked = others.map((name) => `timeout 10 wget -qO- http://${ips[name]}/cgi-bin/who`).join(" && ");
    const seen = await eventually(`${from} reaches the others`, () =>
      kubectl.run(["exec", from, "--", "sh", "-c", asked]),
    );
    t.strictSame(
      seen.trim().split("\n").map(addressIn),
      others.map(() => ips[from]),
      `${from} is seen as itself`,
    );
  }
}

export async function podNetwork(t: Test, machines: Machines): Promise<void> {
  const { first, near, far, lan, kubectl } = machines;
  // As Docker leaves it on many machines.
  for (const machine of [first, near, far]) await machine.run(["iptables", "-P", "FORWARD", "DROP"]);
  const places = Object.entries(placesOf(machines));
  await kubectl.apply(netPods(Object.fromEntries(places.map(([pod, { name }]) => [pod, name]))));
  await kubectl.run(["wait", "pod", "-l", "app=net", "--for=condition=Ready", "--timeout=120s"]);

  const { items } = await kubectl.json(["get", "nodes"]);
  const rangeOf = ({ name }: Machine): string =>
    items.find(({ metadata }: { metadata: { name: string } }) => metadata.name === name).spec.podCIDR;
  for (const from of [first, near, far])
    for (const to of [first, near, far].filter((machine) => machine !== from)) {
      const isDirect = from !== far && to !== far;
      const way = isDirect ? `via ${to.address} dev eth0` : "dev vxpico0";
      await eventually(`${from.name} has its way to ${to.name}: ${way}`, async () => {
        const routes = (await from.run(["ip", "route"])).split("\n");
        return routes.find((line) => line.startsWith(rangeOf(to)))?.includes(way) === true;
      });
    }
  const [tunnel = ""] = (await far.run(["ip", "-br", "link"])).split("\n").filter((line) => line.startsWith("vxpico0"));
  const device = tunnel.split(/[\s@]/)[0]!;
  t.match(await far.run(["ip", "-d", "link", "show", "dev", device]), / noudpcsum /, "no checksum is left to a card");
  await everyPodIsSeenAsItself(t, machines);

  const ips = await netAddresses({ kubectl });
  const inPod = (name: string, script: string) => kubectl.run(["exec", name, "--", "sh", "-c", script]);
  const sum = "sha256sum | cut -c 1-64";
  const made = await inPod(
    "net-b",
    `dd if=/dev/urandom of=/www/blob bs=1M count=100 2>/dev/null; cat /www/blob | ${sum}`,
  );
  t.match(made, /^[0-9a-f]{64}\n$/);
  for (const [pod, way] of [
    ["net-a", "directly"],
    ["net-c", "through a tunnel"],
  ] as const) {
    const startedAt = Date.now();
    t.equal(await inPod(pod, `wget -qO- http://${ips["net-b"]}/blob | ${sum}`), made, `100 MB ${way}`);
    t.comment(`100 MB from net-b to ${pod} ${way}: ${Date.now() - startedAt} ms`);
  }
  await inPod("net-b", "rm /www/blob");

  await packetsFit(t, machines, ips);

  const outside = createServer((request, response) => void response.end(request.socket.remoteAddress));
  outside.listen(0, routerOf(lan));
  await once(outside, "listening");
  t.teardown(() => outside.close());
  const { port } = outside.address() as AddressInfo;
  for (const [pod, machine] of places) {
    const seen = await inPod(pod, `timeout 10 wget -qO- http://${routerOf(lan)}:${port}`);
    t.equal(seen, machine.address, `the world sees ${machine.name}, not ${pod}`);
  }
}

/** Packets that may not be cut: the longest passes, one more is refused at once. A pod that is older than the tunnel learns. */
async function packetsFit(t: Test, { near, kubectl }: Machines, ips: Record<string, string>): Promise<void> {
  const mtu = Number(/mtu (\d+)/.exec(await near.run(["ip", "link", "show", "eth0"]))?.[1]) - 50;
  const ping = async (pod: string, bytes: number) => {
    const labels = [`io.kubernetes.pod.name=${pod}`, "io.kubernetes.docker.type=podsandbox"];
    const filters = labels.flatMap((label) => ["--filter", `label=${label}`]);
    const id = (await near.run(["docker", "ps", "-q", ...filters])).trim();
    const pid = (await near.run(["docker", "inspect", "-f", "{{.State.Pid}}", id])).trim();
    // -s leaves the headers of IPv4 and ICMP out.
    const command = ["ping", "-M", "do", "-c", "1", "-W", "20", "-s", String(bytes - 28), ips["net-c"]!];
    return near.run(["nsenter", `--net=/proc/${pid}/ns/net`, ...command]);
  };
  t.match(await ping("net-b", mtu), / 0% packet loss/, `${mtu} bytes pass through the tunnel`);
  await t.rejects(ping("net-b", mtu + 1), /message too long|100% packet loss/, "one more does not");
  const { items } = await kubectl.json(["get", "pods", "-l", "app=away"]);
  const older = items[0].metadata.name;
  await t.rejects(ping(older, mtu + 1), new RegExp(`[Ff]rag needed and DF set \\(mtu = ${mtu}\\)`));
  t.match(await ping(older, mtu), / 0% packet loss/);
}
