// The kubelet's flags and KubeletConfiguration, laid over each other into KubeletSettings: a flag on the command line
// wins over the file, the file over a default. Starts nothing.

import { hostname } from "node:os";
import { parseQuantity } from "@picokube/api/quantity";
import { ConfigError } from "@picokube/component-base/config-error";
import { readConfigFile } from "@picokube/component-base/config-file";
import { parseDuration } from "@picokube/component-base/duration";
import type { Flag, FlagValues } from "@picokube/component-base/flag-set";
import type { Logger } from "@picokube/component-base/logger";
import { configurationOf, fieldOfFlag, isUnset, valueAt } from "./configuration-fields.js";
import { fileOnlyFields, judgeFields } from "./configuration-rules.js";
import { flags } from "./flags.js";
import { parseCidr, parseIpv4 } from "./network/ipv4.js";
import { backends, type PodNetworkBackend } from "./network/routes-plan.js";
import { checkChainPrefix } from "./network/util-chains.js";
import {
  checkedTaints,
  givenNodeIps,
  isExternalCloud,
  nodeNameOf,
  parseTaints,
  validateNodeLabels,
} from "./node-options.js";
import type { KubeletSettings } from "./parts.js";
import {
  maxPodsOf,
  oomScoreAdjOf,
  shutdownPeriodsOf,
  thresholdsOf,
  validateResourceOptions,
} from "./resource-options.js";

export type KubeletFlags = FlagValues<typeof flags>;

interface FileOnlyValues {
  readonly enableSystemLogHandler: boolean;
}

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

/** Values of the file under the flags' names, and those of fields that have no flag. */
function fromFile(document: Record<string, unknown>, logger: Logger): Record<string, unknown> {
  const { ignored, unknown } = judgeFields(document, new Set(Object.values(fieldOfFlag)));
  if (unknown.length > 0) {
    const err = new Error(`strict decoding error: ${unknown.map((path) => `unknown field "${path}"`).join(", ")}`);
    logger.warn("Using lenient decoding as strict decoding failed", { err });
  }
  if (ignored.length > 0) {
    logger.warn("KubeletConfiguration has fields that this kubelet does not use", { fields: ignored });
  }
  const values: Record<string, unknown> = {};
  const read = (name: string, path: string, flag: Flag) => {
    const value = valueAt(document, path);
    if (value === undefined || value === null) return;
    const found = typed(flag, path, value);
    if (!isUnset(path, flag, found)) values[name] = found;
  };
  for (const [name, path] of Object.entries(fieldOfFlag)) {
    read(camel(name), path, (flags as Record<string, Flag>)[name]!);
  }
  for (const [path, flag] of Object.entries(fileOnlyFields)) read(path, path, flag);
  // For those who wrote their files before there was the report's own period.
  if (values.nodeStatusUpdateFrequency !== undefined) {
    values.nodeStatusReportFrequency ??= values.nodeStatusUpdateFrequency;
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
  const { enableSystemLogHandler, mergeDefaultEvictionSettings } = fileOnlyFields;
  const merged: Record<string, unknown> = {
    ...given,
    enableSystemLogHandler: enableSystemLogHandler.default,
    mergeDefaultEvictionSettings: mergeDefaultEvictionSettings.default,
  };
  for (const [name, value] of Object.entries(file)) if (!onCommandLine.has(name)) merged[name] = value;
  if (merged.mergeDefaultEvictionSettings && !onCommandLine.has("evictionHard")) {
    merged.evictionHard = { ...flags["eviction-hard"].default, ...(file.evictionHard as object | undefined) };
  }
  const values = merged as unknown as KubeletFlags & FileOnlyValues;
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
  const nodeIpsGiven = givenNodeIps(values.nodeIp);
  const nodeIps = nodeIpsGiven.length > 0 ? nodeIpsGiven : [await hostIp()];
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
        {
          ...configType,
          enableSystemLogHandler: values.enableSystemLogHandler,
          ...(taints.length > 0 ? { registerWithTaints: taints } : {}),
        },
        (name) => merged[camel(name)],
      ),
      nodeName: nodeNameOf(values.hostnameOverride || hostname()),
      nodeIps,
      nodeIpsGiven,
      rootDir: values.rootDir,
      dockerEndpoint: values.dockerEndpoint,
      podBridge: values.podBridge,
      chainPrefix: values.makeIptablesUtilChains
        ? checked("chain-prefix", checkChainPrefix, values.chainPrefix)
        : undefined,
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
      maxPods: maxPodsOf(values),
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
      runtimeRequestTimeoutMs: values.runtimeRequestTimeout,
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
      enableServer: values.enableServer,
      enableDebuggingHandlers: values.enableDebuggingHandlers,
      enableSystemLogHandler: values.enableSystemLogHandler,
      tokenTtlMs: values.authenticationTokenWebhookCacheTtl,
      authorizedTtlMs: values.authorizationWebhookCacheAuthorizedTtl,
      unauthorizedTtlMs: values.authorizationWebhookCacheUnauthorizedTtl,
      oomScoreAdj: oomScoreAdjOf(values.oomScoreAdj),
      failSwapOn: values.failSwapOn,
      localStorageCapacityIsolation: values.localStorageCapacityIsolation,
      seccompDefault: values.seccompDefault,
      volumeStatsAggPeriodMs: values.volumeStatsAggPeriod,
      deadContainers: {
        maxPerContainer: values.maximumDeadContainersPerContainer,
        max: values.maximumDeadContainers,
        minAgeMs: values.minimumContainerTtlDuration,
      },
      streamingConnectionIdleTimeoutMs: values.streamingConnectionIdleTimeout,
    },
  };
}
