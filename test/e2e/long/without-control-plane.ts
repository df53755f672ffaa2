// Story: ten minutes without apiserver, scheduler, controller manager and store. What runs goes on, and when they are
// back nothing has happened.

import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import { followContainer } from "../harness/container-history.js";
import { startLoad } from "../harness/load.js";
import type { LocalVms } from "../harness/local-vms.js";
import type { PodRow } from "../harness/pod-rows.js";
import { leadsToPodsAlone } from "../harness/proxies.js";
import { killProcesses } from "../harness/reboot.js";
import { gentle } from "./gentle.js";

const outageMs = 10 * 60_000;
const patienceMs = 300_000;
/** Upstream's back-off of a container's restarts, from its end: none, then these. */
const backoffMs = [10_000, 20_000];

const controlPlane = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];

interface NodeRow {
  metadata: { name: string };
  spec: { taints?: object[] };
  status: { conditions: { type: string; status: string; lastTransitionTime: string }[] };
}

/** Which pods there are, and how often their containers were started. */
async function podsOf({ kubectl }: LocalVms): Promise<Record<string, [uid: string, restarts: number]>> {
  const { items }: { items: PodRow[] } = await kubectl.json(["get", "pods"]);
  return Object.fromEntries(
    items.map(({ metadata, status }) => [
      metadata.name,
      [metadata.uid, status.containerStatuses?.[0]?.restartCount ?? -1],
    ]),
  );
}

/** Since when each node is what it is. */
async function readinessOf({ kubectl }: LocalVms): Promise<(string | undefined)[][]> {
  const { items }: { items: NodeRow[] } = await kubectl.json(["get", "nodes"]);
  return items.map(({ metadata, spec, status }) => {
    const ready = status.conditions.find(({ type }) => type === "Ready");
    return [metadata.name, ready?.status, ready?.lastTransitionTime, spec.taints && JSON.stringify(spec.taints)];
  });
}

/** Of each node's lease: when it was renewed last. */
async function renewalsOf({ kubectl }: LocalVms): Promise<number[]> {
  const { items } = await kubectl.json(["get", "leases", "--namespace=kube-node-lease"]);
  return items.map(({ spec }: { spec: { renewTime: string } }) => Date.parse(spec.renewTime));
}

