// The rules of one service port. Pure; adds to the rule set that it is given.

import { endpointChain, serviceChains } from "./chain-names.js";
import type { RuleSet, RuleSettings } from "./rule-set.js";
import type { Endpoint, ServicePort } from "./service-ports.js";

function comment(text: string): string {
  return `-m comment --comment ${text.includes(" ") ? JSON.stringify(text) : text}`;
}

/** Adds the chains and rules of one port to the rule set. */
export function serviceRules(port: ServicePort, settings: RuleSettings, rules: RuleSet): void {
  const { prefix } = settings;
  const chains = serviceChains(prefix, port.name, port.protocol);
  const protocol = port.protocol.toLowerCase();
  const match = (address: string, number: number) => `-m ${protocol} -p ${protocol} -d ${address} --dport ${number}`;
  const natServices = rules.nat.get(`${prefix}-SERVICES`)!;
  const natNodePorts = rules.nat.get(`${prefix}-NODEPORTS`)!;
  const filterServices = rules.filter.get(`${prefix}-SERVICES`)!;
  const filterExternal = rules.filter.get(`${prefix}-EXTERNAL-SERVICES`)!;

  const hasCluster = port.clusterEndpoints.length > 0;
  const hasLocal = port.localEndpoints.length > 0;
  const isExternal = port.nodePort > 0 || port.externalIps.length > 0 || port.loadBalancerIps.length > 0;
  const internalChain = port.internalLocal ? chains.local : chains.cluster;
  const internalHas = port.internalLocal ? hasLocal : hasCluster;

  // Why a packet goes nowhere, and which way it is told (upstream: internalTrafficFilterTarget and its external twin).
  const internalFault = !hasCluster
    ? { text: `${port.name} has no endpoints`, target: "REJECT" }
    : { text: `${port.name} has no local endpoints`, target: "DROP" };
  const externalFault = !hasCluster
    ? { text: `${port.name} has no endpoints`, target: "REJECT" }
    : port.externalLocal && !hasLocal
      ? { text: `${port.name} has no local endpoints`, target: "DROP" }
      : undefined;

  if (internalHas)
    natServices.push(`${comment(`${port.name} cluster IP`)} ${match(port.clusterIp, port.port)} -j ${internalChain}`);
  else
    filterServices.push(
      `${comment(internalFault.text)} ${match(port.clusterIp, port.port)} -j ${internalFault.target}`,
    );

  for (const address of port.externalIps) {
    if (hasCluster)
      natServices.push(`${comment(`${port.name} external IP`)} ${match(address, port.port)} -j ${chains.external}`);
    if (externalFault)
      filterExternal.push(`${comment(externalFault.text)} ${match(address, port.port)} -j ${externalFault.target}`);
  }
  for (const address of port.loadBalancerIps) {
    const guarded = port.loadBalancerSourceRanges.length > 0;
    if (hasCluster)
      natServices.push(
        `${comment(`${port.name} loadbalancer IP`)} ${match(address, port.port)} -j ${guarded ? chains.firewall : chains.external}`,
      );
    if (guarded)
      rules.filter
        .get(`${prefix}-PROXY-FIREWALL`)!
        .push(
          `${comment(`${port.name} traffic not accepted by ${chains.firewall}`)} ${match(address, port.port)} -j DROP`,
        );
    if (externalFault)
      filterExternal.push(`${comment(externalFault.text)} ${match(address, port.port)} -j ${externalFault.target}`);
  }
  if (port.nodePort > 0) {
    const nodePortMatch = `-m ${protocol} -p ${protocol} --dport ${port.nodePort}`;
    if (hasCluster) natNodePorts.push(`${comment(port.name)} ${nodePortMatch} -j ${chains.external}`);
    if (externalFault)
      filterExternal.push(
        `${comment(externalFault.text)} -m addrtype --dst-type LOCAL ${nodePortMatch} -j ${externalFault.target}`,
      );
  }
  if (port.healthCheckNodePort > 0)
    rules.filter
      .get(`${prefix}-NODEPORTS`)!
      .push(
        `${comment(`${port.namespace}/${port.service} health check node port`)} -m tcp -p tcp --dport ${port.healthCheckNodePort} -j ACCEPT`,
      );
  if (!hasCluster && !hasLocal) return;

  if (isExternal && hasCluster) rules.nat.set(chains.external, externalRules(port, settings));
  if (port.loadBalancerSourceRanges.length > 0 && hasCluster && port.loadBalancerIps.length > 0)
    rules.nat.set(chains.firewall, [
      ...port.loadBalancerSourceRanges.map(
        (range) => `${comment(`${port.name} loadbalancer IP`)} -s ${range} -j ${chains.external}`,
      ),
      comment(`other traffic to ${port.name} will be dropped by ${prefix}-PROXY-FIREWALL`),
    ]);

  const usesCluster = hasCluster && (!port.internalLocal || isExternal);
  const usesLocal = hasLocal && (port.internalLocal || (isExternal && port.externalLocal));
  const masquerade = internalMasquerade(port, settings, match(port.clusterIp, port.port));
  if (usesCluster)
    rules.nat.set(chains.cluster, [
      ...(port.internalLocal ? [] : masquerade),
      ...balance(port, port.clusterEndpoints, prefix),
    ]);
  if (usesLocal)
    rules.nat.set(chains.local, [
      ...(port.internalLocal ? masquerade : []),
      ...balance(port, port.localEndpoints, prefix),
    ]);
  for (const endpoint of new Set([
    ...(usesCluster ? port.clusterEndpoints : []),
    ...(usesLocal ? port.localEndpoints : []),
  ]))
    rules.nat.set(chainOf(port, endpoint, prefix), endpointRules(port, endpoint, prefix));
}

