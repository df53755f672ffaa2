// The rules in the kernel's own chains that lead into ours, and the canaries that tell whether somebody flushed a table.
// Data alone; mirrors upstream's iptablesJumpChains.

export type TableName = "mangle" | "nat" | "filter";

export interface Jump {
  readonly table: TableName;
  readonly source: string;
  readonly target: string;
  readonly match: string;
}

/** In the order in which they are put at the head of their source chains. */
export function jumps(prefix: string): Jump[] {
  const fresh = "-m conntrack --ctstate NEW";
  const rule = (table: TableName, source: string, target: string, text: string, match = ""): Jump => ({
    table,
    source,
    target: `${prefix}-${target}`,
    match: `${match}${match ? " " : ""}-m comment --comment "${text}"`,
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
  ];
}

/** A chain with no rules in each table: when it is gone, somebody flushed the table. */
export function canary(prefix: string): string {
  return `${prefix}-PROXY-CANARY`;
}

export const canaryTables: readonly TableName[] = ["mangle", "nat", "filter"];
