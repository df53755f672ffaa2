// A VM's Docker Engine: its configuration file and its command line. Everything of it lies in the VM's directory, so that
// engines beside one another share nothing. Starts nothing.

import { mkdirSync } from "node:fs";
import { writeFileWhole } from "../cluster/cluster.js";
import type { ComponentSpec } from "../cluster/components.js";
import { insideVm, pathsOfVm, type Vm } from "./vm.js";

/** dockerd's daemon.json: of its own, for the host's would name the host's directories. */
export function engineConfig(vm: Vm): object {
  const { socket, pidFile, dataRoot, execRoot } = pathsOfVm(vm);
  return {
    hosts: [`unix://${socket}`],
    pidfile: pidFile,
    "data-root": dataRoot,
    "exec-root": execRoot,
    // All engines share the machine's cgroup tree.
    "cgroup-parent": vm.cgroup,
    "exec-opts": ["native.cgroupdriver=cgroupfs"],
    "log-level": "warn",
    "shutdown-timeout": 5,
    "registry-mirrors": vm.registryMirrors,
  };
}

export function writeEngineConfig(vm: Vm): void {
  const { engine, engineConfig: path } = pathsOfVm(vm);
  mkdirSync(engine, { recursive: true });
  writeFileWhole(path, `${JSON.stringify(engineConfig(vm), null, 2)}\n`);
}

/** How the engine is started: pid files of a killed one are removed first, for their numbers may be somebody else's by now. */
export function engineSpec(vm: Vm, logFile: string): ComponentSpec {
  const { engineConfig: path, pidFile, execRoot, socket } = pathsOfVm(vm);
  const stale = [pidFile, `${execRoot}/containerd/containerd.pid`];
  const start = ["exec", ...insideVm(vm), "dockerd", `--config-file=${path}`];
  return {
    name: "dockerd",
    argv: ["sh", "-c", `rm -f ${stale.map(quoted).join(" ")} && ${start.map(quoted).join(" ")}`],
    logFile,
    healthUrl: `unix://${socket}`,
  };
}

const quoted = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