export async function withoutControlPlane(t: Test, vms: LocalVms): Promise<void> {
  const { cluster, kubectl, picokube, docker, inVm } = vms;
  // A node that was lost has none of them.
  await kubectl.run(["rollout", "restart", "deployment/web"]);
  await kubectl.run(["rollout", "status", "deployment/web", "--timeout=300s"], { timeoutMs: 310_000 });
  await leadsToPodsAlone(vms, "web", patienceMs);
  const before = await podsOf(vms);
  const readiness = await readinessOf(vms);
  const { clusterIP, ports } = (await kubectl.json(["get", "service", "web"])).spec;
  const addresses = await vms.addresses();
  const containerOf = async (node: string, pod: string) => {
    const labels = [`io.kubernetes.pod.uid=${before[pod]![0]}`, "io.kubernetes.container.name=main"];
    const filters = labels.flatMap((label) => ["--filter", `label=${label}`]);
    return (await docker(node, "ps", "-q", ...filters)).trim();
  };
  const asker = await containerOf("node-2", "asker");
  /** No kubectl exec now: the engine itself. */
  const inAsker = (...command: string[]) => docker("node-2", "exec", asker, ...command);
  async function asksByName(): Promise<void> {
    t.match(await inAsker("nslookup", "web.default.svc.cluster.local"), clusterIP);
    t.match(await inAsker("nslookup", "db-0.db.default.svc.cluster.local"), /Address.*: \d+\.\d+\.\d+\.\d+/);
    t.match(await inAsker("sh", "-c", "nslookup nobody.default.svc.cluster.local || true"), "NXDOMAIN");
    t.match(await inAsker("wget", "-qO-", "http://web.default.svc.cluster.local"), "Welcome to nginx");
  }
  await asksByName();
  const loads = [
    startLoad(`http://${clusterIP}/`, gentle),
    ...addresses.map((address) => startLoad(`http://${address}:${ports[0].nodePort}/`, gentle)),
  ];
  t.teardown(() => Promise.all(loads.map((load) => load.stop())));
  await eventually("all ways lead to the Service", async () => loads.every((load) => load.answered() > 10));

  const goneAt = Date.now();
  killProcesses(cluster, controlPlane);
  await eventually("the API is gone", async () => (await kubectl.attempt(["get", "nodes"])).code !== 0);

  for (const [pod, node] of [
    ["dies-here", cluster.nodeName],
    ["dies-there", "node-2"],
  ] as const) {
    const history = await followContainer(t, vms, { pod, container: "main" });
    const gapsMs: number[] = [];
    for (let kill = 0; kill <= backoffMs.length; kill++) {
      const lives = history.spans().length;
      const killedAt = Date.now();
      await docker(node, "kill", await containerOf(node, pod));
      await eventually(`${pod} is started again`, async () => history.spans().length > lives, patienceMs);
      gapsMs.push(Math.round(history.spans().at(-1)!.startedMs - killedAt));
    }
    t.ok(
      backoffMs.every((leastMs, i) => gapsMs[i + 1]! >= leastMs),
      `${pod} is started again after ${gapsMs.join(", ")} ms`,
    );
  }
  await asksByName();

  while (Date.now() < goneAt + outageMs) {
    const answered = loads.map((load) => load.answered());
    await new Promise((done) => setTimeout(done, 60_000));
    t.ok(
      loads.every((load, i) => load.answered() > answered[i]!),
      "the Service answers by every way",
    );
    t.comment(`${Math.round((Date.now() - goneAt) / 60_000)} min without a control plane`);
  }
  await asksByName();
  t.match(await inVm("node-3", "curl", "-sS", "--max-time", "30", `http://${clusterIP}`), "Welcome to nginx");
  t.not((await kubectl.attempt(["get", "nodes"])).code, 0, "all that time there was no API");

  const backAt = Date.now();
  t.match(await picokube("up"), /is up after/);
  await eventually(
    "every node's heart is heard",
    async () => (await renewalsOf(vms)).every((renewedAt) => renewedAt > backAt),
    patienceMs,
  );
  const expected = Object.fromEntries(
    Object.entries(before).map(([name, [uid, restarts]]) => [
      name,
      [uid, restarts + (name.startsWith("dies-") ? backoffMs.length + 1 : 0)],
    ]),
  );
  await eventually(
    "the API is told what happened meanwhile",
    async () => JSON.stringify(await podsOf(vms)) === JSON.stringify(expected),
    patienceMs,
  ).catch(async () => t.strictSame(await podsOf(vms), expected));
  const convergedMs = Date.now() - backAt;

  // Each of them has to do its part in this: controllers, scheduler, kubelets, proxies.
  await kubectl.run(["rollout", "restart", "daemonset/agent"]);
  await kubectl.run(["rollout", "status", "daemonset/agent", "--timeout=300s"], { timeoutMs: 310_000 });
  await kubectl.run(["scale", "deployment/web", "--replicas=8"]);
  await kubectl.run(["rollout", "status", "deployment/web", "--timeout=300s"], { timeoutMs: 310_000 });
  t.match(await kubectl.run(["exec", "asker", "--", "wget", "-qO-", "http://web"]), "Welcome to nginx");
  t.strictSame(await readinessOf(vms), readiness, "no node was anything but Ready");
  const events = await kubectl.run([
    "get",
    "events",
    "-A",
    "-o",
    "jsonpath={range .items[*]}{.lastTimestamp} {.reason}{'\\n'}{end}",
  ]);
  const since = events.split("\n").filter((line) => Date.parse(line.split(" ")[0]!) >= goneAt);
  t.ok(since.length > 0, "there are Events again");
  t.strictSame(
    since.filter((line) => /NodeNotReady|TaintManagerEviction|Evicted/.test(line)),
    [],
  );
  await Promise.all(loads.map((load) => load.stop()));
  t.strictSame(
    loads.map((load) => load.failures()),
    loads.map(() => []),
    "no request was lost",
  );
  const answered = loads.reduce((sum, load) => sum + load.answered(), 0);
  t.comment(
    `without a control plane for ${Math.round((backAt - goneAt) / 1_000)} s: ${answered} requests answered, none lost; all as it was ${convergedMs} ms after its return`,
  );
}
