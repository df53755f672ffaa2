// kube-proxy's own metrics, under upstream's names (pkg/proxy/metrics) and with its label for the family.

import type { Metrics } from "@picokube/component-base/metrics";
import type { IpFamily } from "./ip-family.js";
import type { ChangeKind } from "./pending-changes.js";
import type { RuleTableName } from "./rule-table.js";

export interface SyncFacts {
  readonly durationMs: number;
  readonly isFull: boolean;
  /** Rules there are, and those that this sync wrote. */
  readonly rules: Readonly<Record<RuleTableName, number>>;
  readonly written: Readonly<Record<RuleTableName, number>>;
  /** Service ports under a Local policy that have endpoints, but none here. */
  readonly noLocalEndpoints: { readonly internal: number; readonly external: number };
}

export interface ProxyMetrics {
  changed(family: IpFamily, kind: ChangeKind): void;
  /** Services that wait for a change of that kind to be written. */
  pending(family: IpFamily, kind: ChangeKind, services: number): void;
  queued(family: IpFamily): void;
  synced(family: IpFamily, facts: SyncFacts): void;
  failed(family: IpFamily, facts: { readonly isFull: boolean }): void;
  /** From a pod's or Service's change to its rules being there. */
  programmed(family: IpFamily, latencyMs: number): void;
  /** Flows that led nowhere were looked for. */
  flowsCleaned(family: IpFamily, facts: { readonly deleted: number; readonly durationMs: number }): void;
  answered(path: "healthz" | "livez", code: number): void;
}

const exponential = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i);
const programming = [
  ...[0, 0.25, 0.5],
  ...Array.from({ length: 59 }, (_, i) => 1 + i),
  ...Array.from({ length: 12 }, (_, i) => 60 + 5 * i),
  ...Array.from({ length: 7 }, (_, i) => 120 + 30 * i),
];

export function createProxyMetrics(metrics: Metrics): ProxyMetrics {
  const name = (rest: string) => `kubeproxy_${rest}`;
  const labels = ["ip_family"] as const;
  const duration = (kind: string, help: string) =>
    metrics.histogram({ name: name(`sync_${kind}proxy_rules_duration_seconds`), help, labels, buckets: exponential });
  const all = duration("", "SyncProxyRules latency in seconds");
  const full = duration("full_", "SyncProxyRules latency in seconds for full resyncs");
  const partial = duration("partial_", "SyncProxyRules latency in seconds for partial resyncs");
  const gauge = (rest: string, help: string) => metrics.gauge({ name: name(rest), help, labels });
  const counter = (rest: string, help: string) => metrics.counter({ name: name(rest), help, labels });
  const lastSync = gauge(
    "sync_proxy_rules_last_timestamp_seconds",
    "The last time proxy rules were successfully synced",
  );
  const lastQueued = gauge(
    "sync_proxy_rules_last_queued_timestamp_seconds",
    "The last time a sync of proxy rules was queued",
  );
  const changes = {
    endpoint: {
      pending: gauge("sync_proxy_rules_endpoint_changes_pending", "Pending proxy rules Endpoint changes"),
      total: counter("sync_proxy_rules_endpoint_changes_total", "Cumulative proxy rules Endpoint changes"),
    },
    service: {
      pending: gauge("sync_proxy_rules_service_changes_pending", "Pending proxy rules Service changes"),
      total: counter("sync_proxy_rules_service_changes_total", "Cumulative proxy rules Service changes"),
    },
  };
  const byTable = (rest: string, help: string) =>
    metrics.gauge({ name: name(rest), help, labels: ["table", "ip_family"] as const });
  const rulesTotal = byTable("sync_proxy_rules_iptables_total", "Total number of iptables rules owned by kube-proxy");
  const rulesLast = byTable(
    "sync_proxy_rules_iptables_last",
    "Number of iptables rules written by kube-proxy in last sync",
  );
  const failures = counter(
    "sync_proxy_rules_iptables_restore_failures_total",
    "Cumulative proxy iptables restore failures",
  );
  const partialFailures = counter(
    "sync_proxy_rules_iptables_partial_restore_failures_total",
    "Cumulative proxy iptables partial restore failures",
  );
  const noLocal = metrics.gauge({
    name: name("sync_proxy_rules_no_local_endpoints_total"),
    help: "Number of services with a Local traffic policy and no endpoints",
    labels: ["traffic_policy", "ip_family"] as const,
  });
  const latency = metrics.histogram({
    name: name("network_programming_duration_seconds"),
    help: "In Cluster Network Programming Latency in seconds",
    labels,
    buckets: programming,
  });
  const flowsLatency = metrics.histogram({
    name: name("conntrack_reconciler_sync_duration_seconds"),
    help: "ReconcileConntrackFlowsLatency latency in seconds",
    labels,
    buckets: exponential,
  });
  const flowsDeleted = counter(
    "conntrack_reconciler_deleted_entries_total",
    "Cumulative conntrack flows deleted by conntrack reconciler",
  );
  const answers = {
    healthz: metrics.counter({
      name: "kubeproxy_proxy_healthz_total",
      help: "Cumulative proxy healthz HTTP status",
      labels: ["code"] as const,
    }),
    livez: metrics.counter({
      name: "kubeproxy_proxy_livez_total",
      help: "Cumulative proxy livez HTTP status",
      labels: ["code"] as const,
    }),
  };
  return {
    changed: (ip_family, kind) => changes[kind].total.inc({ ip_family }),
    pending: (ip_family, kind, services) => changes[kind].pending.set({ ip_family }, services),
    queued: (ip_family) => lastQueued.set({ ip_family }, Date.now() / 1000),
    synced(ip_family, facts) {
      for (const histogram of [all, facts.isFull ? full : partial])
        histogram.observe({ ip_family }, facts.durationMs / 1000);
      lastSync.set({ ip_family }, Date.now() / 1000);
      for (const table of ["filter", "nat"] as const) {
        rulesTotal.set({ table, ip_family }, facts.rules[table]);
        rulesLast.set({ table, ip_family }, facts.written[table]);
      }
      for (const traffic_policy of ["internal", "external"] as const)
        noLocal.set({ traffic_policy, ip_family }, facts.noLocalEndpoints[traffic_policy]);
    },
    failed(ip_family, { isFull }) {
      failures.inc({ ip_family });
      if (!isFull) partialFailures.inc({ ip_family });
    },
    programmed: (ip_family, latencyMs) => latency.observe({ ip_family }, Math.max(0, latencyMs) / 1000),
    flowsCleaned(ip_family, { deleted, durationMs }) {
      flowsLatency.observe({ ip_family }, durationMs / 1000);
      flowsDeleted.inc({ ip_family }, deleted);
    },
    answered: (path, code) => answers[path].inc({ code: String(code) }),
  };
}
