import { writeFileSync } from "node:fs";
import { parseYamlDocuments } from "@picokube/component-base/config-file";
import { parseFlags } from "@picokube/component-base/flag-set";
import { test } from "tap";
import { defaultConfiguration, type KubeProxyConfiguration, loadConfiguration } from "./configuration.js";
import { flags } from "./flags.js";
import { wantedSettings } from "./kernel-settings.js";
import { localTrafficOf } from "./local-traffic.js";
import { containsIpv4Loopback, nodePortIps } from "./node-port-addresses.js";
import { isCidr, validateConfiguration } from "./validate-configuration.js";

test("a file over the defaults, flags over both; unknown fields are told", async (t) => {
  const file = `${t.testdir()}/proxy.yaml`;
  writeFileSync(
    file,
    `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
bindAddress: ""
clusterCIDR: 10.1.0.0/16
healthzBindAddress: ""
mode: ""
conntrack: { maxPerCore: 0, tcpEstablishedTimeout: 0s }
iptables: { masqueradeAll: true, minSyncPeriod: 0s, syncPeriod: 0s, syncperiod: 1m }
nodePortAddresses: null
ipvs: { scheduler: rr }
`,
  );
  const argv = [
    `--config=${file}`,
    "--cluster-cidr=10.2.0.0/16",
    "--iptables-sync-period=1m",
    "--nodeport-addresses=primary",
  ];
  const { values, changed } = parseFlags("kube-proxy", flags, argv);
  const { configuration, unknownFields } = await loadConfiguration(values as never, changed);
  t.strictSame(unknownFields, ["iptables.syncperiod"]);
  const defaults = defaultConfiguration();
  t.strictSame(configuration, {
    ...defaults,
    clusterCIDR: "10.2.0.0/16",
    healthzBindAddress: "",
    conntrack: { ...defaults.conntrack, maxPerCore: 0, tcpEstablishedTimeout: "0s" },
    iptables: { ...defaults.iptables, masqueradeAll: true, minSyncPeriod: "0s", syncPeriod: "1m0s" },
    nodePortAddresses: ["primary"],
    ipvs: { scheduler: "rr" },
  });
  t.strictSame(validateConfiguration(configuration), []);
});

test("every flag of a setting reaches the configuration", async (t) => {
  const without = new Set("config write-config-to master cleanup init-only chain-prefix iptables-variant".split(" "));
  const samples: Record<string, string> = { bool: "true", int: "7", duration: "7s", "string-list": "10.0.0.0/8" };
  for (const [name, flag] of Object.entries(flags)) {
    if (without.has(name)) continue;
    if (flag.type === "map") samples.map = "Some=true";
    const sample = name === "iptables-localhost-nodeports" ? "false" : (samples[flag.type] ?? "given");
    const { values, changed } = parseFlags("kube-proxy", flags, [`--${name}=${sample}`]);
    const { configuration } = await loadConfiguration(values as never, changed);
    t.not(JSON.stringify(configuration), JSON.stringify(defaultConfiguration()), name);
  }
});

test("what cannot be run is refused, naming the field in upstream's words", (t) => {
  t.strictSame(validateConfiguration(defaultConfiguration()), []);
  const cases: [string, (configuration: KubeProxyConfiguration) => void][] = [
    [
      'KubeProxyConfiguration.Mode: Invalid value: "ipvs": must be iptables: this kube-proxy programs iptables and nothing else',
      (c) => (c.mode = "ipvs"),
    ],
    [
      'KubeProxyConfiguration.Mode: Invalid value: "nft": must be iptables or blank (blank means the best-available proxy [currently iptables])',
      (c) => (c.mode = "nft"),
    ],
    [
      "KubeProxyConfiguration.KubeProxyIPTablesConfiguration.MasqueradeBit: Invalid value: 32: must be within the range [0, 31]",
      (c) => (c.iptables.masqueradeBit = 32),
    ],
    [
      'KubeProxyConfiguration.SyncPeriod: Invalid value: "0s": must be greater than 0',
      (c) => Object.assign(c.iptables, { syncPeriod: "0s", minSyncPeriod: "0s" }),
    ],
    [
      'KubeProxyConfiguration.SyncPeriod: Invalid value: "1m": must be greater than or equal to KubeProxyConfiguration.MinSyncPeriod',
      (c) => (c.iptables.minSyncPeriod = "1m"),
    ],
    [
      'KubeProxyConfiguration.BindAddress: Invalid value: "here": not a valid textual representation of an IP address',
      (c) => (c.bindAddress = "here"),
    ],
    [
      'KubeProxyConfiguration.HealthzBindAddress: Invalid value: "0": must be a valid port',
      (c) => (c.healthzBindAddress = "0.0.0.0:0"),
    ],
    [
      'KubeProxyConfiguration.MetricsBindAddress: Invalid value: "10249": must be IP:port',
      (c) => (c.metricsBindAddress = "10249"),
    ],
    [
      'KubeProxyConfiguration.ClusterCIDR: Invalid value: "10.0.0.0/8,11.0.0.0/8": must be a valid DualStack CIDR (e.g. 10.100.0.0/16,fde4:8dba:82e1::/48)',
      (c) => (c.clusterCIDR = "10.0.0.0/8,11.0.0.0/8"),
    ],
    [
      'KubeProxyConfiguration.ClusterCIDR: Invalid value: "10.0.0.0/33": must be a valid CIDR block (e.g. 10.100.0.0/16 or fde4:8dba:82e1::/48)',
      (c) => (c.clusterCIDR = "10.0.0.0/33"),
    ],
    [
      "KubeProxyConfiguration.NodePortAddresses[0]: Invalid value: \"primary\": can't use both 'primary' and CIDRs",
      (c) => (c.nodePortAddresses = ["primary", "10.0.0.0/8"]),
    ],
    [
      'KubeProxyConfiguration.NodePortAddresses[0]: Invalid value: "10.0.0.1": must be a valid CIDR',
      (c) => (c.nodePortAddresses = ["10.0.0.1"]),
    ],
    [
      "KubeProxyConfiguration.KubeProxyConntrackConfiguration.MaxPerCore: Invalid value: -1: must be greater than or equal to 0",
      (c) => (c.conntrack.maxPerCore = -1),
    ],
    [
      'KubeProxyConfiguration.InterfaceName: Invalid value: "a b": must be an interface name of at most 15 characters',
      (c) => Object.assign(c, { detectLocalMode: "BridgeInterface", detectLocal: { bridgeInterface: "a b" } }),
    ],
    [
      'KubeProxyConfiguration.detectLocalMode: Invalid value: "Guess": must be BridgeInterface,ClusterCIDR,InterfaceNamePrefix,NodeCIDR or blank',
      (c) => (c.detectLocalMode = "Guess"),
    ],
  ];
  for (const [message, break_] of cases) {
    const configuration = defaultConfiguration();
    break_(configuration);
    t.strictSame(validateConfiguration(configuration), [message]);
  }
  t.ok(isCidr("fd00::/8"));
  t.notOk(isCidr("10.0.0.0/8/9"));
  t.end();
});

