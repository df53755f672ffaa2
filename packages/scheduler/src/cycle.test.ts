// Whole cycles with all plugins, by table: where a pod goes, or upstream's words for why it goes nowhere.

import type { Node, Pod } from "@picokube/api/core/v1";
import { node, type Overrides, pod } from "@picokube/testing/builders";
import { test } from "tap";
import { SchedulerCache } from "./cache.js";
import { feasibleNodesToFind, runCycle } from "./cycle.js";
import { fitErrorMessage, preemptionMessage } from "./framework/fit-error.js";
import type { Lookups } from "./framework/plugin.js";
import { podInfoOf } from "./framework/pod-info.js";
import { noVolumes } from "./framework/volume-lookups.js";
import { defaultPlugins } from "./plugins/index.js";

const lookups: Lookups = { namespaceLabels: () => ({}), siblingSelector: () => undefined, volumes: noVolumes };

/** The node's name, or the message of FailedScheduling. */
function schedule(incoming: Pod, nodes: readonly Node[], standing: readonly Pod[] = []): string {
  const cache = new SchedulerCache();
  for (const each of nodes) cache.setNode(each);
  for (const each of standing) cache.addPod(each);
  const verdict = runCycle(podInfoOf(incoming), { plugins: defaultPlugins(lookups), snapshot: cache, random: () => 0 });
  if (verdict.kind === "scheduled") return verdict.node;
  const never = incoming.spec?.preemptionPolicy === "Never";
  return fitErrorMessage(verdict.diagnosis, preemptionMessage(verdict.diagnosis, { never }));
}

const spec = (overrides: NonNullable<Overrides<Pod>["spec"]>) =>
  pod("p", { metadata: { labels: { app: "web" } }, spec: overrides });
const asking = (requests: Record<string, string>) =>
  spec({ containers: [{ name: "c", image: "i", resources: { requests } }] });
const on = (nodeName: string, overrides: Overrides<Pod> = {}) =>
  pod(`on-${nodeName}-${Math.random()}`, { ...overrides, spec: { nodeName, ...overrides.spec } });
const labelled = (name: string, labels: Record<string, string>) =>
  node(name, { metadata: { labels: { "kubernetes.io/hostname": name, ...labels } } });
const tainted = (name: string, effect: "NoSchedule" | "PreferNoSchedule" = "NoSchedule") =>
  node(name, { spec: { taints: [{ key: "dedicated", value: "db", effect }] } });
const web = { metadata: { labels: { app: "web" } } };
const term = { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "web" } } };

test("why no node will do", (t) => {
  const helpless = (count: number) =>
    `preemption: 0/${count} nodes are available: ${count} Preemption is not helpful for scheduling.`;
  const noVictims = (count: number) =>
    `preemption: 0/${count} nodes are available: ${count} No preemption victims found for incoming pod.`;
  const rows: [name: string, said: string, expected: string][] = [
    ["no nodes", schedule(pod("p"), []), "no nodes available to schedule pods"],
    [
      "cpu and taints",
      schedule(
        asking({ cpu: "3" }),
        [node("a"), tainted("b"), tainted("c")],
        [on("a", { spec: asking({ cpu: "2" }).spec! as never })],
      ),
      "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {dedicated: db}. " +
        "preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.",
    ],
    [
      "too big for any",
      schedule(asking({ cpu: "64", memory: "1Ti" }), [node("a")]),
      `0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. ${helpless(1)}`,
    ],
    [
      "too many pods",
      schedule(pod("p"), [node("a", { status: { allocatable: { pods: "0", cpu: "1" } } })]),
      `0/1 nodes are available: 1 Too many pods. ${noVictims(1)}`,
    ],
    [
      "cordoned",
      schedule(pod("p"), [node("a", { spec: { unschedulable: true } })]),
      `0/1 nodes are available: 1 node(s) were unschedulable. ${helpless(1)}`,
    ],
    [
      "node selector",
      schedule(spec({ nodeSelector: { disk: "ssd" } }), [node("a"), node("b")]),
      `0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector. ${helpless(2)}`,
    ],
    [
      "named node is another",
      schedule(
        spec({
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["gone"] }] }],
              },
            },
          },
        }),
        [node("a"), node("b")],
      ),
      `0/2 nodes are available: 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. ${helpless(2)}`,
    ],
    [
      "host port",
      schedule(
        spec({ containers: [{ name: "c", ports: [{ containerPort: 80, hostPort: 80 }] }] }),
        [node("a")],
        [
          on("a", {
            spec: { containers: [{ name: "c", ports: [{ containerPort: 8080, hostPort: 80, hostIP: "127.0.0.1" }] }] },
          }),
        ],
      ),
      `0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. ${noVictims(1)}`,
    ],
    [
      "pod affinity",
      schedule(
        spec({
          affinity: {
            podAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                { ...term, labelSelector: { matchLabels: { app: "db" } } },
              ],
            },
          },
        }),
        [node("a")],
      ),
      `0/1 nodes are available: 1 node(s) didn't match pod affinity rules. ${helpless(1)}`,
    ],
    [
      "pod anti-affinity",
      schedule(
        spec({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }),
        [node("a")],
        [on("a", web)],
      ),
      `0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules. ${noVictims(1)}`,
    ],
    [
      "anti-affinity of a standing pod",
      schedule(
        pod("p", web),
        [node("a")],
        [
          on("a", {
            spec: { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } },
          }),
        ],
      ),
      `0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules. ${noVictims(1)}`,
    ],
    [
      "topology spread",
      schedule(
        spec({
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: "zone",
              whenUnsatisfiable: "DoNotSchedule",
              labelSelector: { matchLabels: { app: "web" } },
            },
          ],
        }),
        [labelled("a", { zone: "1" }), labelled("b", { zone: "2" }), node("c")].map((each, index) =>
          index === 1 ? { ...each, spec: { unschedulable: true } } : each,
        ),
        [on("a", web)],
      ),
      "0/3 nodes are available: 1 node(s) didn't match pod topology spread constraints, 1 node(s) didn't match pod topology spread constraints (missing required label), 1 node(s) were unschedulable. " +
        "preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.",
    ],
    [
      "no preemption wanted",
      schedule(spec({ preemptionPolicy: "Never", nodeSelector: { a: "b" } }), [node("a")]),
      "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: not eligible due to preemptionPolicy=Never.",
    ],
  ];
  for (const [name, said, expected] of rows) t.equal(said, expected, name);
  t.end();
});

