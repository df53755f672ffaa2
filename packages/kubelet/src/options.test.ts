// Flags over file over defaults, and the words for what is wrong.

import { join } from "node:path";
import { parseFlags } from "@picokube/component-base/flag-set";
import { createLogger } from "@picokube/component-base/logger";
import { test } from "tap";
import { flags } from "./flags.js";
import { parseTaint } from "./node-options.js";
import { type KubeletFlags, resolveOptions } from "./options.js";

const lines: string[] = [];
const logger = createLogger({ write: (line) => lines.push(line) });

async function resolve(argv: string[]) {
  const { values, changed } = parseFlags("kubelet", flags, ["--kubeconfig=/k", ...argv]);
  return resolveOptions(values as KubeletFlags, { changed, logger, hostIp: async () => "192.168.1.1" });
}

test("a flag wins over the file, the file over a default", async (t) => {
  const directory = t.testdir({
    "config.yaml": `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
clusterDNS: ["10.96.0.10"]
maxPods: 20
syncFrequency: 2m
port: 11250
authentication: {anonymous: {enabled: true}, x509: {clientCAFile: /ca.crt}}
evictionHard: {memory.available: 1Gi}
registerWithTaints: [{key: a, effect: NoSchedule}]
shutdownGracePeriod: 30s
shutdownGracePeriodCriticalPods: 10s
memorySwap: {swapBehavior: NoSwap}
runtimeRequestTimeout: 1m
registryBurst: 20
`,
  });
  const { settings } = await resolve([
    `--config=${join(directory, "config.yaml")}`,
    "--port=12250",
    "--node-labels=a=b,c=d",
  ]);
  t.match(settings, {
    clusterDns: ["10.96.0.10"],
    maxPods: 20,
    syncFrequencyMs: 120_000,
    runtimeRequestTimeoutMs: 60_000,
    port: 12250,
    healthzPort: 10248,
    anonymousAuth: true,
    clientCaFile: "/ca.crt",
    authorizationMode: "Webhook",
    evictionHard: { "memory.available": "1Gi" },
    shutdownPeriods: [{ shutdownGracePeriodSeconds: 20 }, { shutdownGracePeriodSeconds: 10 }],
    registerWithTaints: [{ key: "a", effect: "NoSchedule" }],
    nodeLabels: { a: "b", c: "d" },
    nodeIps: ["192.168.1.1"],
    configuration: {
      kind: "KubeletConfiguration",
      maxPods: 20,
      syncFrequency: "2m0s",
      authentication: { anonymous: { enabled: true }, x509: { clientCAFile: "/ca.crt" } },
      registerWithTaints: [{ key: "a", effect: "NoSchedule" }],
    },
  });
  t.match(lines.join(""), /does not use.*\["registryBurst"\]/);
});

test("what is wrong is said", async (t) => {
  const table: [string[], RegExp][] = [
    [["--port=70000"], /port.* 70000 must be between 0 and 65535/],
    [["--container-log-max-size=ten"], /failed to parse container log max size "ten"/],
    [["--container-log-max-files=1"], /containerLogMaxFiles \(--container-log-max-files\) 1 must be greater than 1/],
    [["--authorization-mode=Open"], /authorization\.mode "Open" is not a valid authorization mode/],
    [["--cgroup-driver=x"], /cgroupDriver must be "cgroupfs" or "systemd"/],
    [["--pod-cidr=10.0.0.0"], /invalid argument "10\.0\.0\.0" for "--pod-cidr" flag: invalid CIDR address/],
    [["--pod-bridge=far-too-long-a-name"], /must have 1 to 15 characters/],
    [["--register-with-taints=a=b"], /invalid taint spec: a=b/],
    [["--register-with-taints=a=b:Never"], /invalid taint effect: Never, unsupported taint effect/],
    [["--register-with-taints=a:NoExecute,a=b:NoExecute"], /duplicated taints with the same key and effect/],
    [
      ["--node-labels=node-role.kubernetes.io/control-plane=,a.k8s.io/b=c"],
      /^unknown 'kubernetes\.io' or 'k8s\.io' labels specified with --node-labels: \[a\.k8s\.io\/b node-role\.kubernetes\.io\/control-plane\]\n--node-labels in the 'kubernetes\.io' namespace must begin with an allowed prefix \(kubelet\.kubernetes\.io, node\.kubernetes\.io\) or be in the specifically allowed set \(beta\.kubernetes\.io\/arch, .*, topology\.kubernetes\.io\/zone\)$/,
    ],
    [["--node-labels=a=b!"], /^invalid node labels: 'b!' - a valid label must be an empty string or consist of/],
    [
      ["--node-ip=10.0.0.1,10.0.0.2"],
      /^bad --node-ip "10\.0\.0\.1,10\.0\.0\.2": must contain either a single IP or a dual/,
    ],
    [["--node-ip=10.0.0.256"], /invalid argument "10\.0\.0\.256" for "--node-ip" flag/],
    [["--hostname-override= "], /^empty hostname is invalid$/],
    [
      ["--cloud-provider=aws"],
      /cloud provider "aws" was specified, but built-in cloud providers are disabled\. Please/,
    ],
    [["--eviction-hard=memory.available=1Gi"], /malformed pair, expect string<string/],
    [["--eviction-hard=cpu.available<1"], /unsupported eviction signal cpu\.available/],
    [["--eviction-soft=memory.available<1Gi"], /grace period must be specified for the soft eviction threshold/],
    [["--image-gc-high-threshold=101"], /imageGCHighThresholdPercent .* 101 must be between 0 and 100, inclusive/],
    [["--image-gc-low-threshold=85"], /85 must be less than imageGCHighThresholdPercent .* 85/],
    [["--image-maximum-gc-age=1m"], /imageMaximumGCAge 1m0s must be greater than imageMinimumGCAge 2m0s/],
    [["--max-parallel-image-pulls=2"], /maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls/],
    [["--shutdown-grace-period=500ms"], /shutdownGracePeriod \{500ms\} must be either zero or otherwise >= 1 sec/],
    [["--shutdown-grace-period-critical-pods=2s"], /CriticalPods \{2s\} must be <= shutdownGracePeriod \{0s\}/],
    [["--node-status-max-images=-2"], /nodeStatusMaxImages \(--node-status-max-images\) -2 must be -1 or greater/],
    [["--kube-reserved=gpu=1"], /cannot reserve "gpu" resource/],
    [["--system-reserved=cpu=x"], /failed to parse quantity "x" for "cpu" resource/],
    [["--enforce-node-allocatable=pods,none"], /may not contain additional enforcements when "none" is specified/],
    [["--enforce-node-allocatable=everything"], /option "everything" specified for enforceNodeAllocatable/],
    [["--cgroups-per-qos=false"], /must be set to true when "pods" contained in enforceNodeAllocatable/],
  ];
  for (const [argv, words] of table) await t.rejects(resolve(argv), words, argv.join(" "));
  const { settings } = await resolve(["--node-ip=0.0.0.0", "--hostname-override= Node-A "]);
  t.match(settings, { nodeIps: ["192.168.1.1"], nodeIpsGiven: [], nodeName: "node-a" });
  t.same(parseTaint("dedicated=db:NoExecute"), { key: "dedicated", value: "db", effect: "NoExecute" });
});
