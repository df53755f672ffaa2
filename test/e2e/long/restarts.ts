// Story: every component on every node, an engine and a whole VM are killed under load, one after the other. Each row of the
// printed table: how long until it did its work again (a new leader waits for the old one's lease, 15 s), and what was lost.

import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import { startLoad } from "../harness/load.js";
import type { LocalVms } from "../harness/local-vms.js";
import { isReady, type PodRow } from "../harness/pod-rows.js";
import { leadsNewService, leadsToPodsAlone } from "../harness/proxies.js";
import { startWrites } from "../harness/writes.js";

const patienceMs = 120_000;

interface Row {
  readonly node: string;
  /** The whole VM when left out. */
  readonly component?: string;
  /** Resolves when what was killed does its work: something that happens after the kill, and only by it. */
  works(suffix: string): Promise<unknown>;
  /** Whether nothing of the load may be lost; an engine's and a VM's containers end with it. */
  readonly isHarmless: boolean;
}

const small = (name: string, node: string) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  ${node && `nodeName: ${node}`}
  terminationGracePeriodSeconds: 0
  containers: [{ name: main, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, "100000"] }]
`;

function rowsOf(vms: LocalVms): Row[] {
  const { cluster, kubectl } = vms;
  const main = cluster.nodeName;
  const every = [main, "node-2", "node-3"];
  const pod = (name: string): Promise<PodRow> => kubectl.json(["get", "pod", name]);

  async function startsPod(suffix: string, node: string): Promise<unknown> {
    await kubectl.apply(small(`pod-${suffix}`, node));
    return eventually("a new pod runs", async () => isReady(await pod(`pod-${suffix}`)), patienceMs);
  }
  return [
    {
      node: main,
      component: "kube-apiserver",
      isHarmless: true,
      works: (suffix) =>
        eventually("a write is taken", () => kubectl.run(["create", "configmap", `made-${suffix}`]), patienceMs),
    },
    {
      node: main,
      component: "kube-scheduler",
      isHarmless: true,
      async works(suffix) {
        await kubectl.apply(small(`pod-${suffix}`, ""));
        const isBound = async () => (await pod(`pod-${suffix}`)).spec.nodeName !== undefined;
        return eventually("a new pod is bound", isBound, patienceMs);
      },
    },
    {
      node: main,
      component: "kube-controller-manager",
      isHarmless: true,
      async works(suffix) {
        await kubectl.run(["create", "deployment", `deploy-${suffix}`, "--image=busybox", "--replicas=0"]);
        const observed = async () =>
          (await kubectl.json(["get", "deployment", `deploy-${suffix}`])).status.observedGeneration === 1;
        return eventually("a new Deployment is looked after", observed, patienceMs);
      },
    },
    ...every.map((node) => ({
      node,
      component: "kubelet",
      isHarmless: true,
      works: (suffix: string) => startsPod(suffix, node),
    })),
    ...every.map((node) => ({
      node,
      component: "kube-proxy",
      isHarmless: true,
      works: (suffix: string) =>
        leadsNewService(vms, { node, name: `svc-${suffix}`, app: "web", timeoutMs: patienceMs }),
    })),
    {
      node: main,
      component: "cluster-dns",
      isHarmless: true,
      async works(suffix) {
        await kubectl.run(["create", "service", "clusterip", `svc-${suffix}`, "--tcp=80"]);
        const { clusterIP } = (await kubectl.json(["get", "service", `svc-${suffix}`])).spec;
        const script = `nslookup svc-${suffix}.default.svc.cluster.local || true`;
        const look = () => kubectl.run(["exec", "asker", "--", "sh", "-c", script]);
        return eventually("its name is known", async () => (await look()).includes(clusterIP), patienceMs);
      },
    },
    { node: "node-2", component: "dockerd", isHarmless: false, works: (suffix) => startsPod(suffix, "node-2") },
    { node: "node-3", isHarmless: false, works: (suffix) => startsPod(suffix, "node-3") },
  ];
}

/** Which pods carry the load, and how often they were started. */
async function podsOf({ kubectl }: LocalVms): Promise<[name: string, uid: string, restarts: number][]> {
  const { items }: { items: PodRow[] } = await kubectl.json(["get", "pods", "-l", "app"]);
  return items.map(({ metadata, status }) => [
    metadata.name,
    metadata.uid,
    status.containerStatuses?.[0]?.restartCount ?? -1,
  ]);
}

export async function restarts(t: Test, vms: LocalVms): Promise<void> {
  const { cluster, kubectl, picokube } = vms;
  // All nodes have their share, whatever was lost before.
  await kubectl.run(["rollout", "restart", "deployment/web"]);
  await kubectl.run(["rollout", "status", "deployment/web", "--timeout=300s"], { timeoutMs: 310_000 });
  await leadsToPodsAlone(vms, "web", patienceMs);
  const { clusterIP, ports } = (await kubectl.json(["get", "service", "web"])).spec;
  const addresses = await vms.addresses();
  // By each node's own rules; some fifty requests a second together.
  const urls = [`http://${clusterIP}/`, ...addresses.map((address) => `http://${address}:${ports[0].nodePort}/`)];
  const table: string[] = [];
  const writes = startWrites(kubectl);
  t.teardown(() => writes.stop().catch(() => []));

  for (const [i, { node, component, isHarmless, works }] of rowsOf(vms).entries()) {
    const what = component ? `${component} of ${node === cluster.nodeName ? "node-1" : node}` : node;
    const before = await podsOf(vms);
    const loads = urls.map((url) => startLoad(url, { lanes: 1, pauseMs: 75, timeoutMs: isHarmless ? 30_000 : 2_000 }));
    t.teardown(() => Promise.all(loads.map((load) => load.stop())));
    await eventually(`before ${what}: the Service answers`, async () => loads.every((load) => load.answered() > 2));
    const refusedBefore = writes.refused();
    const killedAt = Date.now();
    t.match(
      await picokube("fault", "kill", node, ...(component ? [component] : [])),
      component ? `Killed ${component} of ${node}` : `${node} has lost its power`,
    );
    if (!component) await picokube("node", "start", node);
    await works(`${i}`);
    const workedMs = Date.now() - killedAt;
    if (!isHarmless)
      await eventually(
        `after ${what}: all pods are ready`,
        async () => {
          const { items }: { items: PodRow[] } = await kubectl.json(["get", "pods", "-l", "app"]);
          return items.every((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined);
        },
        patienceMs,
      );
    await Promise.all(loads.map((load) => load.stop()));
    const lost = loads.flatMap((load) => load.failures());
    const answered = loads.reduce((sum, load) => sum + load.answered(), 0);
    const refused = writes.refused() - refusedBefore;
    table.push(
      `${what.padEnd(34)} works again after ${String(workedMs).padStart(5)} ms; requests: ${answered} answered, ${lost.length} lost; writes refused: ${refused}`,
    );
    if (!isHarmless) continue;
    t.strictSame(lost, [], `${what}: no request is lost`);
    t.strictSame(await podsOf(vms), before, `${what}: no pod is started again`);
  }
  const written = writes.acknowledged();
  t.ok(written > 0, "writes were acknowledged");
  t.strictSame(await writes.stop(), [], "no acknowledged write is lost");
  for (const line of [...table, `${written} writes acknowledged, all of them kept`]) t.comment(line);
}
