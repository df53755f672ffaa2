// Two clusters on one machine: each with addresses, chains and containers of its own.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { createCluster, type TestCluster, useCluster } from "./harness/cluster.js";
import { kubectlFor } from "./harness/kubectl.js";
import { useNamespace } from "./harness/namespace.js";

const run = promisify(execFile);
const curl = async (url: string) => (await run("curl", ["-sS", "--max-time", "5", url])).stdout;

/** nginx behind a NodePort, with a page that says whose it is, and a pod to ask from. */
async function nginxIn(t: Parameters<typeof useNamespace>[0], cluster: TestCluster, page: string) {
  const { kubectl, name: namespace } = await useNamespace(t, cluster);
  await kubectl.run(["create", "deployment", "web", "--image=nginx", "--replicas=2"]);
  await kubectl.run(["expose", "deployment", "web", "--port=80", "--type=NodePort"]);
  await kubectl.run(["run", "shell", "--image=busybox", "--image-pull-policy=IfNotPresent", "--", "sleep", "3600"]);
  await kubectl.run(["rollout", "status", "deployment/web", "--timeout=90s"]);
  await kubectl.run(["wait", "pod/shell", "--for=condition=Ready", "--timeout=60s"]);
  const pods = (await kubectl.run(["get", "pods", "-l", "app=web", "-o", "name"])).trim().split("\n");
  for (const pod of pods)
    await kubectl.run(["exec", pod, "--", "sh", "-c", `echo '${page}' > /usr/share/nginx/html/index.html`]);
  const { clusterIP, ports } = (await kubectl.json(["get", "service", "web"])).spec;
  const inPod = (...command: string[]) => kubectl.run(["exec", "shell", "--", ...command]);
  const nodePort = `http://${cluster.nodeIp}:${ports[0].nodePort}`;
  return {
    namespace,
    kubectl,
    urls: [`http://${clusterIP}`, nodePort, `http://127.0.0.1:${ports[0].nodePort}`],
    /** Asks on the host and in a pod, by address and by name; each answer must be this cluster's own page. */
    async answers(times = 1) {
      for (let i = 0; i < times; i++) {
        for (const url of [`http://${clusterIP}`, nodePort, `http://127.0.0.1:${ports[0].nodePort}`])
          if ((await curl(url)).trim() !== page) throw new Error(`${url} is not answered by ${page}`);
        for (const url of [`http://${clusterIP}`, nodePort, "http://web", `http://web.${namespace}.svc.cluster.local`])
          if ((await inPod("wget", "-q", "-O-", url)).trim() !== page)
            throw new Error(`${url} in a pod is not answered by ${page}`);
        const looked = await inPod("nslookup", "kubernetes.default.svc.cluster.local");
        const apiServer = cluster.serviceCidr.replace(/0\/\d+$/, "1");
        if (!looked.includes(apiServer)) throw new Error(`DNS of ${page} says ${looked}`);
      }
      return true;
    },
  };
}

test("F1 F2 F3 two clusters stand side by side, and one goes without the other noticing", async (t) => {
  const first = await useCluster(t);
  const { cluster: second, dispose } = await createCluster();
  let disposed = false;
  t.teardown(() => disposed || dispose());
  for (const key of ["podCidr", "serviceCidr", "podBridge", "chainPrefix", "name"] as const)
    t.not(second[key], first[key], key);
  const [one, two] = await Promise.all([nginxIn(t, first, "first"), nginxIn({ teardown() {} }, second, "second")]);
  await eventually("the first answers", () => one.answers());
  await eventually("the second answers", () => two.answers());
  await Promise.all([one.answers(3), two.answers(3)]);

  await t.test("each has its own nodes, pods and containers", async (t) => {
    for (const [mine, other] of [
      [one, two],
      [two, one],
    ] as const) {
      t.equal((await mine.kubectl.json(["get", "nodes"])).items.length, 1);
      t.match(await mine.kubectl.attempt(["get", "namespace", other.namespace]), { code: 1, stderr: "not found" });
    }
  });

  const restarts = async () =>
    (await one.kubectl.json(["get", "pods"])).items.map(
      (pod: {
        metadata: { uid: string };
        status: { containerStatuses: { restartCount: number; containerID: string }[] };
      }) => [
        pod.metadata.uid,
        pod.status.containerStatuses[0]!.containerID,
        pod.status.containerStatuses[0]!.restartCount,
      ],
    );
  const before = await restarts();
  await dispose();
  disposed = true;
  await one.answers(3);
  t.strictSame(await restarts(), before, "not a container was touched");
  const rules = (await run("iptables-save", [], { maxBuffer: 1 << 26 })).stdout;
  t.notOk(rules.includes(`${second.chainPrefix}-`), "the second left no chain");
  t.ok(rules.includes(`${first.chainPrefix}-`), "the first kept its own");
  await one.kubectl.run(["scale", "deployment", "web", "--replicas=3"]);
  await one.kubectl.run(["rollout", "status", "deployment/web", "--timeout=90s"]);
  // What lies beyond this machine may answer in its place; the second's nginx does not.
  for (const url of two.urls) t.notMatch(await curl(url).catch(() => "gone"), "second", `${url} is gone`);
});

test("A1 two clusters brought up at the same moment choose apart", async (t) => {
  const made = await Promise.allSettled([createCluster(), createCluster()]);
  const clusters = made.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  for (const { dispose } of clusters) t.teardown(dispose);
  for (const each of made) if (each.status === "rejected") throw each.reason;
  const ports = clusters.flatMap(({ cluster }) => Object.values(cluster.ports));
  t.equal(new Set(ports).size, ports.length, "no port is given twice");
  for (const { cluster } of clusters)
    t.match(await kubectlFor(cluster).run(["get", "--raw", "/readyz"]), /^ok$/, "each is its own");
});
