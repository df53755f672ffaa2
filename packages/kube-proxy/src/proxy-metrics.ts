// kube-proxy's own metrics, under upstream's names.

import type { Metrics } from "@picokube/component-base/metrics";

export interface ProxyMetrics {
  synced(facts: { durationMs: number; services: number; chains: number }): void;
  failed(): void;
}

export function createProxyMetrics(metrics: Metrics): ProxyMetrics {
  const duration = metrics.histogram({
    name: "kubeproxy_sync_proxy_rules_duration_seconds",
    help: "SyncProxyRules latency in seconds",
    buckets: [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384],
  });
  const last = metrics.gauge({
    name: "kubeproxy_sync_proxy_rules_last_timestamp_seconds",
    help: "The last time proxy rules were successfully synced",
  });
  const failures = metrics.counter({
    name: "kubeproxy_sync_proxy_rules_iptables_restore_failures_total",
    help: "Cumulative proxy iptables restore failures",
  });
  const services = metrics.gauge({
    name: "kubeproxy_sync_proxy_rules_services",
    help: "Services with proxied ports at the last sync",
  });
  const chains = metrics.gauge({
    name: "kubeproxy_sync_proxy_rules_chains_written",
    help: "Chains written or removed by the last sync",
  });
  return {
    synced(facts) {
      duration.observe(facts.durationMs / 1000);
      last.set(Date.now() / 1000);
      services.set(facts.services);
      chains.set(facts.chains);
    },
    failed: () => failures.inc(),
  };
}
