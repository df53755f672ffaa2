// Objects as the API server would return them, with only what a test cares about spelled out.

import { type Deployment, deployments, type ReplicaSet, replicasets } from "@picokube/api/apps/v1";
import { type Node, nodes, type Pod, pods, type Service, services } from "@picokube/api/core/v1";
import type { KubernetesObject, ObjectMeta } from "@picokube/api/meta/v1";
import { apiVersionOf, type Resource } from "@picokube/api/resource";

/** Parts of an object to lay over the builder's defaults: metadata, spec and status are merged one level deep. */
export type Overrides<T extends KubernetesObject> = { metadata?: Partial<ObjectMeta> } & {
  [K in Exclude<keyof T, "metadata">]?: T[K] extends object | undefined ? Partial<NonNullable<T[K]>> : T[K];
};

/** Any object of a resource, named, with uid and resourceVersion. */
export function object<T extends KubernetesObject>(
  resource: Resource<T>,
  name: string,
  ...layers: readonly (Overrides<T> | undefined)[]
): T {
  const result: Record<string, unknown> = {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: {
      name,
      ...(resource.namespaced ? { namespace: "default" } : {}),
      uid: `uid-${resource.singular}-${name}`,
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
  };
  for (const layer of layers)
    for (const [key, value] of Object.entries(layer ?? {}))
      result[key] =
        typeof value === "object" && value !== null && !Array.isArray(value)
          ? { ...(result[key] as object | undefined), ...value }
          : value;
  return result as unknown as T;
}

const containers = [{ name: "main", image: "nginx" }];

/** A Pod with one container. */
export function pod(name: string, overrides?: Overrides<Pod>): Pod {
  const base = { spec: { containers }, status: { phase: "Pending" as const } };
  return object(pods, name, base as Overrides<Pod>, overrides);
}

/** A Ready Node with 4 CPUs, 8 GiB and room for 110 pods. */
export function node(name: string, overrides?: Overrides<Node>): Node {
  const capacity = { cpu: "4", memory: "8Gi", pods: "110", "ephemeral-storage": "100Gi" };
  const base = {
    metadata: { labels: { "kubernetes.io/hostname": name } },
    spec: {},
    status: {
      capacity,
      allocatable: capacity,
      conditions: [{ type: "Ready", status: "True" as const, reason: "KubeletReady" }],
    },
  };
  return object(nodes, name, base as Overrides<Node>, overrides);
}

/** A Deployment of one replica whose pods are labelled app=<name>. */
export function deployment(name: string, overrides?: Overrides<Deployment>): Deployment {
  const labels = { app: name };
  const base = {
    metadata: { generation: 1 },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
      strategy: { type: "RollingUpdate" as const, rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    },
  };
  return object(deployments, name, base as Overrides<Deployment>, overrides);
}

/** A ReplicaSet of one replica whose pods are labelled app=<name>. */
export function replicaSet(name: string, overrides?: Overrides<ReplicaSet>): ReplicaSet {
  const labels = { app: name };
  const base = {
    metadata: { generation: 1 },
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  };
  return object(replicasets, name, base as Overrides<ReplicaSet>, overrides);
}

/** A ClusterIP Service of port 80 that selects app=<name>. */
export function service(name: string, overrides?: Overrides<Service>): Service {
  const base = {
    spec: {
      type: "ClusterIP" as const,
      clusterIP: "10.96.0.100",
      clusterIPs: ["10.96.0.100"],
      ipFamilies: ["IPv4"],
      selector: { app: name },
      ports: [{ port: 80, targetPort: 80, protocol: "TCP" as const }],
    },
  };
  return object(services, name, base as Overrides<Service>, overrides);
}
