import { leases } from "@picokube/api/coordination/v1";
import { events, type Node, nodes, pods } from "@picokube/api/core/v1";
import { formatMicroTime, formatTime } from "@picokube/api/time";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { serviceAccountController } from "../serviceaccount/serviceaccount-controller.js";
import { nodeLifecycleController } from "./node-lifecycle-controller.js";
import { taintEvictionController } from "./taint-eviction-controller.js";

const namespace = "default";
const leaseNamespace = "kube-node-lease";
const containers = [{ name: "main", image: "nginx" }];

test("node lifecycle", async (t) => {
  const { client } = await startApiServer(t);
  const clock = steppingClock();
  runControllers(t, { client, create: [serviceAccountController] });
  const condition = (type: string, status: "True" | "False" | "Unknown") => ({
    type,
    status,
    lastHeartbeatTime: formatTime(clock.now()),
    lastTransitionTime: formatTime(clock.now()),
  });
  const report = (name: string, ...conditions: object[]) =>
    client.patch(nodes, { name }, { status: { conditions } }, { type: "strategic", subresource: "status" });
  const renew = (name: string) =>
    client.patch(
      leases,
      { name, namespace: leaseNamespace },
      { spec: { renewTime: formatMicroTime(clock.now()) } },
      { type: "merge" },
    );
  for (const name of ["alive", "silent"]) {
    await client.create(nodes, { metadata: { name } });
    await report(name, condition("Ready", "True"));
    await client.create(leases, {
      metadata: { name, namespace: leaseNamespace },
      spec: { holderIdentity: name, renewTime: formatMicroTime(clock.now()) },
    });
  }
  await client.create(pods, { metadata: { name: "web", namespace }, spec: { containers, nodeName: "silent" } });
  await client.patch(
    pods,
    { name: "web", namespace },
    { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } },
    { type: "strategic", subresource: "status" },
  );
  const controllers = runControllers(t, {
    client,
    create: [nodeLifecycleController, taintEvictionController],
    clock,
  });
  const seenLeases = controllers.informers.for(leases, { namespace: leaseNamespace });
  const taintsOf = (node: Node) =>
    (node.spec?.taints ?? []).map(({ key, effect }) => `${key.replace("node.kubernetes.io/", "")}:${effect}`).sort();
  const taintedAs = (name: string, ...wanted: string[]) =>
    eventually(`${name} has the taints ${wanted}`, async () => {
      const node = await client.get(nodes, { name });
      return JSON.stringify(taintsOf(node)) === JSON.stringify(wanted) && node;
    });
  const pass = async (durationMs: number, alive: readonly string[]) => {
    for (let doneMs = 0; doneMs < durationMs; doneMs += 5000) {
      for (const name of alive) {
        const { metadata } = await renew(name);
        // The renewal travels to the informer in real time.
        while (seenLeases.get(`${leaseNamespace}/${name}`)?.metadata.resourceVersion !== metadata.resourceVersion)
          await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await clock.advance(5000);
    }
  };

  await t.test("a pressure and a cordon become taints at once", async () => {
    await report("alive", condition("MemoryPressure", "True"));
    await client.patch(nodes, { name: "alive" }, { spec: { unschedulable: true } }, { type: "merge" });
    await taintedAs("alive", "memory-pressure:NoSchedule", "unschedulable:NoSchedule");
    await report("alive", condition("MemoryPressure", "False"));
    await client.patch(nodes, { name: "alive" }, { spec: { unschedulable: false } }, { type: "merge" });
    await taintedAs("alive");
  });

  await t.test(
    "a Node whose lease stops becomes Unknown after the grace period, one that renews does not",
    async (t) => {
      await pass(45_000, ["alive"]);
      const early = await client.get(nodes, { name: "silent" });
      t.equal(early.status?.conditions?.find(({ type }) => type === "Ready")?.status, "True");
      await pass(15_000, ["alive"]);
      const silent = await taintedAs("silent", "unreachable:NoExecute", "unreachable:NoSchedule");
      t.match(
        silent.status?.conditions?.find(({ type }) => type === "Ready"),
        { status: "Unknown", reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status." },
      );
      t.match(
        silent.status?.conditions?.find(({ type }) => type === "PIDPressure"),
        { status: "Unknown", reason: "NodeStatusNeverUpdated" },
      );
      const alive = await client.get(nodes, { name: "alive" });
      t.equal(alive.status?.conditions?.find(({ type }) => type === "Ready")?.status, "True");
      t.same(taintsOf(alive), []);
    },
  );

  await t.test("its pods leave their Services, and events say so", async (t) => {
    await eventually("the pod is not ready", async () => {
      const { status } = await client.get(pods, { name: "web", namespace });
      return status?.conditions?.find(({ type }) => type === "Ready")?.status === "False";
    });
    const told = await eventually("events of the node and its pod", async () => {
      const { items } = await client.list(events, { namespace });
      const found = items.filter(({ reason }) => reason === "NodeNotReady");
      return found.length === 2 && found;
    });
    t.same(told.map(({ involvedObject, message }) => `${involvedObject.kind}: ${message}`).sort(), [
      "Node: Node silent status is now: NodeNotReady",
      "Pod: Node is not ready",
    ]);
  });

  await t.test("its pods are deleted when their toleration of 300 s ends", async (t) => {
    await pass(285_000, ["alive"]);
    t.equal((await client.get(pods, { name: "web", namespace })).metadata.deletionTimestamp, undefined);
    await pass(20_000, ["alive"]);
    const pod = await eventually("the pod is being deleted", async () => {
      const found = await client.get(pods, { name: "web", namespace });
      return found.metadata.deletionTimestamp ? found : undefined;
    });
    t.match(
      pod.status?.conditions?.find(({ type }) => type === "DisruptionTarget"),
      { reason: "DeletionByTaintManager", message: "Taint manager: deleting due to NoExecute taint" },
    );
    const { items } = await client.list(events, { namespace });
    t.ok(items.some(({ message }) => message === "Marking for deletion Pod default/web"));
  });

  await t.test("a Node that is back loses its taints", async () => {
    await renew("silent");
    await report("silent", condition("Ready", "True"), condition("PIDPressure", "False"));
    await taintedAs("silent");
  });

  t.notMatch(controllers.log(), /Reconcile failed/);
});
