// Whether the node takes a pod that was bound to it: operating system, room for one more, resources, affinity, host ports,
// taints. Mirrors upstream's lifecycle/predicate.go, its reasons and words. Pure; the manager rejects.

import { requiredNodeAffinityMatches } from "@picokube/api/core/node-affinity";
import { tolerates } from "@picokube/api/core/tolerations";
import type { Node, Pod } from "@picokube/api/core/v1";
import { podRequests } from "@picokube/api/pod";
import { parseQuantity, type Quantity } from "@picokube/api/quantity";
import { type HostPort, hostPortsOf } from "../network/host-ports.js";
import { isStaticPod } from "../status/status-manager.js";

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

/** In thousandths for cpu, else in the resource's own unit. */
export interface Shortage {
  readonly resource: string;
  readonly requested: number;
  readonly used: number;
  readonly capacity: number;
}

const osLabel = "kubernetes.io/os";

/** Upstream's InsufficientResourceError. */
function outOf({ resource, requested, used, capacity }: Shortage): Refusal {
  const figures = `requested: ${requested}, used: ${used}, capacity: ${capacity}`;
  return { reason: `OutOf${resource}`, message: `Node didn't have enough resource: ${resource}, ${figures}` };
}

/** Upstream's PredicateFailureError. */
function predicate(name: string, words: string): Refusal {
  return { reason: name, message: `Predicate ${name} failed: ${words}` };
}

/** How much of the resource the pod asks for. */
export function requestOf(pod: Pod, resource: string): number {
  if (resource === "pods") return 1;
  const wanted = podRequests(pod).get(resource);
  return wanted === undefined ? 0 : figureOf(resource, wanted);
}

const figureOf = (resource: string, quantity: Quantity) =>
  resource === "cpu" ? quantity.milliValue() : quantity.value();

/** What the node has too little of for the pod, beside the others. */
export function shortagesOf(pod: Pod, { others, node, maxPods }: Admission): Shortage[] {
  const allocatable = node?.status?.allocatable ?? {};
  const requests = [...podRequests(pod)].flatMap(([resource, wanted]) => {
    const text = allocatable[resource];
    // What the node does not name may be a cluster's own resource, kept by others.
    if (text === undefined || wanted.sign <= 0) return [];
    const used = others.reduce((sum, other) => sum + requestOf(other, resource), 0);
    const capacity = figureOf(resource, parseQuantity(text));
    return [{ resource, requested: figureOf(resource, wanted), used, capacity }];
  });
  return [{ resource: "pods", requested: 1, used: others.length, capacity: maxPods }, ...requests].filter(
    ({ requested, used, capacity }) => requested > capacity - used,
  );
}

const conflict = (a: HostPort, b: HostPort) =>
  a.hostPort === b.hostPort &&
  a.protocol === b.protocol &&
  (a.hostIp === b.hostIp || a.hostIp === "" || b.hostIp === "");

/** What no other pod's end would change, and upstream asks first. */
function osRefusal({ metadata, spec }: Pod): Refusal | undefined {
  if ((metadata.labels?.[osLabel] ?? "linux") !== "linux") {
    const message = `Failed to admit pod as the \`${osLabel}\` label doesn't match node label`;
    return { reason: "PodOSSelectorNodeLabelDoesNotMatch", message };
  }
  if ((spec?.os?.name ?? "linux") === "linux") return undefined;
  return { reason: "PodOSNotSupported", message: "Failed to admit pod as the OS field doesn't match node OS" };
}

/** Why the node refuses the pod, its resources aside. */
export function predicateRefusalOf(pod: Pod, { others, node }: Omit<Admission, "maxPods">): Refusal | undefined {
  if (node && !requiredNodeAffinityMatches(pod, { name: node.metadata.name, labels: node.metadata.labels ?? {} })) {
    return predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
  }
  const held = others.flatMap(hostPortsOf);
  if (hostPortsOf(pod).some((port) => held.some((other) => conflict(port, other)))) {
    return predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports");
  }
  const evicting = (node?.spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");
  if (!isStaticPod(pod) && evicting.some((taint) => !tolerates(pod.spec?.tolerations, taint))) {
    return predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate");
  }
  return undefined;
}

/** Why the node refuses the pod; undefined when it takes it. */
export function refusalOf(pod: Pod, admission: Admission): Refusal | undefined {
  const [shortage] = shortagesOf(pod, admission);
  return osRefusal(pod) ?? (shortage ? outOf(shortage) : predicateRefusalOf(pod, admission));
}
