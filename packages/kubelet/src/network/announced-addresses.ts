// Addresses of load balancers that this node announces: they are put on the loopback device, so that the kernel answers ARP
// for them on every link, and a packet from each makes neighbours forget where it was before. IPv4 only. Which addresses is
// the caller's affair; what arrives for them is kube-proxy's.

import { createSocket } from "node:dgram";
import { formatIpv4, parseIpv4 } from "./ipv4.js";
import { runCommand } from "./run-command.js";

const device = "lo";
const discardPort = 9;
/** A question to a neighbour that is not there is asked thrice by the kernel, a second apart. */
const neighboursAsked = 4;

/** By the label that ours carry, those of another cluster's kubelet on this machine are told apart. */
const labelOf = (bridge: string) => `${device}:${bridge}`.slice(0, 15);

const ip = (...args: string[]) => runCommand({ program: "ip", args });

interface ShownLink {
  readonly addr_info?: readonly { readonly local?: string; readonly label?: string }[];
}

/** The machine's IPv4 addresses, and which of them were put there for load balancers. */
export async function readAddresses(bridge: string): Promise<{ all: Set<string>; ours: Set<string> }> {
  const links = JSON.parse((await ip("-json", "-4", "address", "show")).trim() || "[]") as ShownLink[];
  const addresses = links.flatMap(({ addr_info }) => addr_info ?? []).filter(({ local }) => local !== undefined);
  const ours = addresses.filter(({ label }) => label === labelOf(bridge));
  return { all: new Set(addresses.map(({ local }) => local!)), ours: new Set(ours.map(({ local }) => local!)) };
}

/** What to put on and take off. An address that the machine has anyway needs nobody to announce it. Pure. */
export function planAnnouncements(
  wanted: ReadonlySet<string>,
  { all, ours }: { readonly all: ReadonlySet<string>; readonly ours: ReadonlySet<string> },
): { add: string[]; remove: string[] } {
  return {
    add: [...wanted].filter((address) => !all.has(address)),
    remove: [...ours].filter((address) => !wanted.has(address)),
  };
}

export async function addAddress(address: string, bridge: string): Promise<void> {
  await ip("address", "add", `${address}/32`, "dev", device, "scope", "host", "label", labelOf(bridge));
}

export async function removeAddress(address: string, bridge: string): Promise<void> {
  await ip("address", "delete", `${address}/32`, "dev", device, "label", labelOf(bridge));
}

/** Makes the kernel ask, in the address's name, for neighbours that nobody knows: all who hear the question learn where the
 *  address is now (what others send as gratuitous ARP). Never rejects: neighbours find out by themselves, only later. */
export async function tellNeighbours(address: string): Promise<void> {
  const socket = createSocket("udp4");
  socket.on("error", () => {});
  await new Promise<void>((done) => {
    socket.once("error", () => done());
    socket.bind({ address, port: 0 }, done);
  });
  const number = parseIpv4(address);
  const sent = Array.from({ length: neighboursAsked }, (_, i) => {
    // Beside it on both sides: 1, -1, 2, -2.
    const neighbour = formatIpv4((number + (i % 2 === 0 ? 1 : -1) * (1 + Math.floor(i / 2))) >>> 0);
    return new Promise<void>((done) => {
      try {
        socket.send("", discardPort, neighbour, () => done());
      } catch {
        done();
      }
    });
  });
  await Promise.all(sent);
  socket.close();
}

/** Takes off all of this cluster's. */
export async function forgetAddresses(bridge: string): Promise<void> {
  const { ours } = await readAddresses(bridge);
  for (const address of ours) await removeAddress(address, bridge);
}
