// kube-proxy: reads its configuration, wires a proxier for each IP family to the cluster and to iptables, serves health
// and metrics.

import { writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { createClientMetrics } from "@picokube/client/client-metrics";
import { createEventRecorder } from "@picokube/client/event-recorder";
import { type Kubeconfig, loadKubeconfig } from "@picokube/client/kubeconfig";
import { createClient } from "@picokube/client/rest-client";
import { createInformerFactory } from "@picokube/client/shared-informer";
import { ConfigError } from "@picokube/component-base/config-error";
import { formatYaml } from "@picokube/component-base/config-file";
import { parseDuration } from "@picokube/component-base/duration";
import { type CommandContext, runCommand } from "@picokube/component-base/flags";
import { createMetrics } from "@picokube/component-base/metrics";
import { sdNotify } from "@picokube/component-base/sd-notify";
import { cleanUp } from "./cleanup.js";
import { defaultConfiguration, type KubeProxyConfiguration, loadConfiguration } from "./configuration.js";
import { openFamilies } from "./families.js";
import { fieldsWithoutEffect } from "./fields-without-effect.js";
import { flags } from "./flags.js";
import { detectVariant, type IptablesVariant } from "./iptables.js";
import { applySettings, isConntrackLiberal } from "./kernel-settings.js";
import { containsIpv4Loopback } from "./node-port-addresses.js";
import { followOwnNode } from "./own-node.js";
import { ensureCounters, registerCounters } from "./packet-counters.js";
import { indexSlices, type Proxier } from "./proxier.js";
import { createProxyHealth } from "./proxy-health.js";
import { createProxyMetrics } from "./proxy-metrics.js";
import { startServers } from "./servers.js";
import { validateConfiguration } from "./validate-configuration.js";

await runCommand({
  name: "kube-proxy",
  description:
    "The Kubernetes network proxy runs on each node. It reflects Services as defined in the Kubernetes API on the node: packets to a Service's addresses are sent to one of its endpoints by iptables rules.",
  flags,
  async run(values, context) {
    const { logger, changed } = context;
    if (values.writeConfigTo !== undefined) {
      await writeFile(values.writeConfigTo, formatYaml(defaultConfiguration()));
      logger.info("Wrote configuration", { file: values.writeConfigTo });
      return;
    }
    const prefix = values.chainPrefix;
    if (!/^[A-Z][A-Z0-9]{0,3}$/.test(prefix))
      throw new ConfigError(`--chain-prefix "${prefix}": one to four capital letters or digits are wanted`);
    const variant = values.iptablesVariant === "host" ? "" : (values.iptablesVariant as IptablesVariant | "auto");
    if (values.cleanup) return cleanUp(prefix, { variant: variant === "auto" ? undefined : variant, logger });

    const { configuration, unknownFields } = await loadConfiguration(values, changed);
    if (unknownFields.length > 0)
      logger.warn("Using lenient decoding as strict decoding failed", {
        err: unknownFields.map((field) => `unknown field "${field}"`).join(", "),
      });
    const faults = validateConfiguration(configuration);
    if (faults.length > 0) throw new ConfigError(`failed validate: ${faults.join(", ")}`);
    for (const { field, reason } of fieldsWithoutEffect(configuration))
      logger.warn("A field of the configuration has no effect", { field, reason });
    const localhostNodePorts =
      configuration.iptables.localhostNodePorts && containsIpv4Loopback(withoutPrimary(configuration));
    // A mistake must be told before anything of the host is changed.
    const kubeconfig = values.initOnly ? undefined : kubeconfigOf(configuration, values.master);
    await applySettings(configuration, { localhostNodePorts, logger });
    if (!kubeconfig) return logger.info("System initialized and --init-only specified");
    await proxy(configuration, {
      ...context,
      kubeconfig,
      prefix,
      localhostNodePorts,
      variant: variant === "auto" ? await detectVariant() : variant,
    });
  },
});

// The node's primary address is never 127.0.0.1.
function withoutPrimary({ nodePortAddresses }: KubeProxyConfiguration): readonly string[] {
  return nodePortAddresses[0] === "primary" ? ["192.0.2.0/32"] : nodePortAddresses;
}

function kubeconfigOf({ clientConnection }: KubeProxyConfiguration, master: string | undefined): Kubeconfig {
  if (clientConnection.kubeconfig === "")
    throw new ConfigError("--kubeconfig, or clientConnection.kubeconfig in --config, is required");
  const kubeconfig = loadKubeconfig(clientConnection.kubeconfig);
  return master ? { ...kubeconfig, server: master } : kubeconfig;
}

interface ProxyContext extends CommandContext {
  readonly kubeconfig: Kubeconfig;
  readonly prefix: string;
  readonly variant: IptablesVariant;
  readonly localhostNodePorts: boolean;
}

async function proxy(configuration: KubeProxyConfiguration, context: ProxyContext): Promise<void> {
  const { kubeconfig, logger, signal, clock } = context;
  const metrics = createMetrics();
  const proxyMetrics = createProxyMetrics(metrics);
  const client = createClient({
    kubeconfig,
    userAgent: "kube-proxy",
    qps: Math.max(0, configuration.clientConnection.qps),
    burst: configuration.clientConnection.burst,
    clock,
    metrics: createClientMetrics(metrics),
  });
  const nodeName = (configuration.hostnameOverride || hostname()).trim().toLowerCase();
  const informers = createInformerFactory({ client, logger, clock });
  indexSlices(informers);
  const health = createProxyHealth({
    clock,
    timeoutMs: 2 * parseDuration(configuration.iptables.syncPeriod),
    answered: proxyMetrics.answered,
  });
  const proxiers: Proxier[] = [];
  const node = followOwnNode({
    informers,
    nodeName,
    bindAddress: configuration.bindAddress,
    seen: health.syncNode,
    changed: () => {
      for (const proxier of proxiers) proxier.resync();
    },
  });
  const packetCounters = await ensureCounters(context.prefix, { logger });
  registerCounters(metrics, packetCounters, { prefix: context.prefix, logger });
  proxiers.push(
    ...(await openFamilies({
      ...context,
      configuration,
      nodeName,
      node,
      dropInvalid: !(await isConntrackLiberal()),
      packetCounters,
      informers,
      recorder: createEventRecorder({ client, component: "kube-proxy", host: nodeName, clock, logger }),
      health,
      metrics: proxyMetrics,
    })),
  );
  const check = () => {
    for (const proxier of proxiers) proxier.check();
  };
  const closeServers = await startServers({ configuration, health, metrics, check, clock, logger, signal });
  const running = proxiers.map((proxier) => proxier.run(signal));
  informers.start(signal);
  await sdNotify("ready");
  await Promise.all(running).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  await closeServers();
}
