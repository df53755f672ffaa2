// Routes between nodes that are network namespaces: two on one link, a third behind a router, a "pod" behind each. Packets
// keep their source address, large ones arrive whole, what is right already is not touched, and all of it goes away again.
// Needs root, iproute2 and busybox.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { node } from "@picokube/testing/builders";
import { type Test, test } from "tap";
import { type PodNetworkBackend, tunnelOverheadBytes } from "./routes-plan.js";
import { runCommand } from "./run-command.js";

const script = fileURLToPath(new URL("./apply-routes.testing.js", import.meta.url));
const bridge = "pod0";
const clusterCidr = "10.244.0.0/16";
const payload = "picokube ".repeat(400_000);
const checksum = createHash("sha256").update(payload).digest("hex");

const machines = {
  a: { address: "10.77.1.2/24", router: "10.77.1.1", podCidr: "10.244.1.0/24", pod: "10.244.1.1" },
  b: { address: "10.77.1.3/24", router: "10.77.1.1", podCidr: "10.244.2.0/24", pod: "10.244.2.1" },
  c: { address: "10.77.2.2/24", router: "10.77.2.1", podCidr: "10.244.3.0/24", pod: "10.244.3.1" },
} as const;
type Name = keyof typeof machines;
const names = Object.keys(machines) as Name[];
const ip = (machine: string, ...args: string[]) => inside(machine, "ip", ...args);
const namespaceOf = (machine: string) => `picoroutes-${process.pid}-${machine}`;

function inside(machine: string, program: string, ...args: string[]): Promise<string> {
  return runCommand({ program: "nsenter", args: [`--net=/run/netns/${namespaceOf(machine)}`, program, ...args] });
}

/** Router "r" bridges a and b, and routes to c. Each machine's pod is an address on a bridge of its own. */
async function build(t: Test): Promise<void> {
  for (const machine of ["r", ...names]) {
    await runCommand({ program: "ip", args: ["netns", "add", namespaceOf(machine)] });
    t.teardown(() => runCommand({ program: "ip", args: ["netns", "delete", namespaceOf(machine)] }));
    await ip(machine, "link", "set", "lo", "up");
  }
  await ip("r", "link", "add", "lan", "type", "bridge", "forward_delay", "0");
  await ip("r", "link", "set", "lan", "up");
  await ip("r", "address", "add", "10.77.1.1/24", "dev", "lan");
  await inside("r", "sysctl", "-qw", "net.ipv4.ip_forward=1");
  for (const name of names) {
    const { address, router, pod } = machines[name];
    await ip(name, "link", "add", "eth0", "type", "veth", "peer", "name", `to-${name}`, "netns", namespaceOf("r"));
    await ip("r", "link", "set", `to-${name}`, "up", ...(name === "c" ? [] : ["master", "lan"]));
    await ip(name, "link", "set", "eth0", "up");
    await ip(name, "address", "add", address, "dev", "eth0");
    await ip(name, "route", "add", "default", "via", router);
    await inside(name, "sysctl", "-qw", "net.ipv4.ip_forward=1");
    await ip(name, "link", "add", bridge, "type", "bridge", "forward_delay", "0");
    await ip(name, "address", "add", `${pod}/24`, "dev", bridge);
    await ip(name, "link", "set", bridge, "up");
  }
  await ip("r", "address", "add", "10.77.2.1/24", "dev", "to-c");
}

async function apply(name: Name, backend: PodNetworkBackend, present: readonly Name[] = names) {
  const { address, podCidr } = machines[name];
  const question = {
    self: { name, address: address.split("/")[0], podCidr },
    nodes: present.map((each) =>
      node(each, {
        spec: { podCIDR: machines[each].podCidr },
        status: { addresses: [{ type: "InternalIP", address: machines[each].address.split("/")[0] }] },
      } as never),
    ),
    backend,
    bridge,
    clusterCidr,
  };
  const text = await inside(name, process.execPath, script, JSON.stringify(question));
  return JSON.parse(text) as { changes: number; unreachable: string[] };
}

