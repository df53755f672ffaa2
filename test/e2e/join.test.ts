// Machines that join a cluster, work in it, reboot, change address, leave and join again: bare VMs with engines of their own,
// the first machine too. The stories of machines/ share them and are told in order. Figures are printed, never asserted.

import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { createMachines } from "./harness/machines.js";
import { firstMoves, workerMoves } from "./machines/changed-addresses.js";
import { joining } from "./machines/joining.js";
import { goingByForce, leaving } from "./machines/leaving.js";
import { podNetwork } from "./machines/pod-network.js";
import { wrongLines } from "./machines/wrong-lines.js";

test("A2 F6 H1 machines join by one line, work, reboot, move, leave and join again", async (t) => {
  const machines = await createMachines(t, { images: ["busybox"] });
  const { first, near, far, kubectl } = machines;
  const bare = new Map(await Promise.all([first, near, far].map(async (each) => [each, await each.state()] as const)));
  await first.begin("up");

  await t.test("what is wrong with a line is said", (t) => wrongLines(t, machines));
  const times: number[] = [];
  await t.test("two machines join, and pods, Services, DNS, logs and exec work there", async (t) => {
    times.push(...(await joining(t, machines)));
  });
  await t.test("F6 pods reach one another directly or through tunnels", (t) => podNetwork(t, machines));
  await t.test("a reboot ends nothing for good", async (t) => {
    await near.powerOff();
    await near.powerOn();
    t.match(await near.picokube("up"), /The node near of the cluster at https:.* is up/);
    await eventually("the node is Ready", () => machines.isReady(near));
    await eventually("its pods run again", async () => {
      const wait = [
        "wait",
        "pod",
        "--field-selector=spec.nodeName=near",
        "--for=condition=Ready",
        "--timeout=5s",
        "--all",
      ];
      await kubectl.run(wait);
      return (await kubectl.run(["exec", "deployment/away", "--", "echo", "here"])) === "here\n";
    });
  });
  const moved = { near: near.address, first: first.address };
  await t.test("a joined machine's address changes", async (t) => {
    moved.near = await workerMoves(t, machines);
  });
  await t.test("the first machine's address changes", async (t) => {
    moved.first = await firstMoves(t, machines);
  });
  await t.test("one leaves when its pods may go, nothing of it stays, and it joins again", async (t) => {
    times.push(await leaving(t, machines, { bare: bare.get(near)!, address: moved.near }));
  });
  await t.test("one goes by force while the cluster is away, and the first is reset", (t) =>
    goingByForce(t, machines, {
      first: { bare: bare.get(first)!, address: moved.first },
      far: { bare: bare.get(far)! },
    }),
  );
  const [median = 0] = times.toSorted((a, b) => a - b).slice(Math.floor(times.length / 2));
  t.comment(`from the line to a Ready node: median ${median} ms of ${times.map((ms) => `${ms} ms`).join(", ")}`);
});
