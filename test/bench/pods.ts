// The pods of the API's benchmarks: as a scheduler and a kubelet would leave them, a hundred of them picked by a label
// and by a node, whatever their number.

import { configmaps, pods, serviceaccounts } from "@picokube/api/core/v1";
import type { Client } from "@picokube/client/client";
import type { Store } from "@picokube/store/store";

/** How many pods carry pick=yes, and how many run on PICKED_NODE. */
export const PICKED = 100;
export const PICKED_NODE = "node-picked";
const NODES = 50;
const AT_ONCE = 2_000;

/** What a client sends to create a pod; no scheduler of that name exists, so it stays as it is. */
export function newPod(name: string) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", labels: { app: "web", pick: "pick-placeholder" } },
    spec: {
      schedulerName: "nobody",
      nodeName: "node-placeholder",
      containers: [
        {
          name: "main",
          image: "nginx",
          ports: [{ containerPort: 80 }],
          env: [{ name: "A", value: "b" }],
          resources: { requests: { cpu: "100m", memory: "64Mi" } },
          readinessProbe: { httpGet: { path: "/", port: 80 } },
        },
      ],
    },
  };
}

/** The stored bytes of such a pod, made by the API server itself. */
export async function podTemplate(client: Client): Promise<string> {
  const name = "name-placeholder";
  const at = { namespace: "default", name };
  // Without a controller manager nobody else makes what the ServiceAccount admission asks for.
  await client.create(serviceaccounts, { metadata: { name: "default", namespace: "default" } } as never);
  await client.create(configmaps, { metadata: { name: "kube-root-ca.crt", namespace: "default" } } as never);
  await client.create(pods, newPod(name) as never);
  const now = "2026-01-01T00:00:00Z";
  const conditions = ["Initialized", "Ready", "ContainersReady", "PodScheduled", "PodReadyToStartContainers"];
  const status = {
    phase: "Running",
    podIP: "10.244.0.10",
    podIPs: [{ ip: "10.244.0.10" }],
    hostIP: "192.0.2.1",
    hostIPs: [{ ip: "192.0.2.1" }],
    startTime: now,
    conditions: conditions.map((type) => ({ type, status: "True", lastTransitionTime: now })),
    containerStatuses: [
      {
        name: "main",
        image: "nginx:latest",
        imageID: "docker://sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        containerID: "docker://0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ready: true,
        started: true,
        restartCount: 0,
        state: { running: { startedAt: now } },
      },
    ],
  };
  await client.patch(
    pods,
    at,
    { status },
    {
      type: "strategic",
      subresource: "status",
    },
  );
  const stored = JSON.stringify(await client.get(pods, at)).replace(/"resourceVersion":"\d+",/, "");
  await client.delete(pods, at, { gracePeriodSeconds: 0 });
  return stored;
}

/** Writes that many pods beside a stopped API server. */
export async function loadPods(store: Store, template: string, count: number): Promise<void> {
  const uid = /"uid":"([^"]+)"/.exec(template)![1]!;
  for (let from = 0; from < count; from += AT_ONCE) {
    const names = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, index) => from + index);
    await Promise.all(
      names.map((index) => {
        const name = podName(index);
        const picked = index < PICKED;
        const text = template
          .replaceAll("name-placeholder", name)
          .replaceAll(uid, `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`)
          .replaceAll("pick-placeholder", picked ? "yes" : "no")
          .replaceAll("node-placeholder", picked ? PICKED_NODE : `node-${index % NODES}`);
        return store.create(`/registry/pods/default/${name}`, Buffer.from(text));
      }),
    );
  }
}

export const podName = (index: number): string => `pod-${String(index).padStart(6, "0")}`;
