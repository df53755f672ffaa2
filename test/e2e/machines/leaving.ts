// Story: a machine leaves when its pods may go, one goes by force while the cluster is away, and the first is reset: each is
// what it was before.

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import type { Machine } from "../harness/machine.js";
import type { Machines } from "../harness/machines.js";

/** Compares a machine with what it was when it was bare; by the address that it has now. */
async function isBare(
  t: Test,
  machine: Machine,
  { bare, address = machine.address }: { bare: readonly string[]; address?: string },
): Promise<void> {
  const before = bare.map((line) => line.replaceAll(machine.address, address)).sort();
  t.strictSame(await machine.state(), before, `${machine.name} is what it was`);
}

export interface Bare {
  readonly bare: readonly string[];
  readonly address?: string;
}

/** Resolves to how long the machine took to join again, in milliseconds. */
export async function leaving(t: Test, machines: Machines, was: Bare): Promise<number> {
  const { near, kubectl } = machines;
  await kubectl.run(["delete", "pod", "-l", "app=net", "--now"]);
  const budget = {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: "away" },
    spec: { minAvailable: 1, selector: { matchLabels: { app: "away" } } },
  };
  await kubectl.apply(JSON.stringify(budget));
  await eventually("the budget is known", async () =>
    /^1$/.test(await kubectl.run(["get", "pdb", "away", "-o", "jsonpath={.status.expectedPods}"])),
  );
  await t.rejects(
    near.picokube("leave", "--timeout=1s"),
    /not drained within 1 s: default\/away-\S+ \(Cannot evict pod as it would violate the pod's disruption budget/,
  );
  t.match(await kubectl.run(["get", "node", near.name, "--no-headers"]), /Ready,SchedulingDisabled/);
  await kubectl.run(["delete", "pdb", "away"]);
  t.match(await near.picokube("leave"), "The Node near is deleted");
  t.notMatch(await kubectl.run(["get", "nodes"]), near.name);
  await isBare(t, near, was);
  const againMs = await machines.join(near);
  t.notMatch(await kubectl.run(["get", "node", near.name, "--no-headers"]), "SchedulingDisabled", "a new Node");
  return againMs;
}

export async function goingByForce(t: Test, { first, far }: Machines, was: { first: Bare; far: Bare }): Promise<void> {
  await first.picokube("down");
  await t.rejects(far.picokube("leave"), /could not be told .*picokube leave --force cleans this machine/);
  t.match(await far.picokube("leave", "--force"), /kubectl delete node far/);
  await isBare(t, far, was.far);
  t.match(await first.picokube("reset"), /Every trace of the cluster .* is removed/);
  const personsOwn = join(first.directory, ".kube");
  t.notMatch(
    readFileSync(join(personsOwn, "config"), "utf8"),
    /server:|client-certificate/,
    "nothing of ours is in it",
  );
  rmSync(personsOwn, { recursive: true });
  await isBare(t, first, was.first);
}
