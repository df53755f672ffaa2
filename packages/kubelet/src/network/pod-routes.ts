// Makes the machine's routes, tunnel device, neighbours and forwarding entries what routes-plan.ts says. Touches only routes
// with our protocol number inside the cluster's range, and the tunnel device. What is right already is not touched, so that
// a restarted kubelet disturbs no flow.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type HostRoute, type RoutesPlan, type Tunnel, tunnelDeviceOf, tunnelOverheadBytes } from "./routes-plan.js";
import { runCommand } from "./run-command.js";

/** Who made a route, for `ip route show proto 113`: none of the numbers that iproute2 knows by name. */
const routeProtocol = 113;
/** The kernel's and flannel's; IANA's 4789 is what Docker's swarm listens on. */
const vxlanPort = 8472;

const ip = (...args: string[]) => runCommand({ program: "ip", args });
const batch = (program: "ip" | "bridge", lines: readonly string[]) =>
  lines.length === 0
    ? Promise.resolve("")
    : runCommand({ program, args: ["-batch", "-"], input: `${lines.join("\n")}\n` });

async function shown<T>(program: "ip" | "bridge", ...args: string[]): Promise<T[]> {
  const text = await runCommand({ program, args: ["-json", ...args] });
  return JSON.parse(text.trim() || "[]") as T[];
}

/** The machine's routes without ours. */
export async function readHostRoutes(): Promise<HostRoute[]> {
  const all = await shown<HostRoute & { protocol?: string }>("ip", "-4", "route", "show");
  return all.filter(({ protocol }) => protocol !== String(routeProtocol));
}

export interface RoutesPlace {
  readonly bridge: string;
  readonly clusterCidr: string;
}

/** Carries the plan out; resolves to how many entries it changed. */
export async function applyRoutes(plan: RoutesPlan, { bridge, clusterCidr }: RoutesPlace): Promise<number> {
  const tunnelChanges = await applyTunnel(plan.tunnel, tunnelDeviceOf(bridge));
  const present = await ownRoutes(clusterCidr);
  const key = ({ cidr, via, dev }: { cidr: string; via: string; dev: string }) => `${cidr} via ${via} dev ${dev}`;
  const held = new Set(present.map(key));
  const wanted = new Set(plan.routes.map(({ cidr }) => cidr));
  const lines = [
    ...present.filter(({ cidr }) => !wanted.has(cidr)).map(({ cidr }) => `route del ${cidr} proto ${routeProtocol}`),
    ...plan.routes
      .filter((route) => !held.has(key(route)))
      .map((route) => {
        const onlink = route.dev === plan.tunnel?.device ? " onlink" : "";
        return `route replace ${key(route)}${onlink} proto ${routeProtocol}`;
      }),
  ];
  await batch("ip", lines);
  return tunnelChanges + lines.length;
}

const rangeFile = (directory: string, bridge: string) => join(directory, `${bridge}.routes`);

/** Writes down in which range this kubelet makes routes: what removes them may run without its flags. */
export function rememberRoutes({ bridge, clusterCidr }: RoutesPlace, directory: string): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(rangeFile(directory, bridge), `${clusterCidr}\n`);
}

/** Removes the routes and the tunnel of a kubelet that wrote them down; what is not there is no fault. */
export async function forgetRoutes({ bridge, directory }: { bridge: string; directory: string }): Promise<void> {
  const file = rangeFile(directory, bridge);
  if (!existsSync(file)) return;
  const clusterCidr = readFileSync(file, "utf8").trim();
  await applyRoutes({ routes: [], tunnel: undefined, unreachable: [] }, { bridge, clusterCidr });
  rmSync(file);
}

async function ownRoutes(clusterCidr: string): Promise<{ cidr: string; via: string; dev: string }[]> {
  const args = ["-4", "route", "show", "root", clusterCidr, "proto", String(routeProtocol)];
  const routes = await shown<{ dst: string; gateway?: string; dev: string }>("ip", ...args);
  return routes.map(({ dst, gateway = "", dev }) => ({
    cidr: dst.includes("/") ? dst : `${dst}/32`,
    via: gateway,
    dev,
  }));
}

