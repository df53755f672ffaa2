// The kubelet's flags and KubeletConfiguration, laid over each other into KubeletSettings: a flag on the command line
// wins over the file, the file over a default. Starts nothing.

import { hostname } from "node:os";
import { parseQuantity } from "@picokube/api/quantity";
import { ConfigError } from "@picokube/component-base/config-error";
import { readConfigFile } from "@picokube/component-base/config-file";
import { parseDuration } from "@picokube/component-base/duration";
import type { Flag, FlagValues } from "@picokube/component-base/flag-set";
import type { Logger } from "@picokube/component-base/logger";
import { configurationOf, fieldOfFlag, leafPaths, valueAt } from "./configuration-fields.js";
import { flags } from "./flags.js";
import { parseCidr, parseIpv4 } from "./network/ipv4.js";
import { backends, type PodNetworkBackend } from "./network/routes-plan.js";
import { checkedTaints, isExternalCloud, parseTaints, validateNodeLabels } from "./node-options.js";
import type { KubeletSettings } from "./parts.js";
import { shutdownPeriodsOf, thresholdsOf, validateResourceOptions } from "./resource-options.js";

export type KubeletFlags = FlagValues<typeof flags>;

/** Settings beside KubeletSettings that main.ts alone needs. */
export interface KubeletOptions {
  readonly settings: KubeletSettings;
  readonly kubeconfig: string;
  readonly bootstrapKubeconfig: string | undefined;
  readonly clusterCidr: string;
  readonly podNetworkBackend: PodNetworkBackend;
  readonly useLocallyBuiltImages: boolean;
  readonly cleanup: boolean;
}

const camel = (name: string) => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
const configType = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration" };

function typed(flag: Flag, path: string, value: unknown): unknown {
  const fail = (wanted: string): never => {
    throw new ConfigError(`invalid configuration: ${path}: Invalid value: ${JSON.stringify(value)}: must be ${wanted}`);
  };
  switch (flag.type) {
    case "int":
      return Number.isInteger(value) ? value : fail("an integer");
    case "bool":
      return typeof value === "boolean" ? value : fail("a boolean");
    case "string":
      return typeof value === "string" ? value : fail("a string");
    case "duration":
      try {
        return parseDuration(String(value));
      } catch {
        return fail('a duration, such as "10s"');
      }
    case "string-list":
      return Array.isArray(value) ? value.map(String) : fail("a list");
    case "map":
      return typeof value === "object" && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, String(item)]))
        : fail("a map");
  }
}

/** Values of the file under the flags' names. */
function fromFile(document: Record<string, unknown>, logger: Logger): Record<string, unknown> {
  const known = new Set(Object.values(fieldOfFlag));
  const others = leafPaths(document, known).filter(
    (path) =>
      !known.has(path) && !/^(kind|apiVersion|registerWithTaints|shutdownGracePeriodByPodPriority)\b/.test(path),
  );
  if (others.length > 0)
    logger.warn("KubeletConfiguration has fields that this kubelet does not use", { fields: others });
  const values: Record<string, unknown> = {};
  for (const [name, path] of Object.entries(fieldOfFlag)) {
    const value = valueAt(document, path);
    if (value !== undefined && value !== null)
      values[camel(name)] = typed((flags as Record<string, Flag>)[name]!, path, value);
  }
  return values;
}

function port(name: string, value: number): number {
  if (value < 0 || value > 65535)
    throw new ConfigError(`invalid configuration: ${name} (--${name}) ${value} must be between 0 and 65535, inclusive`);
  return value;
}

function logSize(text: string): number {
  try {
    return parseQuantity(text).value();
  } catch (error) {
    throw new ConfigError(
      `failed to parse container log max size ${JSON.stringify(text)}: ${(error as Error).message}`,
    );
  }
}

function logFiles(count: number): number {
  if (count < 2) {
    throw new ConfigError(
      `invalid configuration: containerLogMaxFiles (--container-log-max-files) ${count} must be greater than 1`,
    );
  }
  return count;
}

function checked<T>(flag: string, parse: (text: string) => T, text: string): string {
  try {
    parse(text);
    return text;
  } catch (error) {
    throw new ConfigError(`invalid argument ${JSON.stringify(text)} for "--${flag}" flag: ${(error as Error).message}`);
  }
}

function backend(text: string): PodNetworkBackend {
  const found = backends.find((name) => name === text);
  if (found) return found;
  throw new ConfigError(
    `invalid argument ${JSON.stringify(text)} for "--pod-network-backend" flag: must be one of ${backends.join(", ")}`,
  );
}

