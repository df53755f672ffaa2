// The private link of local VMs: a bridge on the host, a namespace and a cable a VM, and the rules that let the link's
// traffic through the host and out to the world. Removes what it made; knows nothing of what runs in a VM.

import { existsSync, writeFileSync } from "node:fs";
import { nthIp, parseCidr } from "../cluster/cidr.js";
import { run } from "./run.js";
import { insideVm, pathsOfVm, type Vm, type VmNetwork } from "./vm.js";

const flag = "the VMs' network";
const iptables = (...args: string[]) => run("iptables", ["-w", "5", ...args]);

/** The link's rules on the host: table, chain and match. What is bridged also runs through FORWARD where br_netfilter is loaded. */
export function linkRules({ bridge, cidr }: VmNetwork): { table: string; rule: string[] }[] {
  const comment = ["-m", "comment", "--comment", "picokube: local VMs"];
  return [
    // Docker's policy there is DROP.
    { table: "filter", rule: ["FORWARD", "-i", bridge, ...comment, "-j", "ACCEPT"] },
    { table: "filter", rule: ["FORWARD", "-o", bridge, ...comment, "-j", "ACCEPT"] },
    { table: "nat", rule: ["POSTROUTING", "-s", cidr, "!", "-o", bridge, ...comment, "-j", "MASQUERADE"] },
  ];
}

/** Makes bridge and rules, or what is missing of them. */
export async function ensureVmBridge(network: VmNetwork): Promise<void> {
  const { bridge, cidr } = network;
  const prefixLength = parseCidr(cidr, flag).prefixLength;
  if (!(await linkExists(bridge))) await run("ip", ["link", "add", bridge, "type", "bridge", "forward_delay", "0"]);
  await run("ip", ["address", "replace", `${nthIp(cidr, 1, flag)}/${prefixLength}`, "dev", bridge]);
  await run("ip", ["link", "set", bridge, "up"]);
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  for (const { table, rule } of linkRules(network))
    await iptables("-t", table, "-C", ...rule).catch(() => iptables("-t", table, "-I", ...rule));
}

/** Makes the VM's namespace with its address and its ways, or what is missing of them. Other nodes' addresses that the host
 *  holds (its own InternalIP) are neighbours on the link too. */
export async function ensureVmLink(
  network: VmNetwork,
  vm: Vm,
  { hostAddress }: { hostAddress: string },
): Promise<void> {
  const { bridge, cidr } = network;
  const inside = (...args: string[]) => ipInside(vm, args);
  if (!existsSync(pathsOfVm(vm).namespace)) await run("ip", ["netns", "add", vm.namespace]);
  if (!(await linkExists(vm.cable)))
    await run("ip", ["link", "add", vm.cable, "type", "veth", "peer", "name", "eth0", "netns", vm.namespace]);
  await run("ip", ["link", "set", vm.cable, "master", bridge, "up"]);
  await inside("link", "set", "lo", "up");
  await inside("address", "replace", `${vm.address}/${parseCidr(cidr, flag).prefixLength}`, "dev", "eth0");
  await inside("link", "set", "eth0", "up");
  await routeToHost(network, vm, { hostAddress });
  await inside("route", "replace", "default", "via", nthIp(cidr, 1, flag));
}

/** Makes the host's own address a neighbour of the VM's, and forgets one that the host had before. */
export async function routeToHost(
  { cidr }: VmNetwork,
  vm: Vm,
  { hostAddress }: { hostAddress: string },
): Promise<void> {
  const ours = ["dev", "eth0", "scope", "link", "proto", "boot"];
  await ipInside(vm, ["route", "flush", ...ours]);
  if (hostAddress !== nthIp(cidr, 1, flag)) await ipInside(vm, ["route", "replace", `${hostAddress}/32`, ...ours]);
}

function ipInside(vm: Vm, args: readonly string[]): Promise<string> {
  const [program, ...words] = [...insideVm(vm), "ip", ...args];
  return run(program!, words);
}

/** Removes the VM's cable and namespace; what is not there is no fault. */
export async function removeVmLink(vm: Vm): Promise<void> {
  if (await linkExists(vm.cable)) await run("ip", ["link", "delete", vm.cable]);
  if (existsSync(pathsOfVm(vm).namespace)) await run("ip", ["netns", "delete", vm.namespace]);
}

/** Removes bridge and rules; what is not there is no fault. */
export async function removeVmBridge(network: VmNetwork): Promise<void> {
  for (const { table, rule } of linkRules(network)) await iptables("-t", table, "-D", ...rule).catch(() => undefined);
  if (await linkExists(network.bridge)) await run("ip", ["link", "delete", network.bridge]);
}

async function linkExists(name: string): Promise<boolean> {
  return run("ip", ["link", "show", "dev", name]).then(
    () => true,
    () => false,
  );
}
