// The chains that all Services share: what stands in them besides the Services' own rules, before and after. Pure; the
// layout, order and comments are upstream's (pkg/proxy/iptables/proxier.go, syncProxyRules).

import { type ChainRules, comment, counterName, invalidDropped, type RuleSettings } from "./rule-set.js";

/** The first rules of each shared chain; a chain without any is there all the same. */
export function sharedChains(settings: RuleSettings): { readonly nat: ChainRules; readonly filter: ChainRules } {
  const { prefix } = settings;
  const mark = markOf(settings);
  const filter: ChainRules = new Map([
    [`${prefix}-SERVICES`, []],
    [`${prefix}-EXTERNAL-SERVICES`, []],
    [`${prefix}-FORWARD`, forwardRules(settings)],
    [`${prefix}-NODEPORTS`, []],
    [`${prefix}-PROXY-FIREWALL`, []],
    [`${prefix}-FIREWALL`, []],
  ]);
  // route_localnet opens 127.0.0.1 to the neighbours (issue.k8s.io/90259); the kubelet of upstream has the same rule.
  if (settings.family === "IPv4" && settings.localhostNodePorts)
    filter.set(`${prefix}-FIREWALL`, [
      `${comment("block incoming localnet connections")} -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP`,
    ]);
  const nat: ChainRules = new Map([
    [`${prefix}-SERVICES`, []],
    [`${prefix}-NODEPORTS`, []],
    [
      `${prefix}-POSTROUTING`,
      [
        `-m mark ! --mark ${mark}/${mark} -j RETURN`,
        `-j MARK --xor-mark ${mark}`,
        `${comment("kubernetes service traffic requiring SNAT")} -j MASQUERADE --random-fully`,
      ],
    ],
    [`${prefix}-MARK-MASQ`, [`-j MARK --or-mark ${mark}`]],
  ]);
  return { nat, filter };
}

/** The last rules of the nat table's SERVICES chain: where node ports answer. */
export function nodePortRules({ prefix, family, nodePortIps, localhostNodePorts }: RuleSettings): string[] {
  const text = comment("kubernetes service nodeports; NOTE: this must be the last rule in this chain");
  const rule = (match: string) => `${text} ${match} -j ${prefix}-NODEPORTS`;
  if (nodePortIps !== "all") {
    const isReachable = (ip: string) => localhostNodePorts || !(ip.startsWith("127.") || ip === "::1");
    return nodePortIps.filter(isReachable).map((ip) => rule(`-d ${ip}`));
  }
  if (family === "IPv6") return [rule("-m addrtype --dst-type LOCAL ! -d ::1/128")];
  return [rule(`-m addrtype --dst-type LOCAL${localhostNodePorts ? "" : " ! -d 127.0.0.0/8"}`)];
}

function forwardRules(settings: RuleSettings): string[] {
  const mark = markOf(settings);
  const counter = counterName(settings.prefix, invalidDropped);
  const counted = settings.packetCounters.has(invalidDropped) ? ` -m nfacct --nfacct-name ${counter}` : "";
  return [
    // Else a late packet, out of the window, would have its connection reset (issue.k8s.io/74839).
    ...(settings.dropInvalid ? [`-m conntrack --ctstate INVALID${counted} -j DROP`] : []),
    `${comment("kubernetes forwarding rules")} -m mark --mark ${mark}/${mark} -j ACCEPT`,
    `${comment("kubernetes forwarding conntrack rule")} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
  ];
}

function markOf({ masqueradeBit }: RuleSettings): string {
  return `0x${(2 ** masqueradeBit).toString(16).padStart(8, "0")}`;
}
