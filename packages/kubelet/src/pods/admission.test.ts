// Which pods a node refuses, in upstream's words.

import type { Node, Pod, PodSpec } from "@picokube/api/core/v1";
import { test } from "tap";
import { refusalOf } from "./admission.js";
import { testPod } from "./observed.js";

const node = {
  metadata: { name: "n", labels: { disk: "ssd", zone: "a" } },
  status: { allocatable: { cpu: "2", memory: "1Gi", pods: "110", "hugepages-2Mi": "0", "example.com/dongle": "2" } },
} as unknown as Node;
const asking = (requests: Record<string, string>) =>
  testPod({ containers: [{ name: "c", image: "i", resources: { requests } }] });
const listening = (hostPort: number, fields: { hostIP?: string; protocol?: "TCP" | "UDP" } = {}) =>
  testPod({ containers: [{ name: "c", image: "i", ports: [{ containerPort: 80, hostPort, ...fields }] }] });
const selecting = (nodeSelector: PodSpec["nodeSelector"] & object) => testPod({ nodeSelector });
const affine = (zone: string) => {
  const term = { matchExpressions: [{ key: "zone", operator: "In" as const, values: [zone] }] };
  return testPod({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } },
  });
};
const labelled = (pod: Pod, metadata: Partial<Pod["metadata"]>): Pod => ({
  ...pod,
  metadata: { ...pod.metadata, ...metadata },
});
const taints = "TaintToleration: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate";
const ports = "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports";

test("admission", async (t) => {
  const rows: [what: string, pod: Pod, others: Pod[], expected: string | undefined][] = [
    ["room", testPod(), [testPod()], undefined],
    [
      "one pod too many",
      testPod(),
      [testPod(), testPod(), testPod()],
      "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3",
    ],
    ["cpu that fits", asking({ cpu: "500m" }), [asking({ cpu: "1500m" })], undefined],
    [
      "too much cpu",
      asking({ cpu: "600m" }),
      [asking({ cpu: "1" }), asking({ cpu: "500m" })],
      "OutOfcpu: Node didn't have enough resource: cpu, requested: 600, used: 1500, capacity: 2000",
    ],
    [
      "too much memory",
      asking({ memory: "2Gi" }),
      [],
      "OutOfmemory: Node didn't have enough resource: memory, requested: 2147483648, used: 0, capacity: 1073741824",
    ],
    [
      "huge pages the node does not have",
      asking({ "hugepages-2Mi": "4Mi" }),
      [],
      "OutOfhugepages-2Mi: Node didn't have enough resource: hugepages-2Mi, requested: 4194304, used: 0, capacity: 0",
    ],
    [
      "an extended resource that is taken",
      asking({ "example.com/dongle": "2" }),
      [asking({ "example.com/dongle": "1" })],
      "OutOfexample.com/dongle: Node didn't have enough resource: example.com/dongle, requested: 2, used: 1, capacity: 2",
    ],
    ["a resource of others", asking({ "example.com/foo": "1" }), [], undefined],
    ["nothing asked of a full node", testPod(), [asking({ cpu: "2" })], undefined],
    ["its label", selecting({ disk: "ssd" }), [], undefined],
    [
      "another label",
      selecting({ disk: "hdd" }),
      [],
      "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    ],
    ["its zone", affine("a"), [], undefined],
    [
      "another zone",
      affine("b"),
      [],
      "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    ],
    [
      "another operating system",
      testPod({ os: { name: "windows" } }),
      [testPod(), testPod(), testPod()],
      "PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS",
    ],
    [
      "labelled for another operating system",
      labelled(testPod(), { labels: { "kubernetes.io/os": "windows" } }),
      [],
      "PodOSSelectorNodeLabelDoesNotMatch: Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
    ],
    ["a free port", listening(80), [listening(81)], undefined],
    ["a port that is held", listening(80), [listening(80)], `NodePorts: ${ports}`],
    ["on one address, held on all", listening(80, { hostIP: "10.0.0.1" }), [listening(80)], `NodePorts: ${ports}`],
    ["of another protocol", listening(80, { protocol: "UDP" }), [listening(80)], undefined],
  ];
  for (const [what, pod, others, expected] of rows) {
    const refusal = refusalOf(pod, { others, node, maxPods: 3 });
    t.equal(refusal && `${refusal.reason}: ${refusal.message}`, expected, what);
  }
  t.equal(refusalOf(asking({ cpu: "9" }), { others: [], node: undefined, maxPods: 3 }), undefined, "node unknown");
});

test("NoExecute taints, which static pods do not heed", async (t) => {
  const tainted = (effect: string) => ({ ...node, spec: { taints: [{ key: "k", value: "v", effect }] } }) as Node;
  const judged = (pod: Pod, effect: string) => {
    const refusal = refusalOf(pod, { others: [], node: tainted(effect), maxPods: 3 });
    return refusal && `${refusal.reason}: ${refusal.message}`;
  };
  const tolerant = testPod({ tolerations: [{ key: "k", operator: "Exists" }] });
  t.equal(judged(testPod(), "NoExecute"), taints);
  t.equal(judged(testPod(), "NoSchedule"), undefined, "the scheduler's business");
  t.equal(judged(tolerant, "NoExecute"), undefined);
  const fromFile = labelled(testPod(), { annotations: { "kubernetes.io/config.source": "file" } });
  t.equal(judged(fromFile, "NoExecute"), undefined);
});
