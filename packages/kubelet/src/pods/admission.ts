// Whether the node takes a pod that was bound to it: room for one more, resources, labels, host ports. Mirrors
// upstream's lifecycle/predicate.go, its reasons and words. Pure; the manager rejects.

import type { Node, Pod } from "@picokube/api/core/v1";
import { podRequests } from "@picokube/api/pod";
import { parseQuantity, type Quantity } from "@picokube/api/quantity";
import { type HostPort, hostPortsOf } from "../network/host-ports.js";

export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

export interface Admission {
  /** Pods that are here already and not at their end. */
  readonly others: readonly Pod[];
  /** Undefined before the API has shown it: resources and labels are not held against the pod then. */
  readonly node: Node | undefined;
  readonly maxPods: number;
}

interface Shortage {
  readonly resource: string;
  readonly requested: number;
  readonly used: number;
  readonly capacity: number;
}

/** Upstream's InsufficientResourceError. */
function outOf({ resource, requested, used, capacity }: Shortage): Refusal {
  const figures = `requested: ${requested}, used: ${used}, capacity: ${capacity}`;
  return { reason: `OutOf${resource}`, message: `Node didn't have enough resource: ${resource}, ${figures}` };
}

/** Upstream's PredicateFailureError. */
function predicate(name: string, words: string): Refusal {
  return { reason: name, message: `Predicate ${name} failed: ${words}` };
}

function resourceShortage(pod: Pod, { others, node }: Admission): Refusal | undefined {
  const allocatable = node?.status?.allocatable ?? {};
  const used = others.map((other) => podRequests(other));
  for (const [resource, wanted] of podRequests(pod)) {
    const capacity = allocatable[resource];
    // What the node does not name may be a cluster's own resource, kept by others.
    if (capacity === undefined || wanted.sign <= 0) continue;
    const figure = (quantity: Quantity) => (resource === "cpu" ? quantity.milliValue() : quantity.value());
    const shortage = {
      resource,
      requested: figure(wanted),
      used: used.reduce((sum, requests) => sum + (requests.has(resource) ? figure(requests.get(resource)!) : 0), 0),
      capacity: figure(parseQuantity(capacity)),
    };
    if (shortage.requested > shortage.capacity - shortage.used) return outOf(shortage);
  }
  return undefined;
}

const conflict = (a: HostPort, b: HostPort) =>
  a.hostPort === b.hostPort &&
  a.protocol === b.protocol &&
  (a.hostIp === b.hostIp || a.hostIp === "" || b.hostIp === "");

/** Why the node refuses the pod; undefined when it takes it. */
export function refusalOf(pod: Pod, admission: Admission): Refusal | undefined {
  const { others, node, maxPods } = admission;
  if (others.length >= maxPods) {
    return outOf({ resource: "pods", requested: 1, used: others.length, capacity: maxPods });
  }
  const shortage = resourceShortage(pod, admission);
  if (shortage) return shortage;
  const labels = node?.metadata.labels ?? {};
  const selector = Object.entries(pod.spec?.nodeSelector ?? {});
  if (node && selector.some(([key, value]) => labels[key] !== value)) {
    return predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
  }
  const held = others.flatMap(hostPortsOf);
  if (hostPortsOf(pod).some((port) => held.some((other) => conflict(port, other)))) {
    return predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports");
  }
  return undefined;
}
