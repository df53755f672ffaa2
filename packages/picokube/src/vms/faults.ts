// Faults of local VMs' links, made and mended: a cable pulled out, two machines that no longer hear each other, a slow link.
// The kernel is the only record of them. Faults of processes are vm-lifecycle.ts's and the supervisor's.

import { ConfigError } from "@picokube/component-base/config-error";
import { run } from "./run.js";
import type { Vm } from "./vm.js";

/** One end of a cut between two machines; the host has no cable of its own. */
export type End = Vm | "host";

const chains = ["FORWARD", "INPUT", "OUTPUT"] as const;

/** Pulls the VM's cable out at the bridge: nothing comes, nothing goes, and the VM's routes stay. Throws ConfigError when it
 *  has none. */
export async function pullCable(vm: Vm): Promise<void> {
  await requireCable(vm);
  await run("ip", ["link", "set", vm.cable, "down"]);
}

/** The bridge's rules that keep two machines apart: frames are dropped, as a switch that fails does. */
export function cutRules(a: Vm, b: End): string[][] {
  if (b === "host")
    return [
      ["INPUT", "-i", a.cable, "-j", "DROP"],
      ["OUTPUT", "-o", a.cable, "-j", "DROP"],
    ];
  return [
    ["FORWARD", "-i", a.cable, "-o", b.cable, "-j", "DROP"],
    ["FORWARD", "-i", b.cable, "-o", a.cable, "-j", "DROP"],
  ];
}

/** Cuts the way between two machines; ways to others stay. The host is also the VMs' way to the world. Throws ConfigError
 *  when one has no cable, or this machine no ebtables. */
export async function cutBetween(a: Vm, b: End): Promise<void> {
  for (const end of [a, b]) if (end !== "host") await requireCable(end);
  const held = await rulesOf(a);
  for (const rule of cutRules(a, b)) {
    if (held.some((each) => each.join(" ") === rule.join(" "))) continue;
    await run("ebtables", ["-A", ...rule]).catch((error: Error) => {
      if (!isMissing(error)) throw error;
      throw new ConfigError("cutting machines apart needs ebtables on this machine (Debian: iptables)", {
        cause: error,
      });
    });
  }
}

/** Makes every packet to the VM late. Throws with what to do when this kernel cannot. */
export async function delayLink(vm: Vm, delayMs: number): Promise<void> {
  await requireCable(vm);
  await run("tc", ["qdisc", "replace", "dev", vm.cable, "root", "netem", "delay", `${delayMs}ms`]).catch(
    (error: Error) => {
      if (!/qdisc kind is unknown|No such file/.test(error.message)) throw error;
      throw new Error(
        "this kernel cannot delay packets: it has no netem (CONFIG_NET_SCH_NETEM; modprobe sch_netem where it is a module)",
        { cause: error },
      );
    },
  );
}

/** Mends everything that was done to the VM's link. */
export async function mendLink(vm: Vm): Promise<void> {
  for (const rule of await rulesOf(vm)) await run("ebtables", ["-D", ...rule]);
  const { cable, qdisc } = await linkOf(vm);
  if (qdisc === "netem") await run("tc", ["qdisc", "delete", "dev", vm.cable, "root"]);
  if (cable === "out") await run("ip", ["link", "set", vm.cable, "up"]);
}

/** The faults of the VM's link, in words; none when it is whole. */
export async function linkFaults(vm: Vm, others: readonly Vm[]): Promise<string[]> {
  const { cable, qdisc } = await linkOf(vm);
  const nameOf = (link: string) => others.find((other) => other.cable === link)?.name ?? link;
  const cuts = (await rulesOf(vm)).flatMap((rule) => {
    if (rule[0] === "OUTPUT") return [];
    if (rule[0] === "INPUT") return ["cut off from the host"];
    return rule[2] === vm.cable ? [`cut off from ${nameOf(rule[4]!)}`] : [];
  });
  return [
    ...(cable === "out" ? ["its cable is out"] : []),
    ...(qdisc === "netem" ? ["its link is slow"] : []),
    ...cuts,
  ];
}

/** A VM has its cable from its first boot on; only this machine's own reboot takes it. */
async function requireCable(vm: Vm): Promise<void> {
  if ((await linkOf(vm)).cable === "none")
    throw new ConfigError(`${vm.name} has no link to break: picokube fault heal ${vm.name} boots it`);
}

/** The program itself is not there. */
const isMissing = ({ cause }: Error) => (cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT";

/** The bridge's rules that name the VM's cable; none where no ebtables can have made any. */
async function rulesOf({ cable }: Vm): Promise<string[][]> {
  const found: string[][] = [];
  for (const chain of chains) {
    const shown = await run("ebtables", ["-L", chain]).catch((error: Error) => {
      if (!isMissing(error)) throw error;
      return "";
    });
    for (const line of shown.split("\n")) {
      const words = line.trim().split(/\s+/);
      if (words.includes(cable)) found.push([chain, ...words]);
    }
  }
  return found;
}

async function linkOf({ cable }: Vm): Promise<{ cable: "in" | "out" | "none"; qdisc: string }> {
  const shown = await run("ip", ["-json", "link", "show", "dev", cable]).catch(() => "[]");
  const [link] = JSON.parse(shown) as { flags: string[]; qdisc: string }[];
  return { cable: !link ? "none" : link.flags.includes("UP") ? "in" : "out", qdisc: link?.qdisc ?? "" };
}
