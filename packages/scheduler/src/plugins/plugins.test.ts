// Plugins by table: their predicates, scores and queueing hints one at a time.

import { requiredNodeAffinityMatches } from "@picokube/api/core/node-affinity";
import { tolerates } from "@picokube/api/core/tolerations";
import { node, pod } from "@picokube/testing/builders";
import { test } from "tap";
import { nodeInfoOf } from "../framework/node-info.js";
import { normalizeByMaximum } from "../framework/plugin.js";
import { podInfoOf } from "../framework/pod-info.js";
import { normalizedImageName } from "./image-locality.js";
import { portsConflict } from "./node-ports.js";
import { nodeResourcesBalancedAllocation } from "./node-resources-balanced-allocation.js";
import { nodeResourcesFit } from "./node-resources-fit.js";
import { podTopologySpread } from "./pod-topology-spread.js";
import { taintToleration } from "./taint-toleration.js";

test("tolerations", (t) => {
  const taint = { key: "k", value: "v", effect: "NoSchedule" } as const;
  const rows: [toleration: Parameters<typeof tolerates>[0] & {}, expected: boolean][] = [
    [[], false],
    [[{ key: "k", operator: "Equal", value: "v", effect: "NoSchedule" }], true],
    [[{ key: "k", value: "v" }], true],
    [[{ key: "k", operator: "Equal", value: "w" }], false],
    [[{ key: "k", operator: "Exists" }], true],
    [[{ operator: "Exists" }], true],
    [[{ operator: "Exists", effect: "NoExecute" }], false],
    [[{ key: "other", operator: "Exists" }], false],
  ];
  for (const [tolerations, expected] of rows)
    t.equal(tolerates(tolerations, taint), expected, JSON.stringify(tolerations));
  t.end();
});

test("node affinity", (t) => {
  const labels = { disk: "ssd", cores: "8" };
  const term = (key: string, operator: string, ...values: string[]) => ({
    matchExpressions: [{ key, operator: operator as "In", values }],
  });
  const rows: [terms: object[], expected: boolean][] = [
    [[term("disk", "In", "ssd", "nvme")], true],
    [[term("disk", "NotIn", "ssd")], false],
    [[term("none", "NotIn", "ssd")], true],
    [[term("none", "DoesNotExist")], true],
    [[term("cores", "Gt", "4")], true],
    [[term("cores", "Lt", "4")], false],
    [[term("disk", "In", "hdd"), term("cores", "Exists")], true],
    [[{}], false],
    [[{ matchFields: [{ key: "metadata.name", operator: "In", values: ["n"] }] }], true],
  ];
  for (const [nodeSelectorTerms, expected] of rows) {
    const required = { nodeSelectorTerms: nodeSelectorTerms as never };
    const incoming = pod("p", {
      spec: { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } } },
    });
    t.equal(requiredNodeAffinityMatches(incoming, { name: "n", labels }), expected, JSON.stringify(nodeSelectorTerms));
  }
  t.end();
});

test("host ports", (t) => {
  const port = (ip: string, number = 80, protocol = "TCP") => ({ ip, port: number, protocol });
  t.ok(portsConflict(port("0.0.0.0"), port("127.0.0.1")));
  t.ok(portsConflict(port("127.0.0.1"), port("127.0.0.1")));
  t.notOk(portsConflict(port("127.0.0.1"), port("192.0.2.1")));
  t.notOk(portsConflict(port("0.0.0.0"), port("0.0.0.0", 80, "UDP")));
  t.notOk(portsConflict(port("0.0.0.0"), port("0.0.0.0", 81)));
  t.end();
});

test("resources: scores", (t) => {
  const asking = (requests: Record<string, string>) =>
    podInfoOf(pod(`p-${JSON.stringify(requests)}`, { spec: { containers: [{ name: "c", resources: { requests } }] } }));
  const empty = nodeInfoOf(node("n", { status: { allocatable: { cpu: "4", memory: "8Gi", pods: "110" } } }));
  const half = nodeInfoOf(empty.node, [asking({ cpu: "2", memory: "4Gi" })]);
  const rows: [requests: Record<string, string>, least: number, most: number, balanced: number][] = [
    [{ cpu: "1", memory: "2Gi" }, 75, 25, 100],
    [{ cpu: "4", memory: "0" }, 50, 50, 50],
    [{ cpu: "2", memory: "8Gi" }, 25, 75, 75],
  ];
  for (const [requests, least, most, balanced] of rows) {
    const info = asking(requests);
    const resources = [
      { name: "cpu", weight: 1 },
      { name: "memory", weight: 1 },
    ];
    t.equal(nodeResourcesFit().score!(info, empty, undefined), least);
    t.equal(nodeResourcesFit({ type: "MostAllocated", resources }).score!(info, empty, undefined), most);
    t.equal(nodeResourcesBalancedAllocation.score!(info, empty, undefined), balanced);
  }
  t.equal(nodeResourcesFit().score!(asking({ cpu: "1", memory: "2Gi" }), half, undefined), 25);
  t.end();
});

test("queueing hints", (t) => {
  const fit = nodeResourcesFit();
  const big = podInfoOf(pod("big", { spec: { containers: [{ name: "c", resources: { requests: { cpu: "3" } } }] } }));
  const sized = (cpu: string) => node("n", { status: { allocatable: { cpu, memory: "8Gi", pods: "10" } } });
  const nodeEvent = (current: ReturnType<typeof node>) => ({ resource: "node" as const, previous: undefined, current });
  t.notOk(fit.mayHelp!(big, nodeEvent(sized("2"))), "a node that is too small even when empty");
  t.ok(fit.mayHelp!(big, nodeEvent(sized("4"))));
  t.ok(fit.mayHelp!(big, { resource: "assignedPod", previous: big.pod, current: undefined }), "a pod has gone");
  t.notOk(fit.mayHelp!(big, { resource: "assignedPod", previous: undefined, current: big.pod }), "a pod has come");
  const tainted = node("n", { spec: { taints: [{ key: "a", effect: "NoSchedule" }] } });
  t.notOk(taintToleration.mayHelp!(big, nodeEvent(tainted)));
  t.ok(taintToleration.mayHelp!(big, nodeEvent(node("n"))));
  const gone = { resource: "nodeGone" as const, previous: node("n") };
  const spread = podTopologySpread({ siblingSelector: () => undefined });
  t.ok(spread.mayHelp!(big, gone), "the emptiest domain may have gone");
  t.notOk(fit.mayHelp!(big, gone), "one node less makes no room");
  t.end();
});

test("small things", (t) => {
  t.same(normalizeByMaximum([0, 5, 10]), [0, 50, 100]);
  t.same(normalizeByMaximum([0, 5, 10], { reverse: true }), [100, 50, 0]);
  t.same(normalizeByMaximum([0, 0], { reverse: true }), [100, 100]);
  for (const [image, normal] of [
    ["nginx", "nginx:latest"],
    ["host:5000/nginx", "host:5000/nginx:latest"],
    ["nginx:1.27", "nginx:1.27"],
  ]) {
    t.equal(normalizedImageName(image!), normal);
  }
  t.end();
});
