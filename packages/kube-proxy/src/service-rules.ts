// The rules of one service port: what captures its packets, and why they go nowhere. Pure; order, comments and chains are
// upstream's (pkg/proxy/iptables/proxier.go, syncProxyRules).

import { type ServiceChains, serviceChains } from "./chain-names.js";
import { balancingRules, endpointChains, endpointRules } from "./endpoint-rules.js";
import type { Endpoint } from "./endpoints.js";
import { inRange } from "./ip-family.js";
import {
  append,
  comment,
  counterName,
  localhostNodePortsAccepted,
  type RuleSet,
  type RuleSettings,
} from "./rule-set.js";
import { isExternallyAccessible, policiesOf, type ServicePort } from "./service-ports.js";

/** A service port with what all its rules ask for. */
interface Subject {
  readonly port: ServicePort;
  readonly settings: RuleSettings;
  readonly chains: ServiceChains;
  readonly rules: RuleSet;
  /** Whether packets to the cluster IP, and those from outside, find an endpoint under their policy. */
  readonly hasInternal: boolean;
  readonly hasExternal: boolean;
}

/** Adds the chains and rules of one port to the rule set. */
export function serviceRules(port: ServicePort, settings: RuleSettings, rules: RuleSet): void {
  const { cluster, local, hasAny } = port.usable;
  const chains = serviceChains(settings.prefix, port.name, port.protocol);
  const subject: Subject = {
    port,
    settings,
    chains,
    rules,
    hasInternal: hasAny && !(port.internalLocal && local.length === 0),
    hasExternal: hasAny && !(port.externalLocal && local.length === 0),
  };
  captureClusterIp(subject);
  captureExternalIps(subject);
  captureLoadBalancer(subject);
  captureNodePort(subject);
  if (port.healthCheckNodePort > 0)
    append(
      rules.filter,
      `${settings.prefix}-NODEPORTS`,
      `${comment(`${port.name} health check node port`)} -m tcp -p tcp --dport ${port.healthCheckNodePort} -j ACCEPT`,
    );
  if (subject.hasInternal) masqueradeInternal(subject);
  if (hasAny && isExternallyAccessible(port)) externalChain(subject);
  const { usesCluster, usesLocal } = policiesOf(port);
  const ofEndpoints = endpointChains(port, settings);
  const balance = (chain: string, endpoints: readonly Endpoint[]) =>
    append(rules.nat, chain, ...balancingRules(port, { endpoints, chains: ofEndpoints, settings }));
  if (usesCluster && cluster.length > 0) balance(chains.cluster, cluster);
  if (usesLocal && local.length > 0) balance(chains.local, local);
  endpointRules(port, { chains: ofEndpoints, settings, rules });
}

function matchOf({ protocol }: ServicePort, address: string, number: number): string {
  const name = protocol.toLowerCase();
  return `-m ${name} -p ${name} -d ${address} --dport ${number}`;
}

/** What is said and done where no endpoint is left: refused when there is none at all, dropped when only none is local. */
function fault({ port }: Subject): { text: string; target: string } {
  return port.usable.hasAny
    ? { text: `${port.name} has no local endpoints`, target: "DROP" }
    : { text: `${port.name} has no endpoints`, target: "REJECT" };
}

function captureClusterIp(subject: Subject): void {
  const { port, settings, chains, rules, hasInternal } = subject;
  const services = `${settings.prefix}-SERVICES`;
  const match = matchOf(port, port.clusterIp, port.port);
  if (hasInternal) {
    const chain = port.internalLocal ? chains.local : chains.cluster;
    append(rules.nat, services, `${comment(`${port.name} cluster IP`)} ${match} -j ${chain}`);
    return;
  }
  const { text, target } = fault(subject);
  append(rules.filter, services, `${comment(text)} ${match} -j ${target}`);
}

function captureExternalIps(subject: Subject): void {
  const { port, settings, chains, rules } = subject;
  for (const address of port.externalIps) {
    if (port.usable.hasAny)
      append(
        rules.nat,
        `${settings.prefix}-SERVICES`,
        `${comment(`${port.name} external IP`)} ${matchOf(port, address, port.port)} -j ${chains.external}`,
      );
    refuseExternal(subject, matchOf(port, address, port.port));
  }
}

