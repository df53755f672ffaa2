// Every field that KubeletConfiguration v1beta1 has in Kubernetes 1.33 is honoured, refused in words or named as without
// effect; none is passed over in silence.

import { join } from "node:path";
import { parseFlags } from "@picokube/component-base/flag-set";
import { createLogger } from "@picokube/component-base/logger";
import { type Test, test } from "tap";
import { fieldOfFlag } from "./configuration-fields.js";
import { ruledFields } from "./configuration-rules.js";
import { flags } from "./flags.js";
import { swapRefusal } from "./node/swap.js";
import { type KubeletFlags, resolveOptions } from "./options.js";

const fields = `
enableServer staticPodPath podLogsDir syncFrequency fileCheckFrequency httpCheckFrequency staticPodURL
staticPodURLHeader address port readOnlyPort tlsCertFile tlsPrivateKeyFile tlsCipherSuites tlsMinVersion
rotateCertificates serverTLSBootstrap authentication.x509.clientCAFile authentication.webhook.enabled
authentication.webhook.cacheTTL authentication.anonymous.enabled authorization.mode
authorization.webhook.cacheAuthorizedTTL authorization.webhook.cacheUnauthorizedTTL registryPullQPS registryBurst
imagePullCredentialsVerificationPolicy preloadedImagesVerificationAllowlist eventRecordQPS eventBurst
enableDebuggingHandlers enableContentionProfiling healthzPort healthzBindAddress oomScoreAdj clusterDomain clusterDNS
streamingConnectionIdleTimeout nodeStatusUpdateFrequency nodeStatusReportFrequency nodeLeaseDurationSeconds
imageMinimumGCAge imageMaximumGCAge imageGCHighThresholdPercent imageGCLowThresholdPercent volumeStatsAggPeriod
kubeletCgroups systemCgroups cgroupRoot cgroupsPerQOS cgroupDriver cpuManagerPolicy singleProcessOOMKill
cpuManagerPolicyOptions cpuManagerReconcilePeriod memoryManagerPolicy topologyManagerPolicy topologyManagerScope
topologyManagerPolicyOptions qosReserved runtimeRequestTimeout hairpinMode maxPods podCIDR podPidsLimit resolvConf
runOnce cpuCFSQuota cpuCFSQuotaPeriod nodeStatusMaxImages maxOpenFiles contentType kubeAPIQPS kubeAPIBurst
serializeImagePulls maxParallelImagePulls evictionHard evictionSoft evictionSoftGracePeriod
evictionPressureTransitionPeriod evictionMaxPodGracePeriod evictionMinimumReclaim mergeDefaultEvictionSettings
podsPerCore enableControllerAttachDetach protectKernelDefaults makeIPTablesUtilChains iptablesMasqueradeBit
iptablesDropBit featureGates failSwapOn memorySwap.swapBehavior containerLogMaxSize containerLogMaxFiles
containerLogMaxWorkers containerLogMonitorInterval configMapAndSecretChangeDetectionStrategy systemReserved
kubeReserved reservedSystemCPUs showHiddenMetricsForVersion systemReservedCgroup kubeReservedCgroup
enforceNodeAllocatable allowedUnsafeSysctls volumePluginDir providerID kernelMemcgNotification logging
enableSystemLogHandler enableSystemLogQuery shutdownGracePeriod shutdownGracePeriodCriticalPods
shutdownGracePeriodByPodPriority crashLoopBackOff.maxContainerRestartPeriod reservedMemory enableProfilingHandler
enableDebugFlagsHandler seccompDefault memoryThrottlingFactor registerWithTaints registerNode tracing
localStorageCapacityIsolation containerRuntimeEndpoint imageServiceEndpoint failCgroupV1 userNamespaces
`
  .trim()
  .split(/\s+/);

const lines: string[] = [];
const logger = createLogger({ write: (line) => lines.push(line) });

