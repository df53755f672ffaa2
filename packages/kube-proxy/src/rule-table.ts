// All rules, kept by Service, and what of them must be written: only chains that changed since the last write, or
// everything. Runs nothing; who writes says whether it succeeded.

import { isOwnChain, isServiceChain } from "./chain-names.js";
import { append, type ChainRules, type RuleSet, type RuleSettings } from "./rule-set.js";
import { nodePortRules, sharedChains } from "./rules.js";

export type RuleTableName = "filter" | "nat";

/** Chain → its rules, as lines of iptables-restore's input. */
export type ChainLines = ReadonlyMap<string, string>;

/** What to write into a table. */
export interface TableWrite {
  /** Chains that all Services share, with all their rules. */
  readonly shared: ChainLines;
  /** Those of each Service by itself; they lead to each other and to shared ones alone. */
  readonly services: readonly ChainLines[];
  /** Chains that go: nothing leads to them once the others are written. */
  readonly removals: readonly string[];
}

export type Write = Readonly<Record<RuleTableName, TableWrite>>;

export interface RuleTable {
  /** The rules of a Service; undefined: it is gone. */
  set(service: string, rules: RuleSet | undefined): void;
  /** What changed since the last commit. */
  changes(): Write;
  /** Everything; found: the chains that the kernel has, whose own ones are removed if they are no longer wanted. */
  everything(found: Readonly<Record<RuleTableName, Iterable<string>>>): Write;
  /** The kernel now holds what changes() or everything() returned last. */
  commit(): void;
  /** Rules of the table. */
  count(table: RuleTableName): number;
}

export const ruleTables: readonly RuleTableName[] = ["filter", "nat"];

export interface RuleTableOptions {
  readonly prefix: string;
  /** Asked anew at each write of shared chains. */
  readonly settings: () => RuleSettings;
}

/** A Service's rules of one table. */
interface Kept {
  readonly own: ChainLines;
  /** What it adds to shared chains. */
  readonly shared: ChainLines;
  readonly count: number;
}

type KeptService = Readonly<Record<RuleTableName, Kept>>;

/** Starts empty, as if nothing had been written. */
export function createRuleTable({ prefix, settings }: RuleTableOptions): RuleTable {
  const wanted = new Map<string, KeptService>();
  const written = new Map<string, KeptService>();
  const touched = new Set<string>();
  /** Rules of Services, counted as they come and go: thousands are not counted anew for one. */
  const counts = { nat: 0, filter: 0 };

  function keep(rules: ChainRules): Kept {
    const own = new Map<string, string>();
    const shared = new Map<string, string>();
    for (const [chain, lines] of linesOf(rules)) (isServiceChain(prefix, chain) ? own : shared).set(chain, lines);
    return { own, shared, count: countOf(rules) };
  }

  function tableChanges(table: RuleTableName): TableWrite {
    let isSharedDirty = false;
    const services: ChainLines[] = [];
    const removals: string[] = [];
    for (const service of touched) {
      const now = wanted.get(service)?.[table];
      const before = written.get(service)?.[table];
      if (now === before) continue;
      isSharedDirty ||= !isEqual(now?.shared, before?.shared);
      const changed = new Map([...(now?.own ?? [])].filter(([chain, lines]) => before?.own.get(chain) !== lines));
      if (changed.size > 0) services.push(changed);
      for (const chain of before?.own.keys() ?? []) if (!now?.own.has(chain)) removals.push(chain);
    }
    return { shared: isSharedDirty ? shared(table) : new Map(), services, removals };
  }

  function tableEverything(table: RuleTableName, found: Iterable<string>): TableWrite {
    const write = { shared: shared(table), services: [...wanted.values()].map((kept) => kept[table].own) };
    const isWanted = new Set([write.shared, ...write.services].flatMap((chains) => [...chains.keys()]));
    const removals = [...found].filter((chain) => isOwnChain(prefix, chain) && !isWanted.has(chain));
    return { ...write, removals };
  }

  /** The shared chains with the rules of all Services, in the order of their names. */
  function shared(table: RuleTableName): ChainLines {
    const current = settings();
    const parts = new Map([...linesOf(sharedChains(current)[table])].map(([chain, lines]) => [chain, [lines]]));
    for (const service of [...wanted.keys()].sort())
      for (const [chain, lines] of wanted.get(service)![table].shared) append(parts, chain, lines);
    if (table === "nat") {
      const chain = `${prefix}-SERVICES`;
      append(parts, chain, ...nodePortRules(current).map((rule) => lineOf(chain, rule)));
    }
    return new Map([...parts].map(([chain, lines]) => [chain, lines.join("")]));
  }

  return {
    set(service, rules) {
      touched.add(service);
      const before = wanted.get(service);
      const now = rules && { nat: keep(rules.nat), filter: keep(rules.filter) };
      for (const table of ruleTables) counts[table] += (now?.[table].count ?? 0) - (before?.[table].count ?? 0);
      if (now) wanted.set(service, now);
      else wanted.delete(service);
    },
    changes: () => ({ filter: tableChanges("filter"), nat: tableChanges("nat") }),
    everything(found) {
      for (const service of new Set([...written.keys(), ...wanted.keys()])) touched.add(service);
      return { filter: tableEverything("filter", found.filter), nat: tableEverything("nat", found.nat) };
    },
    commit() {
      for (const service of touched) {
        const now = wanted.get(service);
        if (now) written.set(service, now);
        else written.delete(service);
      }
      touched.clear();
    },
    count(table) {
      const current = settings();
      const last = table === "nat" ? nodePortRules(current).length : 0;
      return counts[table] + countOf(sharedChains(current)[table]) + last;
    },
  };
}

function lineOf(chain: string, rule: string): string {
  return `-A ${chain} ${rule}\n`;
}

// Joined, not added up: what is kept is then one piece of memory a chain instead of a tree for each of its rules.
function* linesOf(rules: ChainRules): Generator<[chain: string, lines: string]> {
  for (const [chain, own] of rules) yield [chain, own.map((rule) => lineOf(chain, rule)).join("")];
}

function countOf(rules: ChainRules): number {
  let count = 0;
  for (const own of rules.values()) count += own.length;
  return count;
}

function isEqual(a: ChainLines | undefined, b: ChainLines | undefined): boolean {
  if ((a?.size ?? 0) !== (b?.size ?? 0)) return false;
  for (const [chain, lines] of a ?? []) if (b!.get(chain) !== lines) return false;
  return true;
}

/** All chains of a write with their rules, shared ones first. */
export function* chainsIn({ shared, services }: TableWrite): Generator<[chain: string, lines: string]> {
  yield* shared;
  for (const own of services) yield* own;
}

/** How many rules a write has. */
export function rulesIn(write: TableWrite): number {
  let count = 0;
  for (const [, lines] of chainsIn(write)) count += lines.split("\n").length - 1;
  return count;
}
