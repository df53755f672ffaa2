// The fields of KubeletConfiguration v1beta1 that no flag of this kubelet stands for: the two that the file alone may
// set, those of which only one value can be served, and those that mean nothing here. Pure.

import { ConfigError } from "@picokube/component-base/config-error";
import { parseDuration } from "@picokube/component-base/duration";
import type { Flag } from "@picokube/component-base/flag-set";
import { leafPaths, valueAt } from "./configuration-fields.js";

/** Upstream has no flags for them. */
export const fileOnlyFields = {
  enableSystemLogHandler: { type: "bool", default: true, description: "Enables system logs at /logs/." },
  mergeDefaultEvictionSettings: {
    type: "bool",
    default: false,
    description: "Signals that evictionHard does not name keep their defaults.",
  },
} as const satisfies Record<string, Flag>;

/** Read by options.ts as they stand. */
const structured = ["registerWithTaints", "shutdownGracePeriodByPodPriority"];

type Rule = (value: unknown) => string | undefined;

const shown = (value: unknown) => JSON.stringify(value);
const isEmpty = (value: unknown) =>
  value === "" || (typeof value === "object" && value !== null && Object.keys(value).length === 0);

/** All values but these are refused, with the reason. */
const only =
  (accepted: readonly unknown[], reason: string): Rule =>
  (value) =>
    accepted.includes(value) ? undefined : reason;
const none =
  (reason: string): Rule =>
  (value) =>
    isEmpty(value) ? undefined : reason;
const gated = (words: string): Rule => none(words);

const unmanaged = (what: string) => `this kubelet assigns no ${what} to containers`;
const oneOf = (field: string, flag: string, policies: readonly string[]): Rule => {
  return (value) => {
    if (value === policies[0] || value === "") return undefined;
    if (policies.includes(value as string)) return `${field} ${shown(value)}: ${unmanaged("processors or memory")}`;
    return `${field} (--${flag}) ${shown(value)} must be one of: [${policies.map(shown).join(" ")}]`;
  };
};

/** Fields that would change what pods get or who may ask: what is not served is refused, never passed over. */
const refusals: Readonly<Record<string, Rule>> = {
  readOnlyPort: only([0], "readOnlyPort: this kubelet serves nothing without authentication"),
  tlsMinVersion: only(["", "VersionTLS12"], "tlsMinVersion: this kubelet serves TLS 1.2 and 1.3"),
  tlsCipherSuites: none("tlsCipherSuites: this kubelet serves the cipher suites that Node.js allows"),
  cpuManagerPolicy: only(["", "none"], `cpuManagerPolicy: ${unmanaged("processors of their own")}`),
  cpuManagerPolicyOptions: none(`cpuManagerPolicyOptions: ${unmanaged("processors of their own")}`),
  memoryManagerPolicy: only(["", "None", "none"], `memoryManagerPolicy: ${unmanaged("memory of one NUMA node")}`),
  reservedMemory: none(`reservedMemory: ${unmanaged("memory of one NUMA node")}`),
  reservedSystemCPUs: none(`reservedSystemCPUs (--reserved-cpus): ${unmanaged("processors of their own")}`),
  topologyManagerPolicy: oneOf("topologyManagerPolicy", "topology-manager-policy", [
    "none",
    "best-effort",
    "restricted",
    "single-numa-node",
  ]),
  topologyManagerPolicyOptions: none(`topologyManagerPolicyOptions: ${unmanaged("NUMA nodes")}`),
  topologyManagerScope: (value) =>
    ["", "container", "pod"].includes(value as string)
      ? undefined
      : `topologyManagerScope (--topology-manager-scope) ${shown(value)} must be one of: "container", or "pod"`,
  qosReserved: none("qosReserved (--qos-reserved) requires feature gate QOSReserved"),
  runOnce: (value) =>
    value === false
      ? undefined
      : `runOnce (--runOnce) ${value}, Runonce mode has been deprecated and should not be set`,
  cpuCFSQuota: only([true], "cpuCFSQuota: CPU limits are always enforced"),
  cpuCFSQuotaPeriod: (value) =>
    ["", "100ms"].includes(value as string)
      ? undefined
      : `cpuCFSQuotaPeriod (--cpu-cfs-quota-period) {${value}} requires feature gate CustomCPUCFSQuotaPeriod`,
  protectKernelDefaults: only([false], "protectKernelDefaults: this kubelet neither checks nor sets kernel flags"),
  enableControllerAttachDetach: only([true], "enableControllerAttachDetach: this kubelet attaches no volumes itself"),
  "memorySwap.swapBehavior": (value) => {
    if (["", "NoSwap"].includes(value as string)) return undefined;
    if (value === "LimitedSwap") return "memorySwap.swapBehavior: containers of this kubelet use no swap";
    return `memorySwap.swapBehavior ${shown(value)} must be one of: "", "LimitedSwap" or "NoSwap"`;
  },
  hairpinMode: (value) => {
    const modes = ["none", "hairpin-veth", "promiscuous-bridge"];
    if (value === "none") return "hairpinMode: the built-in pod network always sets the hairpin flag on veths";
    if (value === "" || modes.includes(value as string)) return undefined;
    return `option ${shown(value)} specified for hairpinMode (--hairpin-mode). Valid options are "none", "hairpin-veth" or "promiscuous-bridge"`;
  },
  systemReservedCgroup: none("systemReservedCgroup: processes outside of pods are left where they are"),
  kubeReservedCgroup: none("kubeReservedCgroup: processes outside of pods are left where they are"),
  systemCgroups: none("systemCgroups: processes outside of pods are left where they are"),
  kubeletCgroups: none("kubeletCgroups: processes outside of pods are left where they are"),
  enableSystemLogQuery: (value) =>
    value === false ? undefined : "NodeLogQuery feature gate is required for enableSystemLogQuery",
  "crashLoopBackOff.maxContainerRestartPeriod": gated(
    "FeatureGate KubeletCrashLoopBackOffMax not enabled, CrashLoopBackOff.MaxContainerRestartPeriod must not be set",
  ),
  imagePullCredentialsVerificationPolicy: gated(
    "`imagePullCredentialsVerificationPolicy` must not be set if KubeletEnsureSecretPulledImages feature gate is not enabled",
  ),
  preloadedImagesVerificationAllowlist: gated(
    "`preloadedImagesVerificationAllowlist` must not be set if KubeletEnsureSecretPulledImages feature gate is not enabled",
  ),
  userNamespaces: none("userNamespaces: the Docker Engine gives no pod a user namespace of its own"),
  singleProcessOOMKill: only([true], "singleProcessOOMKill: containers are never killed as a group"),
  containerRuntimeEndpoint: none("containerRuntimeEndpoint: containers run on the Docker Engine at --docker-endpoint"),
  imageServiceEndpoint: none("imageServiceEndpoint: images are those of the Docker Engine at --docker-endpoint"),
  containerLogMaxWorkers: (value) =>
    Number(value) >= 1 ? undefined : "containerLogMaxWorkers must be greater than or equal to 1",
  containerLogMonitorInterval: (value) =>
    parseDuration(String(value)) >= 3000
      ? undefined
      : "containerLogMonitorInterval must be a positive time duration greater than or equal to 3s",
  showHiddenMetricsForVersion: none("showHiddenMetricsForVersion: no metric is hidden"),
  tracing: none("tracing: this kubelet sends no traces"),
};

