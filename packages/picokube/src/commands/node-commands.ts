// The words of `picokube node`: parses them and calls one command each.

import type { Command } from "commander";
import { addNode, listNodes, removeNode, shellIn, startNode, stopNode } from "./node.js";
import { dataDir, registryMirror } from "./shared-options.js";

interface Place {
  readonly dataDir: string;
}

/** Adds `node list|add|start|stop|remove|shell`. */
export function addNodeCommands(program: Command): void {
  const node = program
    .command("node")
    .description("local VMs: nodes of the cluster on this machine, each with its own engine");
  node
    .command("list")
    .description("a row a node: where it runs, its address, whether it is on and Ready")
    .addOption(dataDir())
    .action(({ dataDir }: Place) => listNodes(dataDir));
  node
    .command("add [name]")
    .description("make and boot a VM, and wait until its Node is Ready")
    .addOption(dataDir())
    .addOption(registryMirror())
    .action((name: string | undefined, flags: Place & { registryMirror?: string[] }) =>
      addNode(name, { dataDir: flags.dataDir, registryMirrors: flags.registryMirror ?? [] }),
    );
  node
    .command("start <name>")
    .description("boot a VM that is off")
    .addOption(dataDir())
    .action((name: string, { dataDir }: Place) => startNode(name, dataDir));
  node
    .command("stop <name>")
    .description("shut a VM down; its disk and its Node stay")
    .option("--force", "cut the power: nothing ends in order", false)
    .addOption(dataDir())
    .action((name: string, flags: Place & { force: boolean }) => stopNode(name, flags));
  node
    .command("remove <name>")
    .description("delete the Node and the VM with its containers and images (kubectl drain it first to go gently)")
    .addOption(dataDir())
    .action((name: string, { dataDir }: Place) => removeNode(name, dataDir));
  node
    .command("shell <name> [command...]")
    .description("a shell or a command inside the VM, where docker means the VM's engine")
    .addOption(dataDir())
    .action(async (name: string, command: string[], { dataDir }: Place) => {
      process.exitCode = await shellIn(name, { dataDir, command });
    });
}