/** Sends a payload from one pod's address to the other's; resolves to the source address that was seen and its checksum. */
async function transfer(from: Name, to: Name): Promise<{ source: string; sum: string }> {
  const hash = 'const h = require("node:crypto").createHash("sha256");';
  const receive = `${hash} require("node:net").createServer({ allowHalfOpen: true }, (s) => {
    s.on("data", (d) => h.update(d)).on("end", () => { s.end(); console.log(s.remoteAddress + " " + h.digest("hex")); process.exit(); });
  }).listen(7000, "${machines[to].pod}", () => console.log("up"));`;
  const listener = spawn("nsenter", [`--net=/run/netns/${namespaceOf(to)}`, process.execPath, "-e", receive], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  listener.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await once(listener.stdout, "data");
  const send = `const s = require("node:net").connect({ host: "${machines[to].pod}", port: 7000, localAddress: "${machines[from].pod}" },
    () => s.end("picokube ".repeat(400000))); s.resume().on("close", () => process.exit()).setTimeout(60000, () => process.exit(3));`;
  const ended = once(listener, "exit");
  await inside(from, process.execPath, "-e", send).catch((error: unknown) => {
    listener.kill();
    throw error;
  });
  await ended;
  const [source = "", sum = ""] = output.split("\n")[1]?.split(" ") ?? [];
  return { source, sum };
}

/** Whether a packet of that length, which may not be cut in pieces, gets from pod to pod and is answered. */
async function arrives(from: Name, to: Name, bytes: number): Promise<boolean> {
  // -s leaves the headers of IPv4 and ICMP out. A packet that is too long is refused at once: no waiting.
  const size = String(bytes - 28);
  const args = ["-I", machines[from].pod, "-M", "do", "-c", "1", "-W", "20", "-s", size, machines[to].pod];
  return inside(from, "ping", ...args).then(
    () => true,
    (error: Error) => {
      if (/too long|exit 1/i.test(error.message)) return false;
      throw error;
    },
  );
}

for (const { backend, tunnelled } of [
  { backend: "auto", tunnelled: { a: ["c"], b: ["c"], c: ["a", "b"] } },
  { backend: "vxlan", tunnelled: { a: ["b", "c"], b: ["a", "c"], c: ["a", "b"] } },
] as const)
  test(`F6 every pod reaches every other with its own address: ${backend}`, async (t) => {
    await build(t);
    for (const name of names) t.ok((await apply(name, backend)).changes > 0);
    for (const name of names) t.equal((await apply(name, backend)).changes, 0, `${name}: what is right is not touched`);
    for (const from of names) {
      const routes = await ip(from, "route", "show", "proto", "113");
      for (const to of names.filter((each) => each !== from)) {
        const isTunnelled = (tunnelled[from] as readonly string[]).includes(to);
        const line = routes.split("\n").find((each) => each.startsWith(machines[to].podCidr));
        t.match(line, isTunnelled ? /dev vxpod0/ : /dev eth0/, `${from} to ${to}`);
        t.same(await transfer(from, to), { source: machines[from].pod, sum: checksum }, `${from} to ${to}`);
        const mtu = isTunnelled ? 1500 - tunnelOverheadBytes : 1500;
        t.ok(await arrives(from, to, mtu), `${mtu} bytes pass from ${from} to ${to}`);
        t.notOk(await arrives(from, to, mtu + 1), "one more does not");
      }
    }

    for (const name of ["a", "b"] as const) await apply(name, backend, ["a", "b"]);
    t.notMatch(await ip("a", "route", "show", "proto", "113"), machines.c.podCidr, "a node that went is forgotten");
    if (backend === "vxlan")
      t.notMatch(await inside("a", "bridge", "fdb", "show", "dev", "vxpod0"), /0a:58:0a:f4:03:00/, "in the tunnel too");
    t.same(await transfer("a", "b"), { source: machines.a.pod, sum: checksum }, "the others go on");
    for (const name of names) await apply(name, backend, [name]);
    for (const name of names) {
      t.equal(await ip(name, "route", "show", "proto", "113"), "", "no route is left");
      t.notMatch(await ip(name, "link", "show"), "vxpod0", "no tunnel is left");
    }
  });

test("F6 a node that moves, and one that host-gw cannot reach", async (t) => {
  await build(t);
  t.match(await apply("a", "host-gw"), { unreachable: [/node c \(10\.77\.2\.2\) is behind the router 10\.77\.1\.1/] });
  t.notMatch(await ip("a", "route", "show", "proto", "113"), machines.c.podCidr);
  for (const name of names) await apply(name, "vxlan");
  const moved = "10.77.2.9";
  await ip("c", "address", "delete", machines.c.address, "dev", "eth0");
  await ip("c", "address", "add", `${moved}/24`, "dev", "eth0");
  await ip("c", "route", "add", "default", "via", machines.c.router);
  const nodesNow = names.map((name) =>
    node(name, {
      spec: { podCIDR: machines[name].podCidr },
      status: {
        addresses: [{ type: "InternalIP", address: name === "c" ? moved : machines[name].address.split("/")[0] }],
      },
    } as never),
  );
  for (const name of names) {
    const address = name === "c" ? moved : machines[name].address.split("/")[0];
    const self = { name, address, podCidr: machines[name].podCidr };
    const question = { self, nodes: nodesNow, backend: "vxlan", bridge, clusterCidr };
    await inside(name, process.execPath, script, JSON.stringify(question));
  }
  t.same(await transfer("a", "c"), { source: machines.a.pod, sum: checksum });
});
