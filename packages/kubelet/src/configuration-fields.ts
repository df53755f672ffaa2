// Where flags and KubeletConfiguration v1beta1 meet: each flag that has a field in the file, by the field's path. Pure
// data; options.ts reads it.

import { formatDuration } from "@picokube/component-base/duration";
import type { Flag } from "@picokube/component-base/flag-set";
import { flags } from "./flags.js";

/** Flag name to field path; the types and defaults are the flag's. */
export const fieldOfFlag: Readonly<Record<string, string>> = {
  address: "address",
  port: "port",
  "healthz-bind-address": "healthzBindAddress",
  "healthz-port": "healthzPort",
  "tls-cert-file": "tlsCertFile",
  "tls-private-key-file": "tlsPrivateKeyFile",
  "rotate-certificates": "rotateCertificates",
  "rotate-server-certificates": "serverTLSBootstrap",
  "client-ca-file": "authentication.x509.clientCAFile",
  "anonymous-auth": "authentication.anonymous.enabled",
  "authentication-token-webhook": "authentication.webhook.enabled",
  "authorization-mode": "authorization.mode",
  "cluster-dns": "clusterDNS",
  "cluster-domain": "clusterDomain",
  "resolv-conf": "resolvConf",
  "max-pods": "maxPods",
  "pod-max-pids": "podPidsLimit",
  "pod-cidr": "podCIDR",
  "allowed-unsafe-sysctls": "allowedUnsafeSysctls",
  "pod-logs-dir": "podLogsDir",
  "container-log-max-size": "containerLogMaxSize",
  "container-log-max-files": "containerLogMaxFiles",
  "pod-manifest-path": "staticPodPath",
  "manifest-url": "staticPodURL",
  "manifest-url-header": "staticPodURLHeader",
  "provider-id": "providerID",
  "register-node": "registerNode",
  "cgroup-driver": "cgroupDriver",
  "cgroup-root": "cgroupRoot",
  "cgroups-per-qos": "cgroupsPerQOS",
  "sync-frequency": "syncFrequency",
  "runtime-request-timeout": "runtimeRequestTimeout",
  "file-check-frequency": "fileCheckFrequency",
  "http-check-frequency": "httpCheckFrequency",
  "node-status-update-frequency": "nodeStatusUpdateFrequency",
  "node-status-report-frequency": "nodeStatusReportFrequency",
  "node-status-max-images": "nodeStatusMaxImages",
  "node-lease-duration-seconds": "nodeLeaseDurationSeconds",
  "serialize-image-pulls": "serializeImagePulls",
  "max-parallel-image-pulls": "maxParallelImagePulls",
  "eviction-hard": "evictionHard",
  "eviction-soft": "evictionSoft",
  "eviction-soft-grace-period": "evictionSoftGracePeriod",
  "eviction-minimum-reclaim": "evictionMinimumReclaim",
  "eviction-pressure-transition-period": "evictionPressureTransitionPeriod",
  "eviction-max-pod-grace-period": "evictionMaxPodGracePeriod",
  "enforce-node-allocatable": "enforceNodeAllocatable",
  "system-reserved": "systemReserved",
  "kube-reserved": "kubeReserved",
  "image-gc-high-threshold": "imageGCHighThresholdPercent",
  "image-gc-low-threshold": "imageGCLowThresholdPercent",
  "minimum-image-ttl-duration": "imageMinimumGCAge",
  "image-maximum-gc-age": "imageMaximumGCAge",
  "shutdown-grace-period": "shutdownGracePeriod",
  "shutdown-grace-period-critical-pods": "shutdownGracePeriodCriticalPods",
  "enable-server": "enableServer",
  "enable-debugging-handlers": "enableDebuggingHandlers",
  "make-iptables-util-chains": "makeIPTablesUtilChains",
  "authentication-token-webhook-cache-ttl": "authentication.webhook.cacheTTL",
  "authorization-webhook-cache-authorized-ttl": "authorization.webhook.cacheAuthorizedTTL",
  "authorization-webhook-cache-unauthorized-ttl": "authorization.webhook.cacheUnauthorizedTTL",
  "pods-per-core": "podsPerCore",
  "oom-score-adj": "oomScoreAdj",
  "fail-swap-on": "failSwapOn",
  "local-storage-capacity-isolation": "localStorageCapacityIsolation",
  "seccomp-default": "seccompDefault",
  "volume-stats-agg-period": "volumeStatsAggPeriod",
  "streaming-connection-idle-timeout": "streamingConnectionIdleTimeout",
};

/** Go's zero value of these means that the file says nothing: their default holds. */
const zeroIsUnset = new Set(["port", "maxPods", "nodeLeaseDurationSeconds"]);

/** Whether upstream's defaulting would take a field of the file for unset. */
export function isUnset(path: string, { type }: Flag, value: unknown): boolean {
  return (type === "duration" && value === 0) || (zeroIsUnset.has(path) && value === 0);
}

/** A KubeletConfiguration of the values that flags and file came to; durations as Go writes them. */
export function configurationOf(
  fixed: Readonly<Record<string, unknown>>,
  valueFor: (flag: string) => unknown,
): Record<string, unknown> {
  const document: Record<string, unknown> = { ...fixed };
  for (const [name, path] of Object.entries(fieldOfFlag)) {
    const value = valueFor(name);
    if (value === undefined) continue;
    const keys = path.split(".");
    const parent = keys.slice(0, -1).reduce<Record<string, unknown>>((place, key) => {
      place[key] ??= {};
      return place[key] as Record<string, unknown>;
    }, document);
    const isDuration = (flags as Readonly<Record<string, Flag>>)[name]?.type === "duration";
    parent[keys.at(-1)!] = isDuration ? formatDuration(value as number) : value;
  }
  return document;
}

/** The value at a dotted path; undefined when any part is missing. */
export function valueAt(document: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined | null)?.[key], document);
}

/** Dotted paths of all leaves; lists and maps under a known path are leaves. */
export function leafPaths(document: unknown, known: ReadonlySet<string>, prefix = ""): string[] {
  if (typeof document !== "object" || document === null || Array.isArray(document)) return [prefix];
  return Object.entries(document).flatMap(([key, value]) => {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    return known.has(path) ? [path] : leafPaths(value, known, path);
  });
}