function chainOf(port: ServicePort, endpoint: Endpoint, prefix: string): string {
  return endpointChain(prefix, port.name, port.protocol, `${endpoint.ip}:${endpoint.port}`);
}

function internalMasquerade(port: ServicePort, settings: RuleSettings, match: string): string[] {
  const target = `-j ${settings.prefix}-MARK-MASQ`;
  const text = comment(`${port.name} cluster IP`);
  if (settings.masqueradeAll) return [`${text} ${match} ${target}`];
  return settings.clusterCidr === undefined ? [] : [`${text} ${match} ! -s ${settings.clusterCidr} ${target}`];
}

function externalRules(port: ServicePort, { prefix, clusterCidr }: RuleSettings): string[] {
  const chains = serviceChains(prefix, port.name, port.protocol);
  if (!port.externalLocal)
    return [
      `${comment(`masquerade traffic for ${port.name} external destinations`)} -j ${prefix}-MARK-MASQ`,
      `-j ${chains.cluster}`,
    ];
  return [
    ...(clusterCidr === undefined
      ? []
      : [`${comment(`pod traffic for ${port.name} external destinations`)} -s ${clusterCidr} -j ${chains.cluster}`]),
    `${comment(`masquerade LOCAL traffic for ${port.name} external destinations`)} -m addrtype --src-type LOCAL -j ${prefix}-MARK-MASQ`,
    `${comment(`route LOCAL traffic for ${port.name} external destinations`)} -m addrtype --src-type LOCAL -j ${chains.cluster}`,
    ...(port.localEndpoints.length > 0 ? [`-j ${chains.local}`] : []),
  ];
}

// Affinity first, then an even choice: the n-th of N rules is taken with probability 1/(N-n).
function balance(port: ServicePort, endpoints: readonly Endpoint[], prefix: string): string[] {
  const text = ({ ip, port: number }: Endpoint) => comment(`${port.name} -> ${ip}:${number}`);
  const sticky =
    port.affinitySeconds === undefined
      ? []
      : endpoints.map((endpoint) => {
          const chain = chainOf(port, endpoint, prefix);
          return `${text(endpoint)} -m recent --name ${chain} --rcheck --seconds ${port.affinitySeconds} --reap -j ${chain}`;
        });
  const even = endpoints.map((endpoint, i) => {
    const left = endpoints.length - i;
    const chance = left > 1 ? ` -m statistic --mode random --probability ${(1 / left).toFixed(10)}` : "";
    return `${text(endpoint)}${chance} -j ${chainOf(port, endpoint, prefix)}`;
  });
  return [...sticky, ...even];
}

function endpointRules(port: ServicePort, endpoint: Endpoint, prefix: string): string[] {
  const protocol = port.protocol.toLowerCase();
  const affinity =
    port.affinitySeconds === undefined ? "" : ` -m recent --name ${chainOf(port, endpoint, prefix)} --set`;
  return [
    `${comment(port.name)} -s ${endpoint.ip} -j ${prefix}-MARK-MASQ`,
    `${comment(port.name)}${affinity} -m ${protocol} -p ${protocol} -j DNAT --to-destination ${endpoint.ip}:${endpoint.port}`,
  ];
}
