// Bare local VMs for tests: a network namespace with an address and a Docker Engine, and nothing of Kubernetes in it. What a
// machine is before it joins a cluster. Everything goes with the test.

import { execFile, spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { nthIp } from "@picokube/picokube/cluster/cidr";
import { lockMachine } from "@picokube/picokube/cluster/machine-lock";
import { probeHealth } from "@picokube/picokube/cluster/probe-health";
import { describeVm, insideVm, pathsOfVm, type Vm, type VmNetwork } from "@picokube/picokube/vms/vm";
import { engineSpec, writeEngineConfig } from "@picokube/picokube/vms/vm-engine";
import { ensureVmBridge, ensureVmLink, removeVmBridge, removeVmLink } from "@picokube/picokube/vms/vm-network";
import { freeVmCidr } from "@picokube/picokube/vms/vm-network-settings";
import { killProcessesOf, removeCgroups, unmountBelow } from "@picokube/picokube/vms/vm-processes";
import { eventually } from "@picokube/testing/eventually";

const execute = promisify(execFile);

export interface BareVm extends Vm {
  /** Of its engine. */
  readonly dockerSocket: string;
  /** Command words that run what follows inside it, with DOCKER_HOST at its engine. */
  readonly inside: readonly string[];
  /** Runs a command in it to its end; resolves with stdout, rejects with what it said. */
  run(command: readonly string[], options?: { env?: NodeJS.ProcessEnv; timeoutMs?: number }): Promise<string>;
  /** The engine and all that runs in the VM end at once; start boots it again. */
  powerOff(): Promise<void>;
  powerOn(): Promise<void>;
}

/** The host's address on the link. */
export const routerOf = ({ cidr }: VmNetwork) => nthIp(cidr, 1, "the test's network");

interface Test {
  teardown(fn: () => unknown): void;
}

/** A private link of the test's own; the host is its router and holds its first address. A test's second link has another tag. */
export async function createVmNetwork(t: Test, tag = ""): Promise<VmNetwork> {
  // A cluster that comes up beside this test chooses its range under the same lock.
  const unlock = await lockMachine();
  const network = { bridge: `vmt${process.pid}${tag}`, cidr: await freeVmCidr(import.meta.url) };
  await ensureVmBridge(network).finally(unlock);
  t.teardown(() => removeVmBridge(network));
  return network;
}

/** Lets machines on two links see one another's own addresses: the host routes between them, and translates nothing. */
export async function routeBetween(t: Test, a: VmNetwork, b: VmNetwork): Promise<void> {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const rule = ["POSTROUTING", "-s", from.cidr, "-d", to.cidr, "-j", "ACCEPT"];
    const nat = (verb: string) => execute("iptables", ["-w", "5", "-t", "nat", verb, ...rule]);
    await nat("-I");
    t.teardown(() => nat("-D"));
  }
}

/** Boots a VM with these images of the machine's own engine. */
export async function createBareVm(
  t: Test,
  network: VmNetwork,
  { name, number, images = [] }: { name: string; number: number; images?: string[] },
): Promise<BareVm> {
  const directory = mkdtempSync(join(tmpdir(), `picokube-vm-${name}-`));
  const vm = describeVm(network, { name, number, directory });
  const { socket, engine } = pathsOfVm(vm);
  const env = { DOCKER_HOST: `unix://${socket}` };

  async function powerOn(): Promise<void> {
    await ensureVmLink(network, vm, { hostAddress: routerOf(network) });
    const [command, ...args] = engineSpec(vm, "").argv;
    mkdirSync(engine, { recursive: true });
    const log = openSync(join(engine, "dockerd.log"), "a");
    spawn(command!, args, { stdio: ["ignore", log, log] });
    closeSync(log);
    await eventually(`the engine of ${name} answers`, async () => (await probeHealth(`unix://${socket}`)).ok);
  }

  t.teardown(async () => {
    await killProcessesOf(vm);
    await unmountBelow(directory);
    await removeVmLink(vm);
    removeCgroups(vm);
    rmSync(directory, { recursive: true, force: true });
  });
  writeEngineConfig(vm);
  await powerOn();
  if (images.length > 0) {
    const archive = join(directory, "images.tar");
    await execute("docker", ["save", "-o", archive, ...images]);
    await execute("docker", ["-H", env.DOCKER_HOST, "load", "-i", archive]);
    rmSync(archive);
  }
  return {
    ...vm,
    dockerSocket: socket,
    inside: [...insideVm(vm), "env", `DOCKER_HOST=${env.DOCKER_HOST}`],
    async run(command, { env: more = {}, timeoutMs = 120_000 } = {}) {
      const [program, ...args] = [...insideVm(vm), ...command];
      const options = { env: { ...process.env, ...env, ...more }, timeout: timeoutMs, maxBuffer: 1 << 26 };
      try {
        return (await execute(program!, args, options)).stdout;
      } catch (error) {
        const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
        throw new Error(`${command.join(" ")} failed in ${name}:\n${stdout}${stderr}`, { cause: error });
      }
    },
    async powerOff() {
      await killProcessesOf(vm);
    },
    powerOn,
  };
}
