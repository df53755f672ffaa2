// kube-proxy: parses flags, wires the proxier to the cluster and to iptables, serves health and metrics.

import { writeFile } from "node:fs/promises";
import { createClientMetrics } from "@picokube/client/client-metrics";
import { loadKubeconfig } from "@picokube/client/kubeconfig";
import { createClient } from "@picokube/client/rest-client";
import { createInformerFactory } from "@picokube/client/shared-informer";
import { runCommand } from "@picokube/component-base/flags";
import { startHealthServer } from "@picokube/component-base/health-server";
import type { Logger } from "@picokube/component-base/logger";
import { createMetrics } from "@picokube/component-base/metrics";
import { sdNotify } from "@picokube/component-base/sd-notify";
import { createIptables } from "./iptables.js";
import { flags, resolveOptions } from "./options.js";
import { createProxier } from "./proxier.js";
import { createProxyMetrics } from "./proxy-metrics.js";
import { planCleanup } from "./restore-input.js";

await runCommand({
  name: "kube-proxy",
  description:
    "The Kubernetes network proxy runs on each node. It reflects Services as defined in the Kubernetes API on the node: packets to a Service's addresses are sent to one of its endpoints by iptables rules.",
  flags,
  async run(values, { logger, signal, clock, changed }) {
    const options = await resolveOptions(values, changed);
    const iptables = createIptables();
    if (options.cleanup) {
      const [mangle, nat, filter] = await Promise.all([
        iptables.save("mangle"),
        iptables.save("nat"),
        iptables.save("filter"),
      ]);
      const input = planCleanup(options.chainPrefix, { mangle, nat, filter });
      if (input) await iptables.restore(input);
      return;
    }
    await allowLocalhostNodePorts(logger);
    const metrics = createMetrics();
    const client = createClient({
      kubeconfig: loadKubeconfig(options.kubeconfig),
      userAgent: "kube-proxy",
      metrics: createClientMetrics(metrics),
    });
    const informers = createInformerFactory({ client, logger, clock });
    const proxier = createProxier({
      informers,
      iptables,
      settings: {
        prefix: options.chainPrefix,
        clusterCidr: options.clusterCidr,
        masqueradeAll: options.masqueradeAll,
        masqueradeBit: options.masqueradeBit,
        nodePortRanges: options.nodePortAddresses,
      },
      nodeName: options.nodeName,
      minSyncPeriodMs: options.minSyncPeriodMs,
      syncPeriodMs: options.syncPeriodMs,
      canaryPeriodMs: 5_000,
      metrics: createProxyMetrics(metrics),
      clock,
      logger,
    });
    const check = { name: "sync", on: ["healthz", "readyz"] as const, check: () => proxier.check() };
    const servers = await Promise.all([
      options.healthzAddress && startHealthServer({ ...options.healthzAddress, checks: [check] }),
      options.metricsAddress &&
        startHealthServer({
          ...options.metricsAddress,
          checks: [check],
          metrics,
          handlers: { "/proxyMode": (_, response) => void response.end("iptables") },
        }),
    ]);
    const running = proxier.run(signal);
    informers.start(signal);
    await sdNotify("ready");
    await running.catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    for (const server of servers) await server?.close();
  },
});

// A NodePort on 127.0.0.1 is only routed to a pod with this (upstream: sysctl net/ipv4/conf/all/route_localnet).
async function allowLocalhostNodePorts(logger: Logger): Promise<void> {
  try {
    await writeFile("/proc/sys/net/ipv4/conf/all/route_localnet", "1");
  } catch (error) {
    logger.warn("NodePorts will not answer on localhost: route_localnet cannot be set", { err: error });
  }
}
