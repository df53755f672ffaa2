// Story: the node under postgres loses its power. nginx moves; postgres' disk is there and nowhere else, so its pod waits for its
// node, as upstream's would, and has every row when the node is back.

import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import type { LocalVms } from "../harness/local-vms.js";
import { isReady, podsOf } from "../harness/pod-rows.js";
import { rows, sql, workloads } from "./workloads.js";

const patienceMs = 120_000;

export async function lostNode(t: Test, vms: LocalVms): Promise<void> {
  const { kubectl, picokube, readyOf } = vms;
  await kubectl.apply(workloads);
  for (const what of ["statefulset/db", "deployment/web", "daemonset/stays"])
    await kubectl.run(["rollout", "status", what, "--timeout=120s"]);
  const nodesOf = async (app: string) => new Set((await podsOf(kubectl, app)).map(({ spec }) => spec.nodeName)).size;
  t.equal(await nodesOf("web"), 3, "nginx is on every node");
  const [db] = await podsOf(kubectl, "db");
  t.equal(db!.spec.nodeName, "node-3", "postgres has its image there alone");
  await sql(vms, "create table notes (id serial primary key, text text)");
  await sql(vms, "insert into notes (text) select md5(n::text) from generate_series(1, 5000) n");
  const before = await rows(vms);
  t.match(before, /^5000\|12502500\|/);
  const claim = async () => (await kubectl.json(["get", "pvc", "data-db-0"])).spec.volumeName;
  const volume = await claim();

  t.match(await picokube("node", "stop", "node-3", "--force"), /node-3 is off\. Its disk stays/);
  await eventually("node-3 is not heard of", async () => (await readyOf("node-3")) === "Unknown", patienceMs);
  await eventually(
    "six nginx are ready on the other two",
    async () =>
      (await podsOf(kubectl, "web")).filter((pod) => pod.spec.nodeName !== "node-3" && isReady(pod)).length === 6,
    patienceMs,
  );
  await eventually(
    "postgres is to go",
    async () => (await podsOf(kubectl, "db"))[0]?.metadata.deletionTimestamp !== undefined,
    patienceMs,
  );
  await eventually("nobody is sent to it", async () => {
    const { items } = await kubectl.json(["get", "endpointslices", "-l", "kubernetes.io/service-name=db"]);
    return items.every(({ endpoints = [] }: { endpoints?: { conditions: { ready: boolean } }[] }) =>
      endpoints.every(({ conditions }) => !conditions.ready),
    );
  });
  const waiting = await podsOf(kubectl, "db");
  t.strictSame(
    waiting.map(({ metadata }) => metadata.uid),
    [db!.metadata.uid],
    "no second postgres while the first may still run",
  );

  t.match(await picokube("node", "start", "node-3"), "node-3 is on and Ready.");
  await eventually(
    "postgres is made anew and is Ready",
    async () => {
      const [now, ...others] = await podsOf(kubectl, "db");
      return now !== undefined && others.length === 0 && now.metadata.uid !== db!.metadata.uid && isReady(now);
    },
    patienceMs,
  );
  t.equal((await podsOf(kubectl, "db"))[0]!.spec.nodeName, "node-3", "its disk is there");
  t.equal(await claim(), volume, "the same one");
  t.equal(await rows(vms), before, "with every row");
  await sql(vms, "insert into notes (text) values ('one more')");
}
