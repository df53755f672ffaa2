// What iptables rules are as data, and the settings they are made by. Holds no rule.

/** Chain → its rules without "-A <chain>". */
export type ChainRules = Map<string, string[]>;

/** The chains of the two tables. */
export interface RuleSet {
  readonly nat: ChainRules;
  readonly filter: ChainRules;
}

/** What of the configuration the rules depend on. */
export interface RuleSettings {
  /** First word of every chain: "KUBE" unless two clusters share a host. */
  readonly prefix: string;
  /** Traffic from outside this range to a cluster IP is masqueraded; undefined: none is. */
  readonly clusterCidr: string | undefined;
  readonly masqueradeAll: boolean;
  /** 14: the mark 0x4000. */
  readonly masqueradeBit: number;
  readonly nodePortRanges: readonly string[];
}
