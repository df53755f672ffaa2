// The kubelet on an engine that takes its time: what it still does for a pod holds up no end of the pod.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { pods } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import Docker from "dockerode";
import { type Test, test } from "tap";
import { isReady, podsOf, sleeper, startKubelet } from "./kubelet.testing.js";

const engine = "/var/run/docker.sock";

/** A way to the machine's engine on which whatever is to be removed waits to be let through. */
async function holdRemovals(t: Test) {
  let letThrough!: () => void;
  let held = 0;
  const released = new Promise<void>((resolve) => {
    letThrough = resolve;
  });
  const way = createServer(async (asked, answered) => {
    if (asked.method === "DELETE") {
      held++;
      await released;
    }
    const { method = "GET", url = "/", headers } = asked;
    const onward = request({ socketPath: engine, method, path: url, headers }, (answer) => {
      answered.writeHead(answer.statusCode!, answer.headers);
      // The kubelet leaves when it has heard enough of events.
      pipeline(answer, answered).catch(() => undefined);
    });
    pipeline(asked, onward).catch(() => answered.destroy());
  });
  const directory = mkdtempSync(join(tmpdir(), "picokube-docker-"));
  const socket = join(directory, "docker.sock");
  await new Promise<void>((resolve) => way.listen(socket, resolve));
  t.teardown(() => {
    letThrough();
    way.close();
    way.closeAllConnections();
    rmSync(directory, { recursive: true });
  });
  return { socket, letThrough, held: () => held };
}

test("a pod ends while the engine still removes what had ended of it before", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { create, until, get } = await podsOf(server);
  const { socket, letThrough, held } = await holdRemovals(t);
  const kubelet = await startKubelet(t, server, { bridge: "picotest97", subnet: 97, dockerSocket: socket });
  await create("web", { terminationGracePeriodSeconds: 1, containers: [sleeper()] });
  await until("web", "ready", isReady);

  // The log of the last attempt but one is kept, and its sandbox with it: the second kill makes the first one too many.
  const docker = new Docker({ socketPath: engine });
  for (const restarts of [1, 2]) {
    const sandbox = (await kubelet.containers()).find(
      ({ Names, State }) => State === "running" && Names.some((name) => name.startsWith("/k8s_POD_")),
    );
    await docker.getContainer(sandbox!.Id).kill();
    const isBack = (count: number | undefined) => count === restarts;
    await until(
      "web",
      `ready after restart ${restarts}`,
      (pod) => isReady(pod) && isBack(pod.status?.containerStatuses?.[0]?.restartCount),
      120_000,
    );
  }
  try {
    await eventually("a removal is under way", async () => held() > 0);
    await server.client.delete(pods, { name: "web", namespace: "default" });
    await eventually("web is gone", async () => (await get("web")) === undefined);
    t.ok((await kubelet.containers()).length > 0, "what had ended is still there");
  } finally {
    letThrough();
  }
  await eventually("all of it is removed", async () => (await kubelet.containers()).length === 0);
});
