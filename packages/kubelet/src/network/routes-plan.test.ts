import { node } from "@picokube/testing/builders";
import { test } from "tap";
import {
  type HostRoute,
  nextHop,
  type PodNetworkBackend,
  peersOf,
  planRoutes,
  tunnelDeviceOf,
  vniOf,
} from "./routes-plan.js";

const peer = (name: string, address: string, podCIDR?: string) =>
  node(name, {
    spec: podCIDR ? { podCIDR } : {},
    status: { addresses: [{ type: "InternalIP", address }] },
  } as never);

const self = { name: "a", address: "192.168.1.10", podCidr: "10.244.0.0/24" };
const hostRoutes: HostRoute[] = [
  { dst: "default", gateway: "192.168.1.1", dev: "eth0" },
  { dst: "192.168.1.0/24", dev: "eth0" },
  { dst: "192.168.9.9", dev: "eth1" },
  { dst: "10.244.0.0/24", dev: "pico0" },
];
const near = peer("near", "192.168.1.11", "10.244.1.0/24");
const far = peer("far", "172.16.0.5", "10.244.2.0/24");
const cabled = peer("cabled", "192.168.9.9", "10.244.3.0/24");
const plan = (nodes: ReturnType<typeof peer>[], backend: PodNetworkBackend = "auto", routes = hostRoutes) =>
  planRoutes({ self, nodes, hostRoutes: routes, backend, bridge: "pico0", clusterCidr: "10.244.0.0/16" });

test("a neighbour is reached directly, one behind a router in a tunnel: chosen per peer", (t) => {
  const { routes, tunnel, unreachable } = plan([peer("a", self.address, self.podCidr), near, far, cabled]);
  t.same(routes, [
    { cidr: "10.244.3.0/24", via: "192.168.9.9", dev: "eth1" },
    { cidr: "10.244.2.0/24", via: "10.244.2.0", dev: "vxpico0" },
    { cidr: "10.244.1.0/24", via: "192.168.1.11", dev: "eth0" },
  ]);
  t.same(tunnel, {
    device: "vxpico0",
    vni: 0x0af400,
    overlay: "10.244.0.0",
    mac: "0a:58:0a:f4:00:00",
    local: self.address,
    links: ["eth0"],
    peers: [{ overlay: "10.244.2.0", mac: "0a:58:0a:f4:02:00", address: "172.16.0.5" }],
  });
  t.same(unreachable, []);
  t.end();
});

test("neighbours alone need no tunnel", (t) => {
  t.equal(plan([near, cabled]).tunnel, undefined);
  t.end();
});

test("the backend can be held to one kind", (t) => {
  t.same(
    plan([near, far], "vxlan").routes.map(({ dev }) => dev),
    ["vxpico0", "vxpico0"],
  );
  const direct = plan([near, far], "host-gw");
  t.same(
    direct.routes.map(({ cidr }) => cidr),
    ["10.244.1.0/24"],
  );
  t.equal(direct.tunnel, undefined);
  t.match(direct.unreachable, ["node far (172.16.0.5) is behind the router 192.168.1.1: host-gw needs a shared link"]);
  t.end();
});

test("both ends derive the same addresses of a tunnel without telling each other", (t) => {
  const there = planRoutes({
    self: { name: "far", address: "172.16.0.5", podCidr: "10.244.2.0/24" },
    nodes: [peer("a", self.address, self.podCidr)],
    hostRoutes: [{ dst: "default", gateway: "172.16.0.1", dev: "ens3" }],
    backend: "auto",
    bridge: "pico0",
    clusterCidr: "10.244.0.0/16",
  }).tunnel!;
  const here = plan([far]).tunnel!;
  t.equal(there.vni, here.vni);
  t.match(here.peers, [{ overlay: there.overlay, mac: there.mac, address: there.local }]);
  t.match(there.peers, [{ overlay: here.overlay, mac: here.mac, address: here.local }]);
  t.end();
});

test("nodes that have nothing to route to, or claim what is another's, are left out", (t) => {
  const cases = [
    peer("no-cidr", "192.168.1.20"),
    node("no-address", { spec: { podCIDR: "10.244.9.0/24" } }),
    peer("mine", "192.168.1.21", self.podCidr),
    peer("same-address", self.address, "10.244.8.0/24"),
    peer("v6", "fd00::1", "10.244.7.0/24"),
    peer("z-late", "192.168.1.22", "10.244.1.0/24"),
    near,
  ];
  t.same(
    peersOf(cases, self).map(({ name }) => name),
    ["near"],
  );
  const lost = plan([far], "auto", hostRoutes.slice(1));
  t.same(lost.routes, []);
  t.same(lost.unreachable, ["no route to the address 172.16.0.5 of node far"]);
  t.end();
});

test("the longest prefix leads out", (t) => {
  for (const [address, dev, gateway] of [
    ["192.168.1.77", "eth0", undefined],
    ["192.168.9.9", "eth1", undefined],
    ["192.168.9.8", "eth0", "192.168.1.1"],
    ["255.1.1.1", "eth0", "192.168.1.1"],
  ] as const)
    t.match(nextHop(hostRoutes, address), { dev, gateway }, address);
  t.equal(nextHop([], "1.2.3.4"), undefined);
  t.end();
});

test("the tunnel is not its own underlay", (t) => {
  const routes = [...hostRoutes, { dst: "172.16.0.0/12", dev: "vxpico0" }];
  t.same(plan([far], "auto", routes).tunnel?.links, ["eth0"]);
  t.end();
});

test("names and numbers keep clusters apart", (t) => {
  t.equal(tunnelDeviceOf("pico0abc"), "vxpico0abc");
  t.match(tunnelDeviceOf("a-bridge-of-15c"), /^vx[0-9a-f]{8}$/);
  t.not(vniOf("10.244.0.0/16"), vniOf("10.245.0.0/16"));
  t.ok(vniOf("255.255.0.0/16") < 2 ** 24);
  t.end();
});
