// The words of `picokube fault`: parses them and calls one command each.

import { ConfigError } from "@picokube/component-base/config-error";
import type { Command } from "commander";
import { delay, heal, kill, listFaults, partition } from "./fault.js";
import { dataDir } from "./shared-options.js";

interface Place {
  readonly dataDir: string;
}

/** Adds `fault partition|delay|kill|heal|list`. */
export function addFaultCommands(program: Command): void {
  const fault = program.command("fault").description("break local VMs and their links on purpose, and mend them");
  fault
    .command("partition <node> [peers...]")
    .description(
      "cut a VM off from everything, or from these nodes alone (this machine's name: from the control plane)",
    )
    .addOption(dataDir())
    .action((node: string, peers: string[], place: Place) => partition(node, peers, place));
  fault
    .command("delay <node> <milliseconds>")
    .description("make packets to a VM late, where the kernel has netem")
    .addOption(dataDir())
    .action((node: string, text: string, place: Place) => {
      const delayMs = Number(text);
      if (!Number.isInteger(delayMs) || delayMs < 1 || delayMs > 60_000)
        throw new ConfigError(`invalid delay "${text}": give milliseconds from 1 to 60000`);
      return delay(node, delayMs, place);
    });
  fault
    .command("kill <node> [component]")
    .description("kill one process of a node (kubelet, kube-proxy, dockerd, ...), or cut a VM's power")
    .addOption(dataDir())
    .action((node: string, component: string | undefined, place: Place) => kill(node, component, place));
  fault
    .command("heal [node]")
    .description("mend what was done to a VM, or to all: cable, cuts, delay, power")
    .addOption(dataDir())
    .action((node: string | undefined, place: Place) => heal(node, place));
  fault
    .command("list")
    .description("what is wrong with each VM")
    .addOption(dataDir())
    .action((place: Place) => listFaults(place));
}
