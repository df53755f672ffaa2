// Story: two machines join; pods, Services, DNS, logs and exec work on them; a name and a machine are taken once.

import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import type { Machines } from "../harness/machines.js";

/** A Deployment of one busybox on that node, that its disruption budget and its Service know by its name. */
export function deploymentOn(node: string, { name, command }: { name: string; command: string }): object {
  const labels = { app: name };
  const container = { name: "c", image: "busybox", imagePullPolicy: "IfNotPresent", command: ["sh", "-c", command] };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          nodeSelector: { "kubernetes.io/hostname": node },
          terminationGracePeriodSeconds: 1,
          containers: [container],
        },
      },
    },
  };
}

export async function joining(t: Test, machines: Machines): Promise<number[]> {
  const { first, near, far, kubectl, joinWords } = machines;
  const times = [await machines.join(near)];
  const items = [
    deploymentOn(first.name, { name: "web", command: "echo hello > index.html; httpd -f -p 8080" }),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web" },
      spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] },
    },
    deploymentOn(near.name, {
      name: "away",
      command: "echo started; trap 'exit 0' TERM; while :; do sleep 0.2; done",
    }),
  ];
  await kubectl.apply(JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  for (const name of ["web", "away"]) await kubectl.run(["rollout", "status", `deployment/${name}`, "--timeout=120s"]);
  t.match(await kubectl.run(["logs", "deployment/away"]), "started", "its serving certificate is trusted");
  // busybox's wget cannot bound its own time.
  const fetch = ["timeout", "5", "wget", "-qO-", "http://web.default.svc.cluster.local"];
  const said = await eventually("the other node's pod answers by its Service's name", () =>
    kubectl.run(["exec", "deployment/away", "--", ...fetch]),
  );
  t.equal(said.trim(), "hello");

  times.push(await machines.join(far));
  for (const machine of [near, far]) {
    const wide = await kubectl.run(["get", "node", machine.name, "-o", "wide", "--no-headers"]);
    t.match(wide, machine.address, "its own address");
    t.match(wide, "docker://");
    t.match(await machine.picokube("status"), /kubelet .* ok .*\n.*kube-proxy .* ok/);
    t.match(await machine.picokube("certs", "check"), `All certificates of the node ${machine.name} are well.`);
    t.match((await machine.picokube("certs", "list")).trim().split("\n").slice(1), [
      /^ca .* ok$/,
      /^kubelet-client-current .* ca +ok$/,
      /^kubelet-server-current .* ca +ok$/,
    ]);
  }
  const words = await joinWords();
  await t.rejects(near.begin(...words), /this machine is a worker of the cluster at .* already.*picokube leave/);
  await t.rejects(first.begin(...words), /this machine is a cluster of its own already.*picokube reset first/);
  await t.rejects(
    near.begin(...words, `--node-name=${far.name}`, `--data-dir=${near.directory}/other`),
    /a Node with name "far" and status "Ready" already exists in the cluster/,
  );
  return times;
}
