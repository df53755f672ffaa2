// The kubelet killed at any moment of a pod's start: the next one brings the pod up exactly once, and nothing leaks.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { configmaps, pods } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { eventually, isReady, podsOf, run, sleeper, startKubelet } from "./kubelet.testing.js";

const bridge = "picotest22";
const rounds = 10;
/** From the creation of the pod; a start takes some hundred milliseconds. */
const longestDelayMs = 700;

test("SIGKILL in mid-start", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { create, until, get, kubectl } = await podsOf(server);
  await server.client.create(configmaps, {
    metadata: { name: "settings", namespace: "default" },
    data: { k: "set up" },
  });
  const kubelet = await startKubelet(t, server, { bridge, subnet: 22 });
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")));
  const kinds = async () =>
    (await kubelet.containers())
      .filter(({ State }) => State === "running")
      .map(({ Labels }) => Labels["io.kubernetes.container.name"])
      .sort();

  for (let round = 0; round < rounds; round++) {
    const name = `killed-${round}`;
    await create(name, {
      terminationGracePeriodSeconds: 1,
      initContainers: [{ name: "init", image: "busybox", command: ["true"] }],
      containers: [
        {
          ...sleeper(),
          volumeMounts: [
            { name: "settings", mountPath: "/settings" },
            { name: "memory", mountPath: "/memory" },
          ],
        },
        sleeper("second"),
      ],
      volumes: [
        { name: "settings", configMap: { name: "settings" } },
        { name: "memory", emptyDir: { medium: "Memory" } },
      ],
    });
    const delayMs = Math.round((longestDelayMs * (round + Math.random())) / rounds);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    await kubelet.stop("SIGKILL");
    const at = `killed after ${delayMs} ms`;
    kubelet.start();
    // It may have been Ready before the kill: only the new kubelet's answer counts.
    const said = await eventually(
      `${at}: the kubelet is back`,
      () => kubectl("exec", name, "-c", "c", "--", "sh", "-c", "ip -4 addr; cat /settings/k").catch(() => undefined),
      60_000,
    );
    const pod = await until(name, `${at}: ready`, isReady, 60_000);
    t.match(said, `${pod.status?.podIP}/24`, at);
    t.match(said, "set up", at);
    // What was being replaced when the kubelet was killed may still be on its way out.
    const wanted = ["POD", "c", "second"];
    await eventually(at, async () => JSON.stringify(await kinds()) === JSON.stringify(wanted), 60_000).catch(() => {});
    t.same(await kinds(), wanted, at);
    // The kernel takes an abandoned sandbox's wire down when it gets to it.
    const wires = async () => (await run("ip", ["-o", "link", "show", "master", bridge])).stdout.trim().split("\n");
    await eventually(`${at}: one wire`, async () => (await wires()).length === 1, 60_000);
    await server.client.delete(pods, { name, namespace: "default" });
    await eventually(`${at}: gone`, async () => (await get(name)) === undefined, 60_000);
    await eventually(`${at}: no containers`, async () => (await kubelet.containers()).length === 0);
  }

  const leftovers = async () => ({
    leases: readdirSync(join(kubelet.rootDir, "network", bridge)).filter((file) => file !== "last_reserved_ip"),
    pods: readdirSync(join(kubelet.rootDir, "pods")),
    mounts: (await run("cat", ["/proc/mounts"])).stdout.split("\n").filter((line) => line.includes(kubelet.rootDir)),
    links: (await run("ip", ["-o", "link", "show", "master", bridge])).stdout,
  });
  await eventually("nothing is left", async () => {
    const { leases, pods, mounts, links } = await leftovers();
    return leases.length + pods.length + mounts.length + links.length === 0;
  }).catch(() => undefined);
  t.same(await leftovers(), { leases: [], pods: [], mounts: [], links: "" });
  t.equal(await kubelet.stop(), 0);
});