/** Limits and details of upstream's own machinery, of which this kubelet has none: said once, and passed over. */
const withoutEffect = [
  "registryPullQPS",
  "registryBurst",
  "eventRecordQPS",
  "eventBurst",
  "kubeAPIQPS",
  "kubeAPIBurst",
  "contentType",
  "enableContentionProfiling",
  "enableProfilingHandler",
  "enableDebugFlagsHandler",
  "cpuManagerReconcilePeriod",
  "maxOpenFiles",
  "iptablesMasqueradeBit",
  "iptablesDropBit",
  "featureGates",
  "containerLogMaxWorkers",
  "containerLogMonitorInterval",
  "configMapAndSecretChangeDetectionStrategy",
  "volumePluginDir",
  "kernelMemcgNotification",
  "logging",
  "memoryThrottlingFactor",
  "failCgroupV1",
];

/** The paths that something is done about: the rest of a file is no KubeletConfiguration. */
export const ruledFields: readonly string[] = [
  ...Object.keys(fileOnlyFields),
  ...structured,
  ...Object.keys(refusals),
  ...withoutEffect,
];

export interface FieldVerdict {
  /** Known, and without effect here. */
  readonly ignored: string[];
  /** Upstream knows no such fields. */
  readonly unknown: string[];
}

/** What becomes of the fields of a file that are no flag's. Throws ConfigError for the first that is refused. */
export function judgeFields(document: unknown, flagFields: ReadonlySet<string>): FieldVerdict {
  for (const [path, rule] of Object.entries(refusals)) {
    const value = valueAt(document, path);
    const words = value === undefined || value === null ? undefined : rule(value);
    if (words !== undefined) throw new ConfigError(`invalid configuration: ${words}`);
  }
  const known = new Set([...flagFields, ...ruledFields, "kind", "apiVersion"]);
  const present = leafPaths(document, known);
  return {
    ignored: present.filter((path) => withoutEffect.includes(path) && !flagFields.has(path)),
    unknown: present.filter((path) => !known.has(path)),
  };
}
