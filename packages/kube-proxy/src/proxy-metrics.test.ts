import { createLogger } from "@picokube/component-base/logger";
import { createMetrics } from "@picokube/component-base/metrics";
import { test } from "tap";
import { registerCounters } from "./packet-counters.js";
import { createProxyMetrics } from "./proxy-metrics.js";
import { invalidDropped, localhostNodePortsAccepted } from "./rule-set.js";

/** Upstream's metrics of kube-proxy in iptables mode at 1.33, without the subsystem's name. */
const upstream = `conntrack_reconciler_deleted_entries_total counter
conntrack_reconciler_sync_duration_seconds histogram
iptables_ct_state_invalid_dropped_packets_total counter
iptables_localhost_nodeports_accepted_packets_total counter
network_programming_duration_seconds histogram
proxy_healthz_total counter
proxy_livez_total counter
sync_full_proxy_rules_duration_seconds histogram
sync_partial_proxy_rules_duration_seconds histogram
sync_proxy_rules_duration_seconds histogram
sync_proxy_rules_endpoint_changes_pending gauge
sync_proxy_rules_endpoint_changes_total counter
sync_proxy_rules_iptables_last gauge
sync_proxy_rules_iptables_partial_restore_failures_total counter
sync_proxy_rules_iptables_restore_failures_total counter
sync_proxy_rules_iptables_total gauge
sync_proxy_rules_last_queued_timestamp_seconds gauge
sync_proxy_rules_last_timestamp_seconds gauge
sync_proxy_rules_no_local_endpoints_total gauge
sync_proxy_rules_service_changes_pending gauge
sync_proxy_rules_service_changes_total counter`;

const facts = {
  durationMs: 20,
  rules: { filter: 3, nat: 9 },
  written: { filter: 0, nat: 2 },
  noLocalEndpoints: { internal: 1, external: 0 },
};

test("the metrics are upstream's, and tell what they are told", async (t) => {
  const metrics = createMetrics({ withProcess: false });
  const proxy = createProxyMetrics(metrics);
  registerCounters(metrics, new Set([invalidDropped, localhostNodePortsAccepted]), {
    prefix: "KUBE",
    logger: createLogger({ name: "test" }),
  });
  proxy.changed("IPv4", "endpoint");
  proxy.pending("IPv4", "endpoint", 1);
  proxy.synced("IPv4", { ...facts, isFull: true });
  proxy.synced("IPv4", { ...facts, isFull: false });
  proxy.failed("IPv4", { isFull: true });
  proxy.failed("IPv4", { isFull: false });
  proxy.programmed("IPv4", 300);
  proxy.flowsCleaned("IPv4", { deleted: 4, durationMs: 3 });
  proxy.answered("livez", 200);
  const text = await metrics.render();
  const families = [...text.matchAll(/^# TYPE kubeproxy_(.*)$/gm)].map(([, family]) => family);
  t.strictSame(families.sort(), upstream.split("\n"));

  const family = 'ip_family="IPv4"';
  for (const line of [
    `sync_proxy_rules_endpoint_changes_total{${family}} 1`,
    `sync_proxy_rules_endpoint_changes_pending{${family}} 1`,
    `sync_proxy_rules_duration_seconds_count{${family}} 2`,
    `sync_full_proxy_rules_duration_seconds_count{${family}} 1`,
    `sync_partial_proxy_rules_duration_seconds_count{${family}} 1`,
    `sync_proxy_rules_iptables_restore_failures_total{${family}} 2`,
    `sync_proxy_rules_iptables_partial_restore_failures_total{${family}} 1`,
    `sync_proxy_rules_iptables_total{table="nat",${family}} 9`,
    `sync_proxy_rules_iptables_last{table="nat",${family}} 2`,
    `sync_proxy_rules_no_local_endpoints_total{traffic_policy="internal",${family}} 1`,
    `network_programming_duration_seconds_bucket{le="0.5",${family}} 1`,
    `network_programming_duration_seconds_bucket{le="0.25",${family}} 0`,
    `conntrack_reconciler_deleted_entries_total{${family}} 4`,
    'proxy_livez_total{code="200"} 1',
  ])
    t.match(text, `kubeproxy_${line}\n`);
});
