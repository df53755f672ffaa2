// The rules in the kernel's own chains that lead into ours, the canaries that tell whether somebody removed our chains,
// and the way to put both in and out. Pure; mirrors upstream's iptablesJumpChains.

import { isOwnChain } from "./chain-names.js";

export type TableName = "mangle" | "nat" | "filter";

export interface Jump {
  readonly table: TableName;
  readonly source: string;
  readonly target: string;
  /** What the packet must match; "" for any. */
  readonly match: string;
}

/** In the order in which they are put at the head of their source chains. */
export function jumps(prefix: string): Jump[] {
  const fresh = "-m conntrack --ctstate NEW";
  const rule = (table: TableName, source: string, target: string, text: string, match = ""): Jump => ({
    table,
    source,
    target: `${prefix}-${target}`,
    match: [match, text && `-m comment --comment "${text}"`].filter((part) => part !== "").join(" "),
  });
  return [
    rule("filter", "INPUT", "EXTERNAL-SERVICES", "kubernetes externally-visible service portals", fresh),
    rule("filter", "FORWARD", "EXTERNAL-SERVICES", "kubernetes externally-visible service portals", fresh),
    rule("filter", "INPUT", "NODEPORTS", "kubernetes health check service ports"),
    rule("filter", "FORWARD", "SERVICES", "kubernetes service portals", fresh),
    rule("filter", "OUTPUT", "SERVICES", "kubernetes service portals", fresh),
    rule("filter", "FORWARD", "FORWARD", "kubernetes forwarding rules"),
    rule("filter", "INPUT", "PROXY-FIREWALL", "kubernetes load balancer firewall", fresh),
    rule("filter", "OUTPUT", "PROXY-FIREWALL", "kubernetes load balancer firewall", fresh),
    rule("filter", "FORWARD", "PROXY-FIREWALL", "kubernetes load balancer firewall", fresh),
    rule("nat", "OUTPUT", "SERVICES", "kubernetes service portals"),
    rule("nat", "PREROUTING", "SERVICES", "kubernetes service portals"),
    rule("nat", "POSTROUTING", "POSTROUTING", "kubernetes postrouting rules"),
    rule("filter", "INPUT", "FIREWALL", ""),
    rule("filter", "OUTPUT", "FIREWALL", ""),
  ];
}

/** A chain with no rules in each table: when it is gone, somebody flushed the table. */
export function canary(prefix: string): string {
  return `${prefix}-PROXY-CANARY`;
}

export const canaryTables: readonly TableName[] = ["mangle", "nat", "filter"];

/** Something that stands in a table while nobody has flushed it. */
export interface Probe {
  readonly table: TableName;
  readonly chain: string;
  /** A rule of that chain ends so; "": the chain being there is enough. */
  readonly rule: string;
}

/** Upstream looks at the canaries alone, which survive `iptables -F`: a rule of ours and a jump are looked at too. */
export function probes(prefix: string): Probe[] {
  return [
    ...canaryTables.map((table): Probe => ({ table, chain: canary(prefix), rule: "" })),
    { table: "nat", chain: "PREROUTING", rule: `-j ${prefix}-SERVICES` },
    { table: "nat", chain: `${prefix}-POSTROUTING`, rule: "--random-fully" },
    { table: "filter", chain: "FORWARD", rule: `-j ${prefix}-FORWARD` },
    { table: "filter", chain: `${prefix}-FORWARD`, rule: "-j ACCEPT" },
  ];
}

export type Saves = Readonly<Record<TableName, string>>;

/** The chains that iptables-save shows. */
export function chainsInSave(save: string): string[] {
  return [...save.matchAll(/^:(\S+) /gm)].map(([, chain]) => chain!);
}

/** Restores what leads into our chains, and the canaries; only what is missing. */
export function planJumps(prefix: string, saves: Saves): string {
  let input = "";
  for (const table of canaryTables) {
    const missing = jumps(prefix).filter((jump) => jump.table === table && !hasJump(saves[table], jump));
    const wanted = [canary(prefix), ...new Set(missing.map(({ target }) => target))];
    const declared = wanted.filter((chain) => !saves[table].includes(`:${chain} `));
    if (missing.length + declared.length === 0) continue;
    input += [
      `*${table}`,
      ...declared.map((chain) => `:${chain} - [0:0]`),
      ...missing.map(({ source, match, target }) => `-I ${source} ${match}${match && " "}-j ${target}`),
      "COMMIT\n",
    ].join("\n");
  }
  return input;
}

function hasJump(save: string, { source, target }: Jump): boolean {
  return new RegExp(`^-A ${source} (.* )?-j ${target}$`, "m").test(save);
}

/** Removes all of ours from what the saves show: the jumps, then every chain. */
export function planCleanup(prefix: string, saves: Saves): string {
  let input = "";
  const isOurs = (chain: string) => isOwnChain(prefix, chain) || chain === canary(prefix);
  for (const table of canaryTables) {
    const jumpsThere = [...saves[table].matchAll(/^-A (\S+) (?:.* )?-j (\S+)$/gm)]
      .filter(([, source, target]) => isOurs(target!) && !isOurs(source!))
      .map(([line]) => line!.replace(/^-A/, "-D"));
    const chains = chainsInSave(saves[table]).filter(isOurs);
    if (jumpsThere.length + chains.length === 0) continue;
    input += [
      `*${table}`,
      ...chains.map((chain) => `:${chain} - [0:0]`),
      ...jumpsThere,
      ...chains.map((chain) => `-X ${chain}`),
      "COMMIT\n",
    ].join("\n");
  }
  return input;
}
