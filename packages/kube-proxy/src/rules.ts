// Service ports turned into iptables rules, as data: which chains each table has and what stands in them. Pure; the
// layout, order and comments are upstream's (pkg/proxy/iptables/proxier.go, syncProxyRules).

import type { RuleSet, RuleSettings } from "./rule-set.js";
import type { ServicePort } from "./service-ports.js";
import { serviceRules } from "./service-rules.js";

/** All rules for these service ports. */
export function buildRules(ports: readonly ServicePort[], settings: RuleSettings): RuleSet {
  const { prefix } = settings;
  const mark = `0x${(2 ** settings.masqueradeBit).toString(16)}`;
  const rules: RuleSet = {
    nat: new Map([
      [`${prefix}-SERVICES`, []],
      [`${prefix}-NODEPORTS`, []],
      [
        `${prefix}-POSTROUTING`,
        [
          `-m mark ! --mark ${mark}/${mark} -j RETURN`,
          `-j MARK --xor-mark ${mark}`,
          `-m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully`,
        ],
      ],
      [`${prefix}-MARK-MASQ`, [`-j MARK --or-mark ${mark}`]],
    ]),
    filter: new Map([
      [`${prefix}-SERVICES`, []],
      [`${prefix}-EXTERNAL-SERVICES`, []],
      [`${prefix}-NODEPORTS`, []],
      [`${prefix}-PROXY-FIREWALL`, []],
      [
        `${prefix}-FORWARD`,
        [
          `-m conntrack --ctstate INVALID -j DROP`,
          `-m comment --comment "kubernetes forwarding rules" -m mark --mark ${mark}/${mark} -j ACCEPT`,
          `-m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
        ],
      ],
    ]),
  };
  for (const port of ports) serviceRules(port, settings, rules);
  rules.nat
    .get(`${prefix}-SERVICES`)!
    .push(
      ...(settings.nodePortRanges.length === 0
        ? ["-m addrtype --dst-type LOCAL"]
        : settings.nodePortRanges.map((range) => `-d ${range}`)
      ).map(
        (match) =>
          `-m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" ${match} -j ${prefix}-NODEPORTS`,
      ),
    );
  return rules;
}
