// How fast a zone's silent Nodes are emptied, and that nobody is when all are silent; a real apiserver, a clock that steps.

import { leases } from "@picokube/api/coordination/v1";
import { nodes } from "@picokube/api/core/v1";
import { formatMicroTime, formatTime } from "@picokube/api/time";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { nodeLifecycleController } from "./node-lifecycle-controller.js";

const leaseNamespace = "kube-node-lease";
const patience = 60_000;

test("one Node in 10 s, none when all are silent, all back when they speak", async (t) => {
  const { client } = await startApiServer(t);
  const clock = steppingClock();
  const silent = ["a", "b", "c"];
  const alive = ["d", "e", "f"];
  const report = (name: string, status: "True" | "Unknown") => {
    const now = formatTime(clock.now());
    const conditions = [{ type: "Ready", status, lastHeartbeatTime: now, lastTransitionTime: now }];
    return client.patch(nodes, { name }, { status: { conditions } }, { type: "strategic", subresource: "status" });
  };
  for (const name of [...silent, ...alive]) {
    await client.create(nodes, { metadata: { name } });
    await report(name, "True");
    const spec = { holderIdentity: name, renewTime: formatMicroTime(clock.now()) };
    await client.create(leases, { metadata: { name, namespace: leaseNamespace }, spec });
  }
  const { informers } = runControllers(t, { client, create: [nodeLifecycleController], clock, workers: 8 });
  const seenLeases = informers.for(leases, { namespace: leaseNamespace });
  const pass = async (names: readonly string[]) => {
    for (const name of names) {
      const spec = { renewTime: formatMicroTime(clock.now()) };
      const { metadata } = await client.patch(leases, { name, namespace: leaseNamespace }, { spec }, { type: "merge" });
      // The renewal travels to the informer in real time.
      while (seenLeases.get(`${leaseNamespace}/${name}`)?.metadata.resourceVersion !== metadata.resourceVersion)
        await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await clock.advance(5000);
  };
  /** When each Node's NoExecute taint was added, ms. */
  const evicting = async () =>
    (await client.list(nodes)).items
      .flatMap(({ spec }) => spec?.taints ?? [])
      .filter(({ effect }) => effect === "NoExecute")
      .map(({ timeAdded }) => Date.parse(timeAdded!))
      .sort((left, right) => left - right);
  const unknown = async () =>
    (await client.list(nodes)).items.filter(({ status }) =>
      status?.conditions?.some((each) => each.status === "Unknown"),
    );

  const times = await eventually(
    "three Nodes are being emptied",
    async () => {
      const found = await evicting();
      if (found.length === silent.length) return found;
      await pass(alive);
      return undefined;
    },
    patience,
  );
  t.equal((await unknown()).length, silent.length);
  t.ok(times[1]! - times[0]! >= 10_000 && times[2]! - times[1]! >= 10_000, `at ${times.map((at) => at - times[0]!)}`);

  await eventually(
    "all are silent, and nobody is emptied any more",
    async () => {
      if ((await unknown()).length === 6 && (await evicting()).length === 0) return true;
      await pass([]);
      return false;
    },
    patience,
  );
  for (const name of [...silent, ...alive]) await report(name, "True");
  await eventually(
    "no taint is left",
    async () => {
      if ((await client.list(nodes)).items.every(({ spec }) => spec?.taints === undefined)) return true;
      await pass([...silent, ...alive]);
      return false;
    },
    patience,
  );
});