test("which node is best", (t) => {
  const rows: [name: string, chosen: string, expected: string][] = [
    [
      "the emptier",
      schedule(
        pod("p"),
        [node("a"), node("b")],
        [on("a", { spec: asking({ cpu: "2", memory: "1Gi" }).spec! as never })],
      ),
      "b",
    ],
    ["the one without a soft taint", schedule(pod("p"), [tainted("a", "PreferNoSchedule"), node("b")]), "b"],
    [
      "the only one that is borne",
      schedule(
        spec({
          tolerations: [{ key: "dedicated", operator: "Equal", value: "db", effect: "NoSchedule" }],
          nodeSelector: { "kubernetes.io/hostname": "b" },
        }),
        [node("a"), { ...tainted("b"), metadata: labelled("b", {}).metadata }],
      ),
      "b",
    ],
    [
      "the preferred",
      schedule(
        spec({
          affinity: {
            nodeAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                { weight: 1, preference: { matchExpressions: [{ key: "disk", operator: "In", values: ["ssd"] }] } },
              ],
            },
          },
        }),
        [node("a"), labelled("b", { disk: "ssd" })],
      ),
      "b",
    ],
    [
      "the one with the image",
      schedule(
        spec({ containers: [{ name: "c", image: "nginx" }] }),
        [
          node("a"),
          node("b", { status: { images: [{ names: ["nginx:latest"], sizeBytes: 900 * 1024 * 1024 }] } as never }),
          node("c"),
        ].map((each) => ({ ...each, status: { ...node("x").status, ...each.status } })),
      ),
      "b",
    ],
    [
      "beside a friend",
      schedule(
        spec({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }),
        [node("a"), node("b")],
        [on("b", web)],
      ),
      "b",
    ],
    [
      "the first of its group anywhere",
      schedule(spec({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }), [
        node("a"),
      ]),
      "a",
    ],
    [
      "apart from its like",
      schedule(
        spec({
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: "kubernetes.io/hostname",
              whenUnsatisfiable: "ScheduleAnyway",
              labelSelector: { matchLabels: { app: "web" } },
            },
          ],
        }),
        [node("a"), node("b")],
        [on("a", web)],
      ),
      "b",
    ],
  ];
  for (const [name, chosen, expected] of rows) t.equal(chosen, expected, name);
  t.end();
});

test("how many feasible nodes are enough", (t) => {
  const rows: [nodes: number, percentage: number, enough: number][] = [
    [10, 0, 10],
    [99, 30, 99],
    [100, 0, 100],
    [1000, 0, 420],
    [6000, 0, 300],
    [1000, 100, 1000],
    [1000, 40, 400],
  ];
  for (const [nodes, percentage, enough] of rows) t.equal(feasibleNodesToFind(nodes, percentage), enough);
  t.end();
});