function captureLoadBalancer(subject: Subject): void {
  const { port, settings, chains, rules } = subject;
  const isGuarded = port.usable.hasAny && port.loadBalancerSourceRanges.length > 0 && port.loadBalancerIps.length > 0;
  const chain = isGuarded ? chains.firewall : chains.external;
  for (const address of port.loadBalancerIps) {
    const match = matchOf(port, address, port.port);
    if (port.usable.hasAny)
      append(
        rules.nat,
        `${settings.prefix}-SERVICES`,
        `${comment(`${port.name} loadbalancer IP`)} ${match} -j ${chain}`,
      );
    if (isGuarded)
      append(
        rules.filter,
        `${settings.prefix}-PROXY-FIREWALL`,
        `${comment(`${port.name} traffic not accepted by ${chains.firewall}`)} ${match} -j DROP`,
      );
    refuseExternal(subject, match);
  }
  if (isGuarded) append(rules.nat, chains.firewall, ...firewallRules(subject));
}

// A virtual address of a balancer is often the node's own: requests from the node then come from that address itself.
function firewallRules({ port, settings, chains }: Subject): string[] {
  const { nodeIp, prefix } = settings;
  const allowsNode = nodeIp !== undefined && port.loadBalancerSourceRanges.some((range) => inRange(range, nodeIp));
  const sources = [...port.loadBalancerSourceRanges, ...(allowsNode ? port.loadBalancerIps : [])];
  return [
    ...sources.map((source) => `${comment(`${port.name} loadbalancer IP`)} -s ${source} -j ${chains.external}`),
    comment(`other traffic to ${port.name} will be dropped by ${prefix}-PROXY-FIREWALL`),
  ];
}

function captureNodePort(subject: Subject): void {
  const { port, settings, chains, rules } = subject;
  if (port.nodePort === 0) return;
  const protocol = port.protocol.toLowerCase();
  const match = `-m ${protocol} -p ${protocol} --dport ${port.nodePort}`;
  const { prefix, family, localhostNodePorts, packetCounters } = settings;
  if (port.usable.hasAny) {
    const nodePorts = `${prefix}-NODEPORTS`;
    const text = `${comment(port.name)} -m ${protocol} -p ${protocol}`;
    // Counted apart: who still uses node ports on localhost would miss them elsewhere than with iptables.
    if (family === "IPv4" && localhostNodePorts && packetCounters.has(localhostNodePortsAccepted))
      append(
        rules.nat,
        nodePorts,
        `${text} -d 127.0.0.0/8 --dport ${port.nodePort} -m nfacct --nfacct-name ${counterName(prefix, localhostNodePortsAccepted)} -j ${chains.external}`,
      );
    append(rules.nat, nodePorts, `${text} --dport ${port.nodePort} -j ${chains.external}`);
  }
  refuseExternal(subject, `-m addrtype --dst-type LOCAL ${match}`);
}

function refuseExternal(subject: Subject, match: string): void {
  if (subject.hasExternal) return;
  const { text, target } = fault(subject);
  append(
    subject.rules.filter,
    `${subject.settings.prefix}-EXTERNAL-SERVICES`,
    `${comment(text)} ${match} -j ${target}`,
  );
}

// Someone may route the service range to any node, which then forwards; the answer must come back the same way.
function masqueradeInternal({ port, settings, chains, rules }: Subject): void {
  const { masqueradeAll, localTraffic, prefix } = settings;
  if (!masqueradeAll && !localTraffic) return;
  const fromElsewhere = masqueradeAll ? "" : ` ${localTraffic!.ifNotLocal}`;
  append(
    rules.nat,
    port.internalLocal ? chains.local : chains.cluster,
    `${comment(`${port.name} cluster IP`)} ${matchOf(port, port.clusterIp, port.port)}${fromElsewhere} -j ${prefix}-MARK-MASQ`,
  );
}

// Under the Cluster policy all is masqueraded, for it may leave for another node. Under the Local one the client's
// address is kept, but for traffic that begins here: that goes out and comes in again, as if through a balancer.
function externalChain({ port, settings, chains, rules, hasExternal }: Subject): void {
  const { localTraffic, prefix } = settings;
  const destinations = `${port.name} external destinations`;
  if (!port.externalLocal)
    append(rules.nat, chains.external, `${comment(`masquerade traffic for ${destinations}`)} -j ${prefix}-MARK-MASQ`);
  else
    append(
      rules.nat,
      chains.external,
      ...(localTraffic
        ? [`${comment(`pod traffic for ${destinations}`)} ${localTraffic.ifLocal} -j ${chains.cluster}`]
        : []),
      `${comment(`masquerade LOCAL traffic for ${destinations}`)} -m addrtype --src-type LOCAL -j ${prefix}-MARK-MASQ`,
      `${comment(`route LOCAL traffic for ${destinations}`)} -m addrtype --src-type LOCAL -j ${chains.cluster}`,
    );
  if (hasExternal) append(rules.nat, chains.external, `-j ${port.externalLocal ? chains.local : chains.cluster}`);
}
