import { test } from "tap";
import { defaultConfiguration, type KubeProxyConfiguration } from "./configuration.js";
import { fieldsWithoutEffect } from "./fields-without-effect.js";

/** Every field of KubeProxyConfiguration v1alpha1 at 1.33 that something follows from. */
const honoured =
  `bindAddress bindAddressHardFail clientConnection.burst clientConnection.kubeconfig clientConnection.qps
  clusterCIDR conntrack.maxPerCore conntrack.min conntrack.tcpBeLiberal conntrack.tcpCloseWaitTimeout
  conntrack.tcpEstablishedTimeout conntrack.udpStreamTimeout conntrack.udpTimeout detectLocal.bridgeInterface
  detectLocal.interfaceNamePrefix detectLocalMode healthzBindAddress hostnameOverride iptables.localhostNodePorts
  iptables.masqueradeAll iptables.masqueradeBit iptables.minSyncPeriod iptables.syncPeriod metricsBindAddress mode
  nodePortAddresses oomScoreAdj`.split(/\s+/);

/** And those that nothing follows from. */
const idle =
  `clientConnection.acceptContentTypes clientConnection.contentType configSyncPeriod enableProfiling featureGates
  ipvs logging nftables portRange showHiddenMetricsForVersion windowsRunAsService winkernel`.split(/\s+/);

const sections = new Set(["clientConnection", "conntrack", "detectLocal", "iptables"]);

/** A configuration in which one field says something of its own. */
function changed(field: string): KubeProxyConfiguration {
  const configuration = defaultConfiguration();
  const keys = field.split(".");
  const last = keys.pop()!;
  const owner = keys.reduce<Record<string, unknown>>(
    (value, key) => value[key] as Record<string, unknown>,
    configuration as never,
  );
  const other: Record<string, unknown> = { string: "other", number: 7, boolean: !owner[last], object: { any: 1 } };
  owner[last] = other[typeof owner[last]];
  return configuration;
}

test("every field is honoured, or its owner is told that it is not", (t) => {
  const fields = Object.entries(defaultConfiguration())
    .filter(([key]) => key !== "apiVersion" && key !== "kind")
    .flatMap(([key, value]) => (sections.has(key) ? Object.keys(value).map((inner) => `${key}.${inner}`) : [key]));
  t.strictSame(fields.sort(), [...honoured, ...idle].sort());
  for (const field of idle)
    t.strictSame(
      fieldsWithoutEffect(changed(field)).map(({ field }) => field),
      [field],
    );
  for (const field of honoured) t.strictSame(fieldsWithoutEffect(changed(field)), [], field);
  t.end();
});

test("what kubeadm writes tells nobody anything", (t) => {
  const configuration = {
    ...defaultConfiguration(),
    ipvs: { excludeCIDRs: null, minSyncPeriod: "0s", scheduler: "", strictARP: false },
    nftables: { masqueradeAll: false, masqueradeBit: null },
    winkernel: { enableDSR: false, networkName: "", rootHnsEndpointName: "" },
    logging: {
      flushFrequency: 0,
      options: { json: { infoBufferSize: "0" }, text: { infoBufferSize: "0" } },
      verbosity: 0,
    },
  };
  t.strictSame(fieldsWithoutEffect(configuration), []);
  t.end();
});
