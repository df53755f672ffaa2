// cluster-dns: parses flags, wires the records to the cluster and to the sockets, serves health and metrics.

import { readFile } from "node:fs/promises";
import { createClientMetrics } from "@picokube/client/client-metrics";
import { loadKubeconfig } from "@picokube/client/kubeconfig";
import { createClient } from "@picokube/client/rest-client";
import { createInformerFactory } from "@picokube/client/shared-informer";
import { ConfigError } from "@picokube/component-base/config-error";
import { runCommand } from "@picokube/component-base/flags";
import { startHealthServer } from "@picokube/component-base/health-server";
import { createMetrics } from "@picokube/component-base/metrics";
import { sdNotify } from "@picokube/component-base/sd-notify";
import { createClusterSource } from "./cluster-source.js";
import { createForwarder, resolversOf } from "./forwarder.js";
import { createRecords } from "./records.js";
import { createResponder } from "./responder.js";
import { startDnsServer } from "./server.js";

await runCommand({
  name: "cluster-dns",
  description:
    "The cluster's DNS server: answers names of Services and pods below the cluster domain from memory, and forwards everything else to the node's resolvers.",
  flags: {
    kubeconfig: {
      type: "string",
      default: "",
      description: "Path to a kubeconfig that may list and watch services, endpointslices and namespaces.",
    },
    "cluster-domain": {
      type: "string",
      default: "cluster.local",
      description: "The domain that this server is authoritative for.",
    },
    "bind-address": { type: "string", default: "0.0.0.0", description: "The IP address to serve DNS on." },
    port: { type: "int", default: 10053, description: "The UDP and TCP port to serve DNS on." },
    ttl: { type: "int", default: 30, description: "Seconds that clients may keep an answer of the cluster's." },
    "resolv-conf": {
      type: "string",
      default: "/etc/resolv.conf",
      description: "File whose nameservers other names are forwarded to.",
    },
    "health-bind-address": {
      type: "string",
      default: "127.0.0.1",
      description: "The IP address to serve health and metrics on.",
    },
    "health-port": { type: "int", default: 10054, description: "The port to serve health and metrics on." },
  },
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
    const source = createClusterSource(informers);
    const requests = metrics.counter({
      name: "coredns_dns_responses_total",
      help: "Counter of response status codes.",
      labels: ["zone", "rcode", "type", "proto"],
    });
    const durations = metrics.histogram({
      name: "coredns_dns_request_duration_seconds",
      help: "Histogram of the time each request took.",
      labels: ["zone"],
    });
    const server = await startDnsServer({
      address: values.bindAddress,
      port: values.port,
      logger,
      responder: createResponder({
        records: createRecords({ zone: values.clusterDomain.toLowerCase(), ttl: values.ttl, source }),
        forwarder: createForwarder({
          resolvers: resolversOf(resolvConf),
          timeoutMs: 2_000,
          maxCacheMs: 30_000,
          maxNegativeCacheMs: 5_000,
          now: () => clock.now(),
        }),
        logger,
        isReady: () => source.hasSynced(),
      }),
      onAnswer({ rcode, type, zone, transport, durationMs }) {
        requests.inc({ zone, rcode, type, proto: transport });
        durations.observe({ zone }, durationMs / 1000);
      },
    });
    const ready = () => {
      if (!source.hasSynced()) throw new Error("the informers have not synced yet");
    };
    const health = await startHealthServer({
      address: values.healthBindAddress,
      port: values.healthPort,
      checks: [{ name: "informers", on: ["readyz"], check: ready }],
      metrics,
    });
    informers.start(signal);
    await informers.waitForSync(signal).catch(() => {});
    logger.info("Serving DNS", { address: values.bindAddress, port: server.port, zone: values.clusterDomain });
    await sdNotify("ready");
    if (!signal.aborted) await new Promise((done) => signal.addEventListener("abort", done, { once: true }));
    await Promise.all([server.close(), health.close()]);
  },
});
