// Two controller managers of one cluster: one works, the other stands by and takes over when the first is gone.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { deployments, replicasets } from "@picokube/api/apps/v1";
import { leases } from "@picokube/api/coordination/v1";
import { freePort, startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { type Test, test } from "tap";

const namespace = "default";
const executable = fileURLToPath(new URL("../bin/kube-controller-manager.js", import.meta.url));

async function startManager(t: Test, server: TestApiServer) {
  const child = spawn(
    process.execPath,
    [
      executable,
      `--kubeconfig=${server.as("kube-controller-manager").kubeconfig}`,
      `--secure-port=${await freePort()}`,
      "--bind-address=127.0.0.1",
      "--leader-elect-lease-duration=15s",
      "--leader-elect-renew-deadline=12s",
      "--leader-elect-retry-period=1s",
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const kill = async () => {
    child.kill("SIGKILL");
    await exited;
  };
  t.teardown(kill);
  return {
    /** Resolves when it has ended in order. */
    async end() {
      child.kill("SIGTERM");
      await exited;
      return child.exitCode;
    },
    works: () => output.includes("Starting controllers"),
    waits: () => /Attempting to acquire/.test(output),
    kill,
  };
}

test("a second controller manager stands by, and takes over when the first dies", async (t) => {
  const server = await startApiServer(t);
  const { client } = server;
  const create = (name: string) => {
    const labels = { app: name };
    return client.create(deployments, {
      metadata: { name, namespace },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: "web", image: "nginx" }] } },
      },
    });
  };
  const deploy = async (name: string) => {
    await create(name);
    await eventually(`${name} has its ReplicaSet`, async () => {
      const { items } = await client.list(replicasets, { namespace, labelSelector: `app=${name}` });
      return items.length === 1;
    });
  };
  const lease = async () =>
    (await client.get(leases, { name: "kube-controller-manager", namespace: "kube-system" })).spec ?? {};

  const first = await startManager(t, server);
  await eventually("the first works", async () => first.works());
  const { holderIdentity } = await lease();
  const second = await startManager(t, server);
  await eventually("the second waits", async () => second.waits());
  await deploy("by-the-first");
  t.notOk(second.works());
  t.equal((await lease()).holderIdentity, holderIdentity);

  await first.kill();
  await eventually("the second works", async () => second.works());
  await deploy("by-the-second");
  const taken = await lease();
  t.not(taken.holderIdentity, holderIdentity);
  t.equal(taken.leaseTransitions, 1);

  // In the midst of work, connections that nobody answers on any more: the machine's address has gone, or a switch is off.
  await Promise.all(Array.from({ length: 30 }, (_, number) => create(`many-${number}`)));
  process.kill(server.pid, "SIGSTOP");
  t.teardown(() => process.kill(server.pid, "SIGCONT"));
  t.equal(await second.end(), 0, "it ends in order while the API server is silent");
});
