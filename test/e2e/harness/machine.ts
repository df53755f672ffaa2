// A bare VM with picokube's commands on it, as a person would type them there: a first machine, or one that joins it. And what
// a cluster could leave behind in it.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { processesOf } from "@picokube/picokube/vms/vm-processes";
import { picokube } from "./cluster.js";
import type { BareVm } from "./vms.js";

export interface Machine extends BareVm {
  readonly dataDir: string;
  /** Resolves with what the CLI printed, rejects with what it said. */
  picokube(...args: string[]): Promise<string>;
  /** `picokube up` or the words of a join line, with this machine's name and engine; flags given here win. */
  begin(...words: string[]): Promise<string>;
  /** Its containers, rules, links, addresses, routes, mounts, cgroups, processes and files, a line each. */
  state(): Promise<string[]>;
}

/** The machine's Node has the VM's name. */
export function machineOn(vm: BareVm): Machine {
  const dataDir = join(vm.directory, "picokube");
  const env = { HOME: vm.directory };
  const run = (...args: string[]) => vm.run([process.execPath, picokube, ...args], { env, timeoutMs: 300_000 });
  const place = `--data-dir=${dataDir}`;
  const engine = [`docker-endpoint=unix://${vm.dockerSocket}`, `cgroup-root=${vm.cgroup}`];
  const own = [`--node-name=${vm.name}`, ...engine.flatMap((argument) => ["--kubelet-arg", argument]), place];
  return {
    ...vm,
    dataDir,
    picokube: (...args) => run(...args, place),
    begin: (verb = "", ...words) => run(verb, ...own, ...words),
    state: () => stateOf(vm),
  };
}

async function stateOf(vm: BareVm): Promise<string[]> {
  const lines = async (...command: string[]) => (await vm.run(command)).split("\n").filter(Boolean);
  const rules = async (save: string) => {
    let table = "";
    return (await lines(save)).flatMap((line) => {
      if (line.startsWith("*")) table = line;
      // Chains of the kernel's own come with the first look at their table.
      return /^-A|^:\S+ - /.test(line) ? [`${save} ${table} ${line.replace(/ \[\d+:\d+\]$/, "")}`] : [];
    });
  };
  return [
    ...(await lines("docker", "ps", "-a", "--format", "container {{.Names}}")),
    ...(await rules("iptables-save")),
    ...(await rules("ip6tables-save")),
    ...(await lines("ip", "-o", "link")).map((line) => `link ${line.split(":")[1]}`),
    ...(await lines("ip", "-o", "-4", "address")).map((line) => `address ${line.split(/\s+/).slice(1, 4).join(" ")}`),
    ...(await lines("ip", "-4", "route")).map((line) => `route ${line.trim()}`),
    ...(await lines("ip", "rule")).map((line) => `rule ${line}`),
    ...readFileSync("/proc/mounts", "utf8")
      .split("\n")
      .filter((line) => line.includes(`${vm.directory}/`))
      .map((line) => `mount ${line.split(" ")[1]}`),
    ...cgroupsOf(vm.cgroup).map((path) => `cgroup ${path}`),
    ...processesOf(vm).map((pid) => `process ${programOf(pid)}`),
    ...filesOf(vm.directory).map((path) => `file ${path}`),
  ].sort();
}

function programOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "(ended)";
  }
}

function cgroupsOf(name: string): string[] {
  const mount = "/sys/fs/cgroup";
  const trees = existsSync(join(mount, "cgroup.controllers")) ? [mount] : readdirSync(mount).map((c) => join(mount, c));
  return trees.flatMap((tree) => foldersBelow(join(tree, name)));
}

function foldersBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const children = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return children.flatMap(({ name }) => [join(folder, name), ...foldersBelow(join(folder, name))]);
}

/** The engine's own disk is the engine's. */
function filesOf(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    if (name === "engine") return [];
    return statSync(path).isDirectory() ? [path, ...filesOf(path)] : [path];
  });
}