interface LinkDetails {
  readonly mtu: number;
  readonly address: string;
  readonly flags: readonly string[];
  readonly linkinfo?: { readonly info_data?: { id?: number; local?: string; port?: number } };
}

async function applyTunnel(tunnel: Tunnel | undefined, device: string): Promise<number> {
  const [link] = await shown<LinkDetails>("ip", "-details", "link", "show", "dev", device).catch(() => []);
  if (!tunnel) {
    if (link) await ip("link", "delete", device);
    return link ? 1 : 0;
  }
  const mtu = Math.min(...(await Promise.all(tunnel.links.map(mtuOf)))) - tunnelOverheadBytes;
  const made = await ensureDevice(tunnel, { link, mtu });
  return made + (await applyNeighbours(tunnel)) + (await applyForwarding(tunnel));
}

async function mtuOf(dev: string): Promise<number> {
  const [link] = await shown<{ mtu: number }>("ip", "link", "show", "dev", dev);
  return link?.mtu ?? 1500;
}

async function ensureDevice(
  { device, vni, mac, overlay, local }: Tunnel,
  { link, mtu }: { link: LinkDetails | undefined; mtu: number },
): Promise<number> {
  const held = link?.linkinfo?.info_data;
  const fits = held?.id === vni && held.local === local && held.port === vxlanPort && link?.address === mac;
  if (fits && link?.mtu === mtu && link.flags.includes("UP")) return 0;
  await batch("ip", [
    ...(link && !fits ? [`link delete ${device}`] : []),
    // Without the outer UDP checksum, as RFC 7348 recommends: where a packet that was translated on its way is also left for
    // the card to check-sum, some drivers and kernels fill in a wrong one and the other side drops it (flannel's trap of
    // tx-checksum-ip-generic). The inner packets have checksums of their own.
    ...(fits
      ? []
      : [
          `link add ${device} address ${mac} mtu ${mtu} type vxlan id ${vni} local ${local} dstport ${vxlanPort} nolearning noudpcsum`,
        ]),
    `link set ${device} mtu ${mtu}`,
    `address replace ${overlay}/32 dev ${device}`,
    `link set ${device} up`,
  ]);
  return 1;
}

async function applyNeighbours({ device, peers }: Tunnel): Promise<number> {
  const present = await shown<{ dst: string; lladdr?: string }>(
    "ip",
    "-4",
    "neigh",
    "show",
    "dev",
    device,
    "nud",
    "permanent",
  );
  const wanted = new Map(peers.map(({ overlay, mac }) => [overlay, mac]));
  const held = new Map(present.map(({ dst, lladdr }) => [dst, lladdr]));
  const lines = [
    ...present.filter(({ dst }) => !wanted.has(dst)).map(({ dst }) => `neigh del ${dst} dev ${device}`),
    ...[...wanted]
      .filter(([overlay, mac]) => held.get(overlay) !== mac)
      .map(([overlay, mac]) => `neigh replace ${overlay} lladdr ${mac} dev ${device} nud permanent`),
  ];
  await batch("ip", lines);
  return lines.length;
}

async function applyForwarding({ device, peers }: Tunnel): Promise<number> {
  const shownEntries = await shown<{ mac: string; dst?: string }>("bridge", "fdb", "show", "dev", device);
  const present = shownEntries.flatMap(({ mac, dst }) => (dst === undefined ? [] : [{ mac, dst }]));
  const wanted = new Map(peers.map(({ mac, address }) => [mac, address]));
  const held = new Map(present.map(({ mac, dst }) => [mac, dst]));
  const lines = [
    ...present.filter(({ mac }) => !wanted.has(mac)).map(({ mac, dst }) => `fdb del ${mac} dev ${device} dst ${dst}`),
    ...[...wanted]
      .filter(([mac, address]) => held.get(mac) !== address)
      .map(([mac, address]) => `fdb replace ${mac} dev ${device} dst ${address}`),
  ];
  await batch("bridge", lines);
  return lines.length;
}
