// The default FlowSchemas and PriorityLevelConfigurations, as data (upstream: pkg/apis/flowcontrol/bootstrap). Made if
// absent, never changed: their values are for people to tune.

import { flowschemas, prioritylevelconfigurations } from "@picokube/api/flowcontrol/v1";
import type { StorageRegistry } from "../storage/resource-storage.js";
import { ensure } from "./ensure.js";

interface Level {
  readonly name: string;
  readonly shares: number;
  readonly lendablePercent: number;
  /** Left out: requests above the limit are rejected at once. */
  readonly queuing?: { queues: number; handSize: number; queueLengthLimit: number };
}

const queues = (count: number, handSize: number) => ({ queues: count, handSize, queueLengthLimit: 50 });

const LEVELS: readonly Level[] = [
  { name: "catch-all", shares: 5, lendablePercent: 0 },
  { name: "system", shares: 30, lendablePercent: 33, queuing: queues(64, 6) },
  { name: "node-high", shares: 40, lendablePercent: 25, queuing: queues(64, 6) },
  { name: "leader-election", shares: 10, lendablePercent: 0, queuing: queues(16, 4) },
  { name: "workload-high", shares: 40, lendablePercent: 50, queuing: queues(128, 6) },
  { name: "workload-low", shares: 100, lendablePercent: 90, queuing: queues(128, 6) },
  { name: "global-default", shares: 20, lendablePercent: 50, queuing: queues(128, 6) },
];

type Subject =
  | { kind: "Group"; group: { name: string } }
  | { kind: "User"; user: { name: string } }
  | { kind: "ServiceAccount"; serviceAccount: { namespace: string; name: string } };

const group = (name: string): Subject => ({ kind: "Group", group: { name } });
const user = (name: string): Subject => ({ kind: "User", user: { name } });
const account = (name: string): Subject => ({
  kind: "ServiceAccount",
  serviceAccount: { namespace: "kube-system", name },
});

const EVERYTHING = [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], clusterScope: true }];
const EVERY_PATH = [{ verbs: ["*"], nonResourceURLs: ["*"] }];
const LEASES = ["get", "create", "update"];

const EVERY_LEASE = [{ verbs: LEASES, apiGroups: ["coordination.k8s.io"], resources: ["leases"], namespaces: ["*"] }];

interface Schema {
  readonly name: string;
  readonly level: string;
  readonly precedence: number;
  /** Left out: requests of one flow are not told apart. */
  readonly by?: "ByUser" | "ByNamespace";
  readonly subjects: readonly Subject[];
  readonly resourceRules?: readonly object[];
  readonly nonResourceRules?: readonly object[];
}

const all = { resourceRules: EVERYTHING, nonResourceRules: EVERY_PATH };
const everyone = [group("system:unauthenticated"), group("system:authenticated")];

const SCHEMAS: readonly Schema[] = [
  { name: "exempt", level: "exempt", precedence: 1, subjects: [group("system:masters")], ...all },
  {
    name: "probes",
    level: "exempt",
    precedence: 2,
    subjects: everyone,
    nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] }],
  },
  {
    name: "system-leader-election",
    level: "leader-election",
    precedence: 100,
    by: "ByUser",
    subjects: [user("system:kube-controller-manager"), user("system:kube-scheduler"), account("*")],
    resourceRules: EVERY_LEASE,
  },
  {
    name: "endpoint-controller",
    level: "workload-high",
    precedence: 150,
    by: "ByUser",
    subjects: [
      user("system:kube-controller-manager"),
      account("endpoint-controller"),
      account("endpointslicemirroring-controller"),
    ],
    resourceRules: [
      { verbs: ["get", "create", "update"], apiGroups: [""], resources: ["endpoints"], namespaces: ["*"] },
    ],
  },
  {
    name: "workload-leader-election",
    level: "leader-election",
    precedence: 200,
    by: "ByUser",
    subjects: [account("*")],
    resourceRules: EVERY_LEASE,
  },
  {
    name: "system-node-high",
    level: "node-high",
    precedence: 400,
    by: "ByUser",
    subjects: [group("system:nodes")],
    resourceRules: [
      { verbs: ["*"], apiGroups: [""], resources: ["nodes", "nodes/status"], namespaces: ["*"], clusterScope: true },
      { verbs: ["*"], apiGroups: ["coordination.k8s.io"], resources: ["leases"], namespaces: ["*"] },
    ],
  },
  { name: "system-nodes", level: "system", precedence: 500, by: "ByUser", subjects: [group("system:nodes")], ...all },
  {
    name: "kube-controller-manager",
    level: "workload-high",
    precedence: 800,
    by: "ByNamespace",
    subjects: [user("system:kube-controller-manager")],
    ...all,
  },
  {
    name: "kube-scheduler",
    level: "workload-high",
    precedence: 800,
    by: "ByNamespace",
    subjects: [user("system:kube-scheduler")],
    ...all,
  },
  {
    name: "kube-system-service-accounts",
    level: "workload-high",
    precedence: 900,
    by: "ByNamespace",
    subjects: [account("*")],
    ...all,
  },
  {
    name: "service-accounts",
    level: "workload-low",
    precedence: 9000,
    by: "ByUser",
    subjects: [group("system:serviceaccounts")],
    ...all,
  },
  { name: "global-default", level: "global-default", precedence: 9900, by: "ByUser", subjects: everyone, ...all },
  { name: "catch-all", level: "catch-all", precedence: 10000, by: "ByUser", subjects: everyone, ...all },
];

const metadata = (name: string) => ({
  name,
  annotations: { "apf.kubernetes.io/autoupdate-spec": "true" },
});

/** Makes the defaults that are absent. */
export async function bootstrapFlowControl(storage: StorageRegistry): Promise<void> {
  const levels = LEVELS.map(({ name, shares, lendablePercent, queuing }) => ({
    metadata: metadata(name),
    spec: {
      type: "Limited" as const,
      limited: {
        nominalConcurrencyShares: shares,
        lendablePercent,
        limitResponse: queuing ? { type: "Queue" as const, queuing } : { type: "Reject" as const },
      },
    },
  }));
  const exempt = {
    metadata: metadata("exempt"),
    spec: { type: "Exempt" as const, exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  };
  const schemas = SCHEMAS.map(({ name, level, precedence, by, subjects, resourceRules, nonResourceRules }) => ({
    metadata: metadata(name),
    spec: {
      priorityLevelConfiguration: { name: level },
      matchingPrecedence: precedence,
      ...(by ? { distinguisherMethod: { type: by } } : {}),
      rules: [
        {
          subjects: [...subjects],
          ...(resourceRules ? { resourceRules } : {}),
          ...(nonResourceRules ? { nonResourceRules } : {}),
        },
      ],
    },
  }));
  type Wanted<T> = T & Parameters<typeof ensure>[2];
  await Promise.all([
    ...[exempt, ...levels].map((level) =>
      ensure(storage, prioritylevelconfigurations, level as Wanted<typeof level> as never),
    ),
    ...schemas.map((schema) => ensure(storage, flowschemas, schema as Wanted<typeof schema> as never)),
  ]);
}