/** With a configuration file of these fields. */
async function resolve(t: Test, document: object, argv: readonly string[] = []) {
  const file = JSON.stringify({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    ...document,
  });
  const path = join(t.testdir({ "config.yaml": file }), "config.yaml");
  const { values, changed } = parseFlags("kubelet", flags, ["--kubeconfig=/k", `--config=${path}`, ...argv]);
  return resolveOptions(values as KubeletFlags, { changed, logger, hostIp: async () => "192.168.1.1" });
}

test("each field has one place", async (t) => {
  const placed = [...Object.values(fieldOfFlag), ...ruledFields];
  t.same(
    fields.filter((field) => !placed.includes(field)),
    [],
    "without a place",
  );
  t.same(
    [...new Set(placed)].filter((field) => !fields.includes(field)),
    [],
    "unknown to Kubernetes 1.33",
  );
  t.same(
    fields.filter((field, index) => fields.indexOf(field) !== index),
    [],
  );
});

test("upstream's defaults are no one's wish", async (t) => {
  lines.length = 0;
  const { settings } = await resolve(t, {
    port: 0,
    maxPods: 0,
    syncFrequency: "0s",
    evictionPressureTransitionPeriod: "0s",
    readOnlyPort: 0,
    cpuManagerPolicy: "none",
    memoryManagerPolicy: "None",
    topologyManagerPolicy: "none",
    topologyManagerScope: "container",
    hairpinMode: "promiscuous-bridge",
    cpuCFSQuota: true,
    cpuCFSQuotaPeriod: "100ms",
    memorySwap: {},
    containerRuntimeEndpoint: "",
    enableControllerAttachDetach: true,
    reservedMemory: null,
    crashLoopBackOff: {},
  });
  t.match(settings, {
    port: 10250,
    maxPods: 110,
    syncFrequencyMs: 60_000,
    evictionPressureTransitionPeriodMs: 300_000,
    enableSystemLogHandler: true,
    oomScoreAdj: -999,
    failSwapOn: true,
    tokenTtlMs: 120_000,
    authorizedTtlMs: 300_000,
    unauthorizedTtlMs: 30_000,
    deadContainers: { maxPerContainer: 1, max: -1, minAgeMs: 0 },
  });
  t.same(lines, []);
});

test("what is honoured", async (t) => {
  const { settings } = await resolve(
    t,
    {
      nodeStatusUpdateFrequency: "30s",
      authentication: { webhook: { cacheTTL: "10s" } },
      authorization: { webhook: { cacheAuthorizedTTL: "11s", cacheUnauthorizedTTL: "12s" } },
      enableSystemLogHandler: false,
      enableServer: false,
      mergeDefaultEvictionSettings: true,
      evictionHard: { "memory.available": "1Gi" },
      oomScoreAdj: 7,
      failSwapOn: false,
      podsPerCore: 1,
      maxPods: 5000,
      localStorageCapacityIsolation: false,
      seccompDefault: true,
      volumeStatsAggPeriod: "2m",
    },
    ["--maximum-dead-containers=9", "--maximum-dead-containers-per-container=2", "--minimum-container-ttl-duration=3s"],
  );
  t.match(settings, {
    nodeStatusUpdateFrequencyMs: 30_000,
    nodeStatusReportFrequencyMs: 30_000,
    tokenTtlMs: 10_000,
    authorizedTtlMs: 11_000,
    unauthorizedTtlMs: 12_000,
    enableSystemLogHandler: false,
    enableServer: false,
    evictionHard: { "memory.available": "1Gi", "nodefs.available": "10%", "imagefs.inodesFree": "5%" },
    oomScoreAdj: 7,
    failSwapOn: false,
    localStorageCapacityIsolation: false,
    seccompDefault: true,
    volumeStatsAggPeriodMs: 120_000,
    deadContainers: { maxPerContainer: 2, max: 9, minAgeMs: 3000 },
  });
  t.ok(settings.maxPods >= 1 && settings.maxPods < 5000, "as many pods as cores");
});

