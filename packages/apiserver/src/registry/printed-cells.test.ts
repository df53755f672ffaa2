// What the less usual objects show in their Tables, as upstream's printers have it. The usual ones are printed by kubectl
// in test/e2e/reads.test.ts.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import { groupResourceName } from "@picokube/api/resource";
import { test } from "tap";
import { builtinDefinitions } from "./index.js";
import type { ResourceDefinition } from "./resource-definition.js";

const NOW = Date.parse("2024-01-01T01:00:00Z");
const before = (seconds: number) => new Date(NOW - seconds * 1000).toISOString().replace(".000Z", "Z");

const definitions = new Map<string, ResourceDefinition>(
  builtinDefinitions({
    serviceCidrs: ["10.96.0.0/16"],
    nodePortRange: { from: 30000, to: 32767 },
    connect: {},
  }).map((definition) => [
    `${groupResourceName(definition.resource)}${definition.storedAs ? ` ${definition.resource.version}` : ""}`,
    definition,
  ]),
);

/** Resource, column, object without its name, and the cell. */
type Row = readonly [resource: string, column: string, object: object, cell: string | number | boolean];

const ready = { type: "Ready", status: "True" };
const running = { state: { running: {} }, ready: true };
const ended = (reason: string, exitCode = 0) => ({ state: { terminated: { reason, exitCode } }, ready: false });
const lastEnded = (seconds: number) => ({ lastState: { terminated: { exitCode: 1, finishedAt: before(seconds) } } });
const pod = (containers: object[], more: object = {}) => ({
  spec: { containers: containers.map(() => ({})) },
  status: { phase: "Running", containerStatuses: containers, ...more },
});
const hpa = (metric: object, current?: object) => ({
  spec: { scaleTargetRef: { kind: "Deployment", name: "web" }, maxReplicas: 3, metrics: [metric] },
  status: current ? { currentMetrics: [current] } : {},
});
const target = (value: object) => ({ target: value });
const condition = (type: string, status = "True") => ({ status: { conditions: [{ type, status }] } });
const deleted = { metadata: { deletionTimestamp: before(1) } };
const hosts = (...list: (string | undefined)[]) => ({ spec: { rules: list.map((host) => ({ host })) } });

