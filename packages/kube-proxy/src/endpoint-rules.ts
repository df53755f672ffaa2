// The rules that share a service port's packets among its endpoints, and those that send them there. Pure; mirrors
// upstream's writeServiceToEndpointRules.

import { endpointChain } from "./chain-names.js";
import type { Endpoint } from "./endpoints.js";
import { append, comment, type RuleSet, type RuleSettings } from "./rule-set.js";
import type { ServicePort } from "./service-ports.js";

/** Each endpoint's chain. */
export type EndpointChains = ReadonlyMap<Endpoint, string>;

/** The chains of a port's reachable endpoints, hashed once for all rules that name them. */
export function endpointChains(port: ServicePort, { prefix }: RuleSettings): EndpointChains {
  const chainOf = ({ address }: Endpoint) => endpointChain(prefix, port.name, port.protocol, address);
  return new Map(port.usable.reachable.map((endpoint) => [endpoint, chainOf(endpoint)]));
}

export interface BalancingInput {
  /** Those to choose from. */
  readonly endpoints: readonly Endpoint[];
  readonly chains: EndpointChains;
  readonly settings: RuleSettings;
}

/** Affinity first, then an even choice: the n-th of N rules is taken with probability 1/(N-n). */
export function balancingRules(port: ServicePort, { endpoints, chains, settings }: BalancingInput): string[] {
  const targets = endpoints.map((endpoint) => ({
    said: said(settings, `${port.name} -> ${endpoint.address}`),
    chain: chains.get(endpoint)!,
  }));
  const sticky =
    port.affinitySeconds === undefined
      ? []
      : targets.map(
          ({ said, chain }) =>
            `${said}-m recent --name ${chain} --rcheck --seconds ${port.affinitySeconds} --reap -j ${chain}`,
        );
  const even = targets.map(({ said, chain }, i) => {
    const left = targets.length - i;
    const chance = left > 1 ? `-m statistic --mode random --probability ${(1 / left).toFixed(10)} ` : "";
    return `${said}${chance}-j ${chain}`;
  });
  return [...sticky, ...even];
}

/** Adds a chain for each endpoint: what it sends to itself is masqueraded (hairpin), everything is sent to it. */
export function endpointRules(
  port: ServicePort,
  { chains, settings, rules }: { chains: EndpointChains; settings: RuleSettings; rules: RuleSet },
): void {
  const protocol = port.protocol.toLowerCase();
  const name = said(settings, port.name);
  for (const [endpoint, chain] of chains) {
    const affinity = port.affinitySeconds === undefined ? "" : `-m recent --name ${chain} --set `;
    append(
      rules.nat,
      chain,
      `${name}-s ${endpoint.ip} -j ${settings.prefix}-MARK-MASQ`,
      `${name}${affinity}-m ${protocol} -p ${protocol} -j DNAT --to-destination ${endpoint.address}`,
    );
  }
}

function said({ isLargeCluster }: RuleSettings, text: string): string {
  return isLargeCluster ? "" : `${comment(text)} `;
}
