// What iptables rules are as data, and the settings they are made by. Holds no rule.

import type { IpFamily } from "./ip-family.js";
import type { LocalTraffic } from "./local-traffic.js";

/** Chain → its rules without "-A <chain>". */
export type ChainRules = Map<string, string[]>;

/** The chains of the two tables. */
export interface RuleSet {
  readonly nat: ChainRules;
  readonly filter: ChainRules;
}

/** What of the configuration and of the node the rules depend on. */
export interface RuleSettings {
  /** First word of every chain: "KUBE" unless two clusters share a host. */
  readonly prefix: string;
  readonly family: IpFamily;
  /** Other traffic to a cluster IP is masqueraded; undefined: none is. */
  readonly localTraffic: LocalTraffic | undefined;
  readonly masqueradeAll: boolean;
  /** 14: the mark 0x4000. */
  readonly masqueradeBit: number;
  /** Where node ports answer: on these addresses, or on all local ones. */
  readonly nodePortIps: readonly string[] | "all";
  /** Whether they answer on 127.0.0.1 too. */
  readonly localhostNodePorts: boolean;
  /** This node's own; a load balancer's source ranges may contain it. */
  readonly nodeIp: string | undefined;
  /** False where the kernel is liberal with TCP windows and INVALID means little. */
  readonly dropInvalid: boolean;
  /** Counters of the kernel that rules may feed: packet-counters.ts. */
  readonly packetCounters: ReadonlySet<string>;
  /** More than a thousand endpoints: rules to each of them go without comments, which halves them. */
  readonly isLargeCluster: boolean;
}

/** Upstream's names of the kernel's counters that rules may feed. */
export const invalidDropped = "ct_state_invalid_dropped_pkts";
export const localhostNodePortsAccepted = "localhost_nps_accepted_pkts";

/** The kernel's counters are the whole host's: those of a further cluster have names of their own (31 letters at most). */
export function counterName(prefix: string, counter: string): string {
  return prefix === "KUBE" ? counter : `${prefix}_${counter.replace(/_pkts$/, "")}`;
}

export function emptyRuleSet(): RuleSet {
  return { nat: new Map(), filter: new Map() };
}

/** Adds rules to a chain, which is made with the first. */
export function append(rules: ChainRules, chain: string, ...added: readonly string[]): void {
  const there = rules.get(chain);
  if (there) there.push(...added);
  else rules.set(chain, [...added]);
}

/** A comment match; quoted where it has blanks, as upstream writes it. */
export function comment(text: string): string {
  return `-m comment --comment ${text.includes(" ") ? `"${text}"` : text}`;
}
