// Three machines of which nothing is known to each other: two on one link, the third behind a router. What stories of joining
// share.

import { join } from "node:path";
import type { VmNetwork } from "@picokube/picokube/vms/vm";
import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import { type Kubectl, kubectlFor } from "./kubectl.js";
import { type Machine, machineOn } from "./machine.js";
import { createBareVm, createVmNetwork, routeBetween } from "./vms.js";

export interface Machines {
  /** Has the control plane once it is up. */
  readonly first: Machine;
  /** On its link. */
  readonly near: Machine;
  /** Behind a router. */
  readonly far: Machine;
  readonly lan: VmNetwork;
  /** As the first machine's administrator, in the namespace default. */
  readonly kubectl: Kubectl;
  /** The words of a line by which a machine joins, without "picokube". */
  joinWords(): Promise<string[]>;
  /** Joins it by that line; resolves to how long it took until its Node was Ready, in milliseconds. */
  join(machine: Machine): Promise<number>;
  isReady(machine: Machine): Promise<boolean>;
}

/** Bare machines, with these images on their engines. They go with the test, whatever they have become. */
export async function createMachines(t: Test, { images }: { images: string[] }): Promise<Machines> {
  const lan = await createVmNetwork(t);
  const beyond = await createVmNetwork(t, "b");
  await routeBetween(t, lan, beyond);
  const [first, near, far] = (await Promise.all([
    createBareVm(t, lan, { name: "first", number: 2, images }).then(machineOn),
    createBareVm(t, lan, { name: "near", number: 3, images }).then(machineOn),
    createBareVm(t, beyond, { name: "far", number: 2, images }).then(machineOn),
  ])) as [Machine, Machine, Machine];
  const kubectl = kubectlFor({ kubeconfig: join(first.dataDir, "admin.kubeconfig") }, "default");
  const isReady = async ({ name }: Machine) =>
    / Ready\b/.test(await kubectl.run(["get", "node", name, "--no-headers"]));
  const joinWords = async () =>
    (await first.picokube("token", "create", "--print-join-command")).trim().split(" ").slice(1);
  return {
    first,
    near,
    far,
    lan,
    kubectl,
    joinWords,
    async join(machine) {
      const words = await joinWords();
      const startedAt = Date.now();
      await machine.begin(...words);
      const tookMs = Date.now() - startedAt;
      await eventually(`${machine.name} is Ready`, () => isReady(machine));
      return tookMs;
    },
    isReady,
  };
}