const rows: readonly Row[] = [
  ["pods", "Age", { metadata: { creationTimestamp: before(53) } }, "53s"],
  ["pods", "Age", { metadata: {} }, "<unknown>"],
  ["pods", "Ready", pod([running, ended("Error", 1)]), "1/2"],
  ["pods", "Restarts", pod([{ ...running, restartCount: 2, ...lastEnded(300) }]), "2 (5m ago)"],
  ["pods", "Restarts", pod([{ ...running, restartCount: 2 }]), "2"],
  ["pods", "Status", pod([ended("", 3)]), "ExitCode:3"],
  ["pods", "Status", pod([{ state: { terminated: { signal: 9, exitCode: 0 } } }]), "Signal:9"],
  ["pods", "Status", pod([running, ended("Completed")], { conditions: [ready] }), "Running"],
  ["pods", "Status", pod([running, ended("Completed")]), "NotReady"],
  ["pods", "Status", { ...pod([running]), ...deleted }, "Terminating"],
  ["pods", "Status", { ...deleted, status: { phase: "Succeeded" } }, "Succeeded"],
  ["pods", "Status", { ...deleted, status: { phase: "Running", reason: "NodeLost" } }, "Unknown"],
  ["pods", "Status", { status: { phase: "Failed", reason: "Evicted" } }, "Evicted"],
  ["pods", "Status", condition("PodScheduled", "False"), ""],
  [
    "pods",
    "Status",
    {
      status: { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }] },
    },
    "SchedulingGated",
  ],
  ["pods", "IP", { status: {} }, "<none>"],
  ["nodes", "Status", { spec: { unschedulable: true }, status: {} }, "Unknown,SchedulingDisabled"],
  ["nodes", "Status", condition("Ready", "Unknown"), "NotReady"],
  [
    "nodes",
    "Roles",
    { metadata: { labels: { "node-role.kubernetes.io/worker": "", "kubernetes.io/role": "edge" } } },
    "edge,worker",
  ],
  ["nodes", "Roles", {}, "<none>"],
  ["services", "External-IP", { spec: { type: "LoadBalancer" } }, "<pending>"],
  [
    "services",
    "External-IP",
    {
      spec: { type: "LoadBalancer", externalIPs: ["192.0.2.1"] },
      status: {
        loadBalancer: { ingress: [{ ip: "203.0.113.9" }, { hostname: "lb.example.com" }, { ip: "10.0.0.1" }] },
      },
    },
    "10.0.0.1,203.0.113.9,lb.example.com,192.0.2.1",
  ],
  ["services", "External-IP", { spec: { type: "ExternalName", externalName: "example.com" } }, "example.com"],
  ["services", "Cluster-IP", { spec: { type: "ExternalName" } }, "<none>"],
  ["services", "Cluster-IP", { spec: { clusterIP: "None", clusterIPs: ["None"] } }, "None"],
  ["services", "Port(s)", { spec: {} }, "<none>"],
  ["endpoints", "Endpoints", {}, "<none>"],
  ["endpoints", "Endpoints", { subsets: [{ notReadyAddresses: [{ ip: "10.0.0.1" }], ports: [{ port: 1 }] }] }, ""],
  ["endpoints", "Endpoints", { subsets: [{ addresses: [{ ip: "fd00::1" }], ports: [{ port: 80 }] }] }, "[fd00::1]:80"],
  ["endpoints", "Endpoints", { subsets: [{ addresses: [{ ip: "10.0.0.1" }] }] }, "10.0.0.1"],
  ["endpointslices.discovery.k8s.io", "Ports", { ports: [{ name: "web" }, { port: 80 }, {}] }, "web,80,*"],
  ["endpointslices.discovery.k8s.io", "Ports", {}, "<unset>"],
  ["endpointslices.discovery.k8s.io", "Endpoints", { endpoints: [] }, "<unset>"],
  ["componentstatuses", "Status", {}, "Unknown"],
  ["componentstatuses", "Status", { conditions: [{ type: "Healthy", status: "False" }] }, "Unhealthy"],
  ["events", "Last Seen", { series: { lastObservedTime: before(7), count: 4 } }, "7s"],
  ["events", "Count", { series: { lastObservedTime: before(7), count: 4 } }, 4],
  ["events", "Count", { eventTime: before(7) }, 1],
  ["events", "Source", { reportingComponent: "kubelet", reportingInstance: "node-1" }, "kubelet, node-1"],
  ["persistentvolumes", "Status", { ...deleted, status: { phase: "Bound" } }, "Terminating"],
  ["persistentvolumes", "Access Modes", { spec: { accessModes: ["ReadWriteOncePod", "ReadOnlyMany"] } }, "ROX,RWOP"],
  ["persistentvolumeclaims", "Capacity", { status: { capacity: { storage: "1Gi" } } }, ""],
  ["deployments.apps", "Selector", { spec: { selector: {} } }, ""],
  [
    "deployments.apps",
    "Selector",
    { spec: { selector: { matchExpressions: [{ operator: "Odd", key: "a" }] } } },
    "<invalid>",
  ],
  ["replicasets.apps", "Selector", { spec: { selector: {} } }, "<none>"],
  ["controllerrevisions.apps", "Revision", { revision: 3 }, 3],
  [
    "controllerrevisions.apps",
    "Controller",
    { metadata: { ownerReferences: [{ apiVersion: "apps/v1", kind: "StatefulSet", name: "db", controller: true }] } },
    "statefulset.apps/db",
  ],
  ["jobs.batch", "Completions", { spec: { parallelism: 3 }, status: { succeeded: 1 } }, "1/1 of 3"],
  ["jobs.batch", "Completions", { spec: { parallelism: 1 } }, "0/1"],
  ["jobs.batch", "Status", condition("Complete"), "Complete"],
  ["jobs.batch", "Status", condition("Failed"), "Failed"],
  ["jobs.batch", "Status", { ...condition("Suspended"), ...deleted }, "Terminating"],
  ["jobs.batch", "Status", condition("FailureTarget"), "FailureTarget"],
  ["jobs.batch", "Status", {}, "Running"],
  ["jobs.batch", "Duration", { status: { startTime: before(100), completionTime: before(10) } }, "90s"],
  ["cronjobs.batch", "Suspend", { spec: {} }, "<unset>"],
  ["cronjobs.batch", "Last Schedule", { status: { lastScheduleTime: before(42) } }, "42s"],
  [
    "ingresses.networking.k8s.io",
    "Class",
    { metadata: { annotations: { "kubernetes.io/ingress.class": "n" } } },
    "<none>",
  ],
  ["ingresses.networking.k8s.io", "Hosts", hosts(undefined), "*"],
  ["ingresses.networking.k8s.io", "Hosts", hosts("a", "b", "c"), "a,b,c"],
  ["ingresses.networking.k8s.io", "Hosts", hosts("a", "b", "c", undefined, "d"), "a,b,c + 2 more..."],
  [
    "ingresses.networking.k8s.io",
    "Address",
    { status: { loadBalancer: { ingress: [{ ip: "10.0.0.2" }, { ip: "10.0.0.1" }] } } },
    "10.0.0.1,10.0.0.2",
  ],
  [
    "ipaddresses.networking.k8s.io",
    "ParentRef",
    { spec: { parentRef: { group: "Example.com", resource: "Things", name: "a" } } },
    "things.example.com/a",
  ],
  ["storageclasses.storage.k8s.io", "AllowVolumeExpansion", {}, false],
  [
    "csidrivers.storage.k8s.io",
    "TokenRequests",
    { spec: { tokenRequests: [{ audience: "a" }, { audience: "b" }] } },
    "a,b",
  ],
  ["csidrivers.storage.k8s.io", "Modes", { spec: {} }, "<none>"],
  ["priorityclasses.scheduling.k8s.io", "PreemptionPolicy", {}, ""],
  ["leases.coordination.k8s.io", "Holder", {}, ""],
  [
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
    "NominalConcurrencyShares",
    { spec: { limited: { nominalConcurrencyShares: 5 } } },
    5,
  ],
  ["prioritylevelconfigurations.flowcontrol.apiserver.k8s.io", "Queues", { spec: { type: "Exempt" } }, "<none>"],
  ["flowschemas.flowcontrol.apiserver.k8s.io", "MissingPL", condition("Dangling", "False"), "False"],
  ["flowschemas.flowcontrol.apiserver.k8s.io", "MissingPL", {}, "?"],
  [
    "certificatesigningrequests.certificates.k8s.io",
    "Condition",
    { status: { conditions: [{ type: "Approved" }], certificate: "eA==" } },
    "Approved,Issued",
  ],
  [
    "certificatesigningrequests.certificates.k8s.io",
    "Condition",
    { status: { conditions: [{ type: "Approved" }, { type: "Failed" }] } },
    "Approved,Failed",
  ],
  [
    "validatingadmissionpolicybindings.admissionregistration.k8s.io",
    "ParamRef",
    { spec: { paramRef: { name: "p" } } },
    "*/p",
  ],
  [
    "validatingadmissionpolicybindings.admissionregistration.k8s.io",
    "ParamRef",
    { spec: { paramRef: { name: "p", namespace: "n" } } },
    "n/p",
  ],
  [
    "validatingadmissionpolicybindings.admissionregistration.k8s.io",
    "ParamRef",
    { spec: { paramRef: { selector: { matchLabels: { b: "1", a: "2" } } } } },
    "&LabelSelector{MatchLabels:map[string]string{a: 2,b: 1,},MatchExpressions:[]LabelSelectorRequirement{},}",
  ],
  [
    "horizontalpodautoscalers.autoscaling",
    "Targets",
    hpa(
      { type: "Resource", resource: { name: "cpu", ...target({ averageUtilization: 80 }) } },
      { resource: { current: { averageUtilization: 12 } } },
    ),
    "cpu: 12%/80%",
  ],
  [
    "horizontalpodautoscalers.autoscaling",
    "Targets",
    hpa(
      { type: "Resource", resource: { name: "memory", ...target({ averageValue: "1Gi" }) } },
      { resource: { current: { averageValue: "5Mi" } } },
    ),
    "memory: 5Mi/1Gi",
  ],
  [
    "horizontalpodautoscalers.autoscaling",
    "Targets",
    hpa(
      { type: "External", external: target({ averageValue: "100m" }) },
      { external: { current: { averageValue: "50m" } } },
    ),
    "50m/100m (avg)",
  ],
  [
    "horizontalpodautoscalers.autoscaling",
    "Targets",
    hpa({ type: "Object", object: target({ value: "3" }) }),
    "<unknown>/3",
  ],
  ["horizontalpodautoscalers.autoscaling", "Targets", hpa({ type: "Odd" }), "<unknown type>"],
  ["horizontalpodautoscalers.autoscaling", "MinPods", hpa({ type: "Odd" }), "<unset>"],
  ["apiservices.apiregistration.k8s.io", "Available", {}, "Unknown"],
  [
    "resourcequotas",
    "Request",
    { status: { hard: { pods: "3", "requests.cpu": "1" }, used: { pods: "2" } } },
    "pods: 2/3, requests.cpu: 0/1",
  ],
];