test("how local traffic is told, for each family", (t) => {
  const base = {
    mode: "ClusterCIDR",
    clusterCidr: "10.244.0.0/16,fd00::/56",
    podCidr: undefined,
    bridgeInterface: "br0",
    interfaceNamePrefix: "veth",
  };
  t.equal(localTrafficOf("IPv4", base)?.ifNotLocal, "! -s 10.244.0.0/16");
  t.equal(localTrafficOf("IPv6", base)?.ifLocal, "-s fd00::/56");
  t.equal(localTrafficOf("IPv6", { ...base, clusterCidr: "10.244.0.0/16" }), undefined);
  t.equal(localTrafficOf("IPv4", { ...base, mode: "NodeCIDR" }), undefined, "not known yet");
  t.equal(localTrafficOf("IPv4", { ...base, mode: "NodeCIDR", podCidr: "10.244.3.0/24" })?.ifLocal, "-s 10.244.3.0/24");
  t.equal(localTrafficOf("IPv4", { ...base, mode: "BridgeInterface" })?.ifNotLocal, "! -i br0");
  t.equal(localTrafficOf("IPv6", { ...base, mode: "InterfaceNamePrefix" })?.ifLocal, "-i veth+");
  t.end();
});

test("node port addresses: ranges of the family choose among the node's own", (t) => {
  t.equal(nodePortIps([], "IPv4"), "all");
  t.equal(nodePortIps(["0.0.0.0/0"], "IPv4"), "all");
  t.equal(nodePortIps(["127.0.0.0/8"], "IPv6"), "all", "no range of this family");
  t.strictSame(nodePortIps(["127.0.0.0/8", "::1/128"], "IPv4"), ["127.0.0.1"]);
  t.strictSame(nodePortIps(["198.18.0.0/15"], "IPv4"), []);
  t.ok(containsIpv4Loopback([]));
  t.ok(containsIpv4Loopback(["127.0.0.0/8"]));
  t.notOk(containsIpv4Loopback(["192.0.2.0/24"]));
  t.end();
});

test("the kernel's settings: what is zero is left as it is", (t) => {
  const { conntrack } = defaultConfiguration();
  const on = { cores: 2, localhostNodePorts: true };
  t.strictSame(wantedSettings({ conntrack }, on), {
    "net/netfilter/nf_conntrack_max": 131_072,
    "net/netfilter/nf_conntrack_tcp_timeout_established": 86_400,
    "net/netfilter/nf_conntrack_tcp_timeout_close_wait": 3_600,
    "net/ipv4/conf/all/route_localnet": 1,
  });
  t.equal(wantedSettings({ conntrack }, { ...on, cores: 8 })["net/netfilter/nf_conntrack_max"], 8 * 32_768);
  const still = {
    ...conntrack,
    maxPerCore: 0,
    tcpEstablishedTimeout: "0s",
    tcpCloseWaitTimeout: "0s",
    tcpBeLiberal: true,
  };
  t.strictSame(wantedSettings({ conntrack: still }, { cores: 2, localhostNodePorts: false }), {
    "net/netfilter/nf_conntrack_tcp_be_liberal": 1,
  });
  t.end();
});

test("--write-config-to's text is a file that --config takes", async (t) => {
  const { formatYaml } = await import("@picokube/component-base/config-file");
  t.strictSame(parseYamlDocuments(formatYaml(defaultConfiguration()), { source: "x" }), [defaultConfiguration()]);
});
