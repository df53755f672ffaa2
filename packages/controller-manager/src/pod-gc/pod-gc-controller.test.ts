import { nodes, pods } from "@picokube/api/core/v1";
import { ifThere } from "@picokube/client/if-there";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { serviceAccountController } from "../serviceaccount/serviceaccount-controller.js";
import { podGcController } from "./pod-gc-controller.js";

const namespace = "default";
const containers = [{ name: "main", image: "nginx" }];

test("pod GC", async (t) => {
  const { client } = await startApiServer(t);
  const clock = steppingClock();
  runControllers(t, { client, create: [serviceAccountController] });
  await client.create(nodes, { metadata: { name: "up" } });
  await client.create(nodes, { metadata: { name: "leaving" } });
  const make = (name: string, nodeName: string, finalizers: string[] = []) =>
    client.create(pods, { metadata: { name, namespace, finalizers }, spec: { containers, nodeName } });
  await make("stays", "up");
  await make("orphan", "leaving", ["example.com/look"]);
  await make("finished", "up");
  await client.patch(
    pods,
    { name: "finished", namespace },
    { status: { phase: "Succeeded" } },
    { type: "merge", subresource: "status" },
  );
  const read = (name: string) => ifThere(client.get(pods, { name, namespace }));

  const options = { terminatedPodGcThreshold: 0 };
  runControllers(t, { client, create: [podGcController], clock, options });
  await clock.whenWaiting(1);
  await client.delete(nodes, { name: "leaving" });
  await clock.advance(39_000);
  t.equal((await read("orphan"))?.metadata.deletionTimestamp, undefined, "an informer may lag");
  const orphan = await eventually("the orphan is deleted", async () => {
    await clock.advance(20_000);
    const found = await read("orphan");
    return found?.metadata.deletionTimestamp ? found : undefined;
  });
  t.equal(orphan.status?.phase, "Failed");
  t.match(
    orphan.status?.conditions?.find(({ type }) => type === "DisruptionTarget"),
    { status: "True", reason: "DeletionByPodGC", message: "PodGC: node no longer exists" },
  );
  t.equal((await read("stays"))?.metadata.deletionTimestamp, undefined);
  t.ok(await read("finished"), "a threshold of 0 keeps what has ended");
});
