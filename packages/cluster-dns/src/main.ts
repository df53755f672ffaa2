// cluster-dns: parses flags, wires the records to the cluster and to the sockets, serves health and metrics.

import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { createClientMetrics } from "@picokube/client/client-metrics";
import { loadKubeconfig } from "@picokube/client/kubeconfig";
import { createClient } from "@picokube/client/rest-client";
import { createInformerFactory } from "@picokube/client/shared-informer";
import { ConfigError } from "@picokube/component-base/config-error";
import { runCommand } from "@picokube/component-base/flags";
import { createMetrics } from "@picokube/component-base/metrics";
import { sdNotify } from "@picokube/component-base/sd-notify";
import { createClusterSource } from "./cluster-source.js";
import { createDnsMetrics } from "./dns-metrics.js";
import { resolverName } from "./exchange.js";
import { dnsFlags } from "./flags.js";
import { createForwarder, type Forwarder } from "./forwarder.js";
import { createRecords, type PodNames } from "./records.js";
import { parseStubDomains, resolversOf } from "./resolv-conf.js";
import { createResponder } from "./responder.js";
import { startDnsServer } from "./server.js";
import { startServing } from "./serving.js";

await runCommand({
  name: "cluster-dns",
  description:
    "The cluster's DNS server: answers names of Services and pods below the cluster domain from memory, and forwards everything else to the node's resolvers.",
  flags: dnsFlags,
  async run(values, { logger, signal, clock }) {
    if (!values.kubeconfig) throw new ConfigError("--kubeconfig is required");
    const resolvConf = await readFile(values.resolvConf, "utf8").catch((error: Error) => {
      throw new ConfigError(`--resolv-conf: ${error.message}`, { cause: error });
    });
    const metrics = createMetrics();
    const client = createClient({
      kubeconfig: loadKubeconfig(values.kubeconfig),
      userAgent: "cluster-dns",
      metrics: createClientMetrics(metrics),
    });
    const informers = createInformerFactory({ client, logger, clock });
    const source = createClusterSource({ informers, clock, watchesPods: values.podNames === "verified" });
    const listens = resolverName({ host: values.bindAddress, port: values.port });
    let forwarder: Forwarder | undefined;
    const counted = createDnsMetrics(metrics, `dns://${listens}`, () => forwarder);
    forwarder = createForwarder({
      domains: { ".": resolversOf(resolvConf), ...parseStubDomains(values.stubDomains) },
      timeoutMs: 2_000,
      totalMs: 5_000,
      healthCheckMs: 500,
      maxCacheSeconds: values.cacheTtl,
      maxConcurrent: values.maxConcurrent,
      clock,
      logger,
      events: counted.forwardEvents,
    });
    const records = createRecords({
      zone: values.clusterDomain.toLowerCase().replace(/\.$/, ""),
      ttl: values.ttl,
      podNames: values.podNames as PodNames,
      source,
      self: { addresses: addressesOf(values.bindAddress), port: values.port },
    });
    const server = await startDnsServer({
      address: values.bindAddress,
      port: values.port,
      logger,
      responder: createResponder({ records, forwarder, logger, isReady: () => source.hasSynced() }),
      onAnswer: counted.onAnswer,
    });
    const serving = await startServing({ values, metrics, signal, hasSynced: () => source.hasSynced() });
    informers.start(signal);
    const looped = forwarder.detectLoops();
    await informers.waitForSync(signal).catch(() => {});
    logger.info("Serving DNS", { address: values.bindAddress, port: server.port, zone: records.zone });
    await sdNotify("ready");
    if (!signal.aborted) await new Promise((done) => signal.addEventListener("abort", done, { once: true }));
    // Not ready any more, but answering, until those who send queries have heard of it (upstream: lameduck).
    await clock.sleep(values.lameduck);
    forwarder.close();
    await Promise.all([server.close(), serving.close(), looped]);
  },
});

// What Endpoints call this server: its address, or all of the host's.
function addressesOf(bindAddress: string): string[] {
  if (bindAddress !== "0.0.0.0" && bindAddress !== "::") return [bindAddress];
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal }) => !internal)
    .map(({ address }) => address.replace(/%.*$/, ""));
}