/** Throws ConfigError. The host is asked for its name and addresses where no flag gives them. */
export async function resolveOptions(
  given: KubeletFlags,
  { changed, logger, hostIp }: { changed: ReadonlySet<string>; logger: Logger; hostIp: () => Promise<string> },
): Promise<KubeletOptions> {
  const document = given.config ? await readConfigFile(given.config, configType) : {};
  const file = fromFile(document, logger);
  const onCommandLine = new Set([...changed].map(camel));
  const merged = { ...given } as Record<string, unknown>;
  for (const [name, value] of Object.entries(file)) if (!onCommandLine.has(name)) merged[name] = value;
  const values = merged as KubeletFlags;
  const taints = checkedTaints(document.registerWithTaints);
  if (values.authorizationMode !== "Webhook" && values.authorizationMode !== "AlwaysAllow") {
    throw new ConfigError(
      `invalid configuration: authorization.mode ${JSON.stringify(values.authorizationMode)} is not a valid authorization mode`,
    );
  }
  if (values.podBridge.length === 0 || values.podBridge.length > 15) {
    throw new ConfigError(
      `invalid argument ${JSON.stringify(values.podBridge)} for "--pod-bridge" flag: must have 1 to 15 characters`,
    );
  }
  const driver = values.cgroupDriver;
  if (driver !== undefined && driver !== "cgroupfs" && driver !== "systemd") {
    throw new ConfigError(
      `invalid configuration: option cgroupDriver must be "cgroupfs" or "systemd", not ${JSON.stringify(driver)}`,
    );
  }
  if (values.kubeconfig === undefined && !values.cleanup) throw new ConfigError('required flag "kubeconfig" not set');
  validateResourceOptions(values);
  validateNodeLabels(values.nodeLabels);
  const nodeIps = values.nodeIp.length > 0 ? values.nodeIp : [await hostIp()];
  for (const ip of nodeIps) checked("node-ip", parseIpv4, ip);

  return {
    kubeconfig: values.kubeconfig ?? "",
    bootstrapKubeconfig: values.bootstrapKubeconfig || undefined,
    clusterCidr: checked("cluster-cidr", parseCidr, values.clusterCidr),
    podNetworkBackend: backend(values.podNetworkBackend),
    useLocallyBuiltImages: values.useLocallyBuiltImages,
    cleanup: values.cleanup,
    settings: {
      configuration: configurationOf(
        { ...configType, ...(taints.length > 0 ? { registerWithTaints: taints } : {}) },
        (name) => merged[camel(name)],
      ),
      nodeName: (values.hostnameOverride || hostname()).trim().toLowerCase(),
      nodeIps,
      nodeIpsGiven: values.nodeIp,
      rootDir: values.rootDir,
      dockerEndpoint: values.dockerEndpoint,
      podBridge: values.podBridge,
      cniConfDir: values.cniConfDir,
      cniBinDirs: values.cniBinDir,
      podCidr: values.podCidr ? checked("pod-cidr", parseCidr, values.podCidr) : undefined,
      registerNode: values.registerNode,
      nodeLabels: values.nodeLabels,
      registerWithTaints: onCommandLine.has("registerWithTaints") ? parseTaints(values.registerWithTaints) : taints,
      externalCloud: isExternalCloud(values.cloudProvider),
      providerId: values.providerId,
      address: values.address,
      port: port("port", values.port),
      healthzBindAddress: values.healthzBindAddress,
      healthzPort: port("healthz-port", values.healthzPort),
      tlsCertFile: values.tlsCertFile,
      tlsPrivateKeyFile: values.tlsPrivateKeyFile,
      clientCaFile: values.clientCaFile,
      certDir: values.certDir,
      rotateCertificates: values.rotateCertificates,
      serverTlsBootstrap: values.rotateServerCertificates,
      anonymousAuth: values.anonymousAuth,
      webhookAuthentication: values.authenticationTokenWebhook,
      authorizationMode: values.authorizationMode,
      clusterDns: values.clusterDns,
      clusterDomain: values.clusterDomain,
      resolvConf: values.resolvConf,
      maxPods: values.maxPods,
      podPidsLimit: values.podMaxPids,
      allowedUnsafeSysctls: values.allowedUnsafeSysctls,
      podLogsDir: values.podLogsDir,
      containerLogMaxSizeBytes: logSize(values.containerLogMaxSize),
      containerLogMaxFiles: logFiles(values.containerLogMaxFiles),
      staticPodPath: values.podManifestPath || undefined,
      staticPodUrl: values.manifestUrl || undefined,
      staticPodUrlHeader: values.manifestUrlHeader,
      cgroupDriver: driver,
      cgroupRoot: values.cgroupRoot || "/",
      cgroupsPerQos: values.cgroupsPerQos,
      syncFrequencyMs: values.syncFrequency,
      fileCheckFrequencyMs: values.fileCheckFrequency,
      httpCheckFrequencyMs: values.httpCheckFrequency,
      nodeStatusUpdateFrequencyMs: values.nodeStatusUpdateFrequency,
      nodeStatusReportFrequencyMs: values.nodeStatusReportFrequency,
      nodeStatusMaxImages: values.nodeStatusMaxImages,
      nodeLeaseDurationSeconds: values.nodeLeaseDurationSeconds,
      serializeImagePulls: values.serializeImagePulls,
      maxParallelImagePulls: values.maxParallelImagePulls,
      imagePullProgressDeadlineMs: values.imagePullProgressDeadline,
      evictionHard: values.evictionHard,
      evictionThresholds: thresholdsOf(values),
      evictionPressureTransitionPeriodMs: values.evictionPressureTransitionPeriod,
      evictionMaxPodGracePeriodSeconds: values.evictionMaxPodGracePeriod,
      enforceNodeAllocatable: values.enforceNodeAllocatable,
      systemReserved: values.systemReserved,
      kubeReserved: values.kubeReserved,
      imageGcHighThresholdPercent: values.imageGcHighThreshold,
      imageGcLowThresholdPercent: values.imageGcLowThreshold,
      imageMinimumGcAgeMs: values.minimumImageTtlDuration,
      imageMaximumGcAgeMs: values.imageMaximumGcAge,
      shutdownPeriods: shutdownPeriodsOf(values, document.shutdownGracePeriodByPodPriority),
      enableDebuggingHandlers: values.enableDebuggingHandlers,
      streamingConnectionIdleTimeoutMs: values.streamingConnectionIdleTimeout,
    },
  };
}