test("cells are upstream's", async (t) => {
  for (const [resource, column, object, cell] of rows) {
    const { metadata = {}, ...rest } = object as { metadata?: object };
    const whole = { ...rest, metadata: { name: "sample", ...metadata } } as unknown as KubernetesObject;
    const found = definitions.get(resource)?.columns?.find(({ name }) => name === column);
    t.same(found?.cell(whole, NOW), cell, `${resource} ${column} ${JSON.stringify(object)}`);
  }
});

test("every column is described", async (t) => {
  for (const [resource, { columns = [] }] of definitions) {
    for (const column of columns) {
      const { get } = Object.getOwnPropertyDescriptor(column, "description") ?? {};
      t.type(get, "function", `${resource} ${column.name} is looked up when it is asked for, not at import`);
      t.match(column.description, /^\S.*\w/, `${resource} ${column.name}`);
    }
  }
  const words = (resource: string, column: string) =>
    definitions.get(resource)?.columns?.find(({ name }) => name === column)?.description;
  t.match(words("pods", "Name"), /^Name must be unique within a namespace\. Is required when creating resources/);
  t.match(words("pods", "IP"), /^podIP address allocated to the pod\./);
  t.equal(words("clusterrolebindings.rbac.authorization.k8s.io", "Users"), "Users in the clusterRoleBinding");
});

test("a pod that has ended says so in its row", async (t) => {
  const conditionsOf = (phase: string) =>
    definitions.get("pods")?.rowConditions?.({ metadata: { name: "a" }, status: { phase } } as never);
  const ended = { type: "Completed", status: "True" };
  t.same(conditionsOf("Succeeded"), [
    { ...ended, reason: "Succeeded", message: "The pod has completed successfully." },
  ]);
  t.same(conditionsOf("Failed"), [{ ...ended, reason: "Failed", message: "The pod failed." }]);
  t.same(conditionsOf("Running"), []);
});

test("FlowSchemas stand in the order that they are matched", async (t) => {
  const schema = (name: string, matchingPrecedence: number) => ({ metadata: { name }, spec: { matchingPrecedence } });
  const list = [schema("c", 9000), schema("b", 1), schema("d", 9000), schema("a", 9000)];
  const compare = definitions.get("flowschemas.flowcontrol.apiserver.k8s.io")!.compareRows!;
  const sorted = list.sort((a, b) => compare(a as never, b as never)).map(({ metadata }) => metadata.name);
  t.same(sorted, ["b", "a", "c", "d"]);
});
