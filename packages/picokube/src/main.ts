// The picokube command line: parses words, calls one command, turns failures into one clear line.

import { ConfigError } from "@picokube/component-base/config-error";
import { Command } from "commander";
import pc from "picocolors";
import { type ComponentName, componentNames } from "./cluster/cluster.js";
import { checkCerts, listCerts, renewCerts } from "./commands/certs.js";
import { type AddressChange, changeAddress } from "./commands/change-address.js";
import { down } from "./commands/down.js";
import { addFaultCommands } from "./commands/fault-commands.js";
import { loadImages } from "./commands/image.js";
import { addJoinCommands } from "./commands/join-commands.js";
import { addNodeCommands } from "./commands/node-commands.js";
import { reset } from "./commands/reset.js";
import { dataDir, registryMirror } from "./commands/shared-options.js";
import { status } from "./commands/status.js";
import { addTokenCommands } from "./commands/token-commands.js";
import { up } from "./commands/up.js";
import { runSupervisor } from "./supervisor/supervise-command.js";

const program = new Command("picokube")
  .description("Brings a small, real Kubernetes up on this machine, and down again.")
  .showHelpAfterError("(picokube --help lists the commands)");

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new ConfigError(`invalid argument "${text}" for "--secure-port": a port is a number from 1 to 65535`);
  return port;
}

function nodeCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 250)
    throw new ConfigError(`invalid argument "${text}" for "--nodes": give a number from 1 to 250`);
  return count;
}

const upCommand = program
  .command("up")
  .description("start the cluster; make it first if there is none; idempotent")
  .addOption(dataDir())
  .option("--secure-port <port>", "port of the API server (default 6443, or the next one free)", portNumber)
  .option("--service-cidr <cidr>", "range of Service addresses (default 10.96.0.0/16)")
  .option("--pod-cidr <cidr>", "range of pod addresses, a /24 a node (default 10.244.0.0/16)")
  .option("--cluster-domain <domain>", "DNS domain of the cluster (default cluster.local)")
  .option("--node-name <name>", "name of this machine's Node (default: the host name)")
  .option("--node-ip <address>", "address of this machine (default: that of the default route)")
  .option("--nodes <count>", "have at least so many nodes: this machine, and local VMs beside it", nodeCount)
  .addOption(registryMirror())
  .option("--control-plane-only", "run no kubelet, kube-proxy and DNS on this machine", false);
for (const name of componentNames)
  upCommand.option(
    `--${name}-arg <flag=value>`,
    `an extra flag for ${name}; may be repeated`,
    (word: string, before: string[] = []) => [...before, word],
  );
upCommand.action(async (options: Record<string, never>) => {
  const componentArgs: Partial<Record<ComponentName, readonly string[]>> = {};
  for (const name of componentNames) {
    const given = options[`${name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())}Arg`] as
      | string[]
      | undefined;
    if (given) componentArgs[name] = given;
  }
  const { registryMirror: registryMirrors, ...flags } = options as object as {
    dataDir: string;
    controlPlaneOnly: boolean;
    registryMirror?: string[];
  };
  await up({ ...flags, ...(registryMirrors ? { registryMirrors } : {}), componentArgs });
});

program
  .command("down")
  .description("stop the processes; data and pods stay")
  .addOption(dataDir())
  .action(({ dataDir }: { dataDir: string }) => down(dataDir));
program
  .command("reset")
  .description("stop everything and remove every trace: containers, rules, bridges, mounts, files")
  .addOption(dataDir())
  .action(({ dataDir }: { dataDir: string }) => reset(dataDir));
program
  .command("status")
  .description("show each process: pid, uptime, memory, health, log file")
  .addOption(dataDir())
  .action(async ({ dataDir }: { dataDir: string }) => {
    if (!(await status(dataDir))) process.exitCode = 1;
  });
const certs = program.command("certs").description("show, check and renew certificates");
certs
  .command("list")
  .description("a row a certificate: until when it holds, who signed it, what is wrong")
  .addOption(dataDir())
  .action(({ dataDir }: { dataDir: string }) => listCerts(dataDir));
certs
  .command("check")
  .description("say what is wrong with each certificate and this machine's addresses; exit code 1 when something is")
  .addOption(dataDir())
  .action(async ({ dataDir }: { dataDir: string }) => {
    if (!(await checkCerts(dataDir))) process.exitCode = 1;
  });
certs
  .command("renew [names...]")
  .description("issue these certificates anew, or all; the cluster runs on meanwhile")
  .option("--node-ip <address>", 'this machine\'s new address, or "detect": certificates and kubeconfigs get it too')
  .option("--server <url>", "on a machine that joined: where the API server is now")
  .addOption(dataDir())
  .action((names: string[], { dataDir, ...change }: { dataDir: string } & AddressChange) =>
    change.nodeIp === undefined && change.server === undefined
      ? renewCerts(dataDir, names)
      : changeAddress(dataDir, change),
  );
addNodeCommands(program);
addFaultCommands(program);
program
  .command("image")
  .description("images on the nodes' engines")
  .command("load <images...>")
  .description(
    "bring images of this machine's engine, or archives of docker save, to the cluster's nodes on this machine",
  )
  .option("--nodes <names...>", "these nodes alone")
  .addOption(dataDir())
  .action((images: string[], flags: { dataDir: string; nodes?: string[] }) => loadImages(images, flags));
addTokenCommands(program);
addJoinCommands(program);
program
  .command("supervise", { hidden: true })
  .addOption(dataDir())
  .option("--node <name>")
  .action((options: { dataDir: string; node?: string }) => runSupervisor(options));

try {
  await program.parseAsync();
} catch (error) {
  console.error(`${pc.red("error:")} ${(error as Error).message}`);
  process.exit(1);
}
// Idle connections of the client must not hold a finished command.
process.exit();
