// All rules, kept by Service, and what of them must be written: only chains that changed since the last write, or
// everything. Runs nothing; who writes says whether it succeeded.

import { isOwnChain, isServiceChain } from "./chain-names.js";
import { append, type ChainRules, type RuleSet, type RuleSettings } from "./rule-set.js";
import { nodePortRules, sharedChains } from "./rules.js";

export type RuleTableName = "filter" | "nat";

/** What to write into a table. */
export interface TableWrite {
  /** Chains with all their rules. */
  readonly chains: ChainRules;
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

/** Starts empty, as if nothing had been written. */
export function createRuleTable({ prefix, settings }: RuleTableOptions): RuleTable {
  const wanted = new Map<string, RuleSet>();
  const written = new Map<string, RuleSet>();
  const touched = new Set<string>();
  /** Rules of Services, counted as they come and go: thousands are not counted anew for one. */
  const counts = { nat: 0, filter: 0 };
  const isShared = (chain: string) => !isServiceChain(prefix, chain);

  function changes(): Write {
    const dirtyShared = { nat: false, filter: false };
    const write = { nat: { chains: new Map(), removals: [] }, filter: { chains: new Map(), removals: [] } } as Record<
      RuleTableName,
      { chains: ChainRules; removals: string[] }
    >;
    for (const service of touched) {
      for (const table of ruleTables) {
        const now = wanted.get(service)?.[table];
        const before = written.get(service)?.[table];
        for (const [chain, rules] of now ?? []) {
          if (equal(rules, before?.get(chain))) continue;
          if (isShared(chain)) dirtyShared[table] = true;
          else write[table].chains.set(chain, rules);
        }
        for (const chain of before?.keys() ?? []) {
          if (now?.has(chain)) continue;
          if (isShared(chain)) dirtyShared[table] = true;
          else write[table].removals.push(chain);
        }
      }
    }
    for (const table of ruleTables)
      if (dirtyShared[table]) for (const [chain, rules] of shared(table)) write[table].chains.set(chain, rules);
    return write;
  }

  function everything(found: Readonly<Record<RuleTableName, Iterable<string>>>): Write {
    for (const service of new Set([...written.keys(), ...wanted.keys()])) touched.add(service);
    const tableWrite = (table: RuleTableName): TableWrite => {
      const chains: ChainRules = new Map(shared(table));
      for (const rules of wanted.values())
        for (const [chain, own] of rules[table]) if (!isShared(chain)) chains.set(chain, own);
      return { chains, removals: [...found[table]].filter((chain) => isOwnChain(prefix, chain) && !chains.has(chain)) };
    };
    return { filter: tableWrite("filter"), nat: tableWrite("nat") };
  }

  /** The shared chains with the rules of all Services, in the order of their names. */
  function shared(table: RuleTableName): ChainRules {
    const current = settings();
    const chains = sharedChains(current)[table];
    for (const service of [...wanted.keys()].sort())
      for (const [chain, rules] of wanted.get(service)![table])
        if (isShared(chain)) for (const rule of rules) append(chains, chain, rule);
    if (table === "nat") append(chains, `${prefix}-SERVICES`, ...nodePortRules(current));
    return chains;
  }

  return {
    set(service, rules) {
      touched.add(service);
      const before = wanted.get(service);
      for (const table of ruleTables) counts[table] += countOf(rules?.[table]) - countOf(before?.[table]);
      if (rules) wanted.set(service, rules);
      else wanted.delete(service);
    },
    changes,
    everything,
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

function countOf(rules: ChainRules | undefined): number {
  let count = 0;
  for (const own of rules?.values() ?? []) count += own.length;
  return count;
}

function equal(a: readonly string[], b: readonly string[] | undefined): boolean {
  return a === b || (a.length === b?.length && a.every((rule, i) => rule === b[i]));
}

/** How many rules a write has. */
export function rulesIn({ chains }: TableWrite): number {
  return countOf(chains);
}