test("what is not served is refused", async (t) => {
  const table: [object, RegExp][] = [
    [{ runOnce: true }, /^invalid configuration: runOnce \(--runOnce\) true, Runonce mode has been deprecated/],
    [{ cpuManagerPolicy: "static" }, /cpuManagerPolicy: this kubelet assigns no processors/],
    [{ topologyManagerPolicy: "restricted" }, /topologyManagerPolicy "restricted": this kubelet assigns no/],
    [{ topologyManagerPolicy: "loose" }, /--topology-manager-policy\) "loose" must be one of: \["none" "best-effort"/],
    [{ topologyManagerScope: "node" }, /\(--topology-manager-scope\) "node" must be one of: "container", or "pod"/],
    [
      { hairpinMode: "both" },
      /option "both" specified for hairpinMode \(--hairpin-mode\)\. Valid options are "none", /,
    ],
    [{ cpuCFSQuotaPeriod: "5ms" }, /\(--cpu-cfs-quota-period\) \{5ms\} requires feature gate CustomCPUCFSQuotaPeriod/],
    [{ memorySwap: { swapBehavior: "All" } }, /memorySwap\.swapBehavior "All" must be one of: "", "LimitedSwap" or/],
    [{ memorySwap: { swapBehavior: "LimitedSwap" } }, /containers of this kubelet use no swap/],
    [{ enableSystemLogQuery: true }, /NodeLogQuery feature gate is required for enableSystemLogQuery/],
    [
      { crashLoopBackOff: { maxContainerRestartPeriod: "5s" } },
      /FeatureGate KubeletCrashLoopBackOffMax not enabled, CrashLoopBackOff\.MaxContainerRestartPeriod must not be set/,
    ],
    [{ containerLogMaxWorkers: 0 }, /containerLogMaxWorkers must be greater than or equal to 1/],
    [
      { containerLogMonitorInterval: "1s" },
      /containerLogMonitorInterval must be a positive time duration greater than/,
    ],
    [{ readOnlyPort: 10255 }, /serves nothing without authentication/],
    [{ containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock" }, /containers run on the Docker Engine/],
    [{ reservedMemory: [{ numaNode: 0 }] }, /reservedMemory/],
    [{ oomScoreAdj: 1001 }, /oomScoreAdj \(--oom-score-adj\) 1001 must be between -1000 and 1000, inclusive/],
    [{ maxPods: -1 }, /maxPods \(--max-pods\) -1 must not be a negative number/],
    [{ podsPerCore: -1 }, /podsPerCore \(--pods-per-core\) -1 must not be a negative number/],
    [{ registerWithTaints: [{ key: "a", effect: "Perhaps" }] }, /^invalid taint: /],
  ];
  for (const [document, words] of table) await t.rejects(resolve(t, document), words, JSON.stringify(document));
});

test("what has no effect is named", async (t) => {
  lines.length = 0;
  await resolve(t, { kubeAPIQPS: 50, logging: { verbosity: 3 }, featureGates: { A: true }, containerLogMaxWorkers: 2 });
  t.match(lines.join(""), /fields that this kubelet does not use.*kubeAPIQPS.*logging.*featureGates.*MaxWorkers/);
  lines.length = 0;
  await resolve(t, { maxPod: 3, authentication: { anonymous: { enable: true } } });
  t.match(
    lines.join(""),
    /Using lenient decoding as strict decoding failed.*unknown field \\?"maxPod\\?", unknown field \\?"authentication.anonymous.enable/,
  );
});

test("a node that swaps", async (t) => {
  const head = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
  t.equal(swapRefusal(head), undefined);
  t.equal(swapRefusal(""), undefined);
  t.match(
    swapRefusal(`${head}/dev/sda2 partition 1 0 -2\n`),
    /^running with swap on is not supported, please disable swap or set --fail-swap-on flag to false\. \/proc\/swaps contained: \[Filename.*\/dev\/sda2 partition/,
  );
});
