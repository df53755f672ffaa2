// From what the kernel holds and what it should hold to the text of one iptables-restore. Pure.

import { canary, canaryTables, type Jump, jumps, type TableName } from "./jumps.js";
import type { ChainRules, RuleSet } from "./rule-set.js";

/** Chain → its rules as one string: what was written last. */
export type AppliedTable = Map<string, string>;

export interface Applied {
  readonly nat: AppliedTable;
  readonly filter: AppliedTable;
}

export interface SyncPlan {
  /** Empty when nothing changed. */
  readonly input: string;
  readonly applied: Applied;
  readonly changedChains: number;
}

/** Only chains whose rules differ from what was applied last are written; chains no longer wanted are removed. */
export function planSync(rules: RuleSet, applied: Applied): SyncPlan {
  let input = "";
  let changedChains = 0;
  const next: Applied = { nat: new Map(), filter: new Map() };
  for (const table of ["filter", "nat"] as const) {
    const part = planTable(rules[table], applied[table], next[table]);
    if (part.lines.length === 0) continue;
    input += `*${table}\n${part.lines.join("\n")}\nCOMMIT\n`;
    changedChains += part.changed;
  }
  return { input, applied: next, changedChains };
}

function planTable(
  wanted: ChainRules,
  applied: AppliedTable,
  next: AppliedTable,
): { lines: string[]; changed: number } {
  const declarations: string[] = [];
  const additions: string[] = [];
  const removals: string[] = [];
  for (const [chain, rules] of wanted) {
    const text = rules.join("\n");
    next.set(chain, text);
    if (applied.get(chain) === text) continue;
    declarations.push(`:${chain} - [0:0]`);
    for (const rule of rules) additions.push(`-A ${chain} ${rule}`);
  }
  for (const chain of applied.keys()) {
    if (wanted.has(chain)) continue;
    declarations.push(`:${chain} - [0:0]`);
    removals.push(`-X ${chain}`);
  }
  return { lines: [...declarations, ...additions, ...removals], changed: declarations.length };
}

/** Chains of ours that iptables-save shows, each with unknown rules: they are rewritten or removed at the next sync. */
export function chainsInSave(save: string, prefix: string): AppliedTable {
  const found: AppliedTable = new Map();
  for (const [, chain] of save.matchAll(/^:(\S+) /gm))
    if (chain!.startsWith(`${prefix}-`) && isOurs(chain!, prefix)) found.set(chain!, "\0unknown");
  return found;
}

const own =
  /^(SERVICES|EXTERNAL-SERVICES|NODEPORTS|POSTROUTING|MARK-MASQ|FORWARD|PROXY-FIREWALL|(SVC|SVL|EXT|FW|SEP)-[A-Z2-7]{16})$/;

function isOurs(chain: string, prefix: string): boolean {
  return own.test(chain.slice(prefix.length + 1));
}

/** What leads into our chains, put at the head of the kernel's own; only what is missing. saves: table → iptables-save. */
export function planJumps(prefix: string, saves: Readonly<Record<TableName, string>>): string {
  let input = "";
  for (const table of canaryTables) {
    const missing = jumps(prefix).filter((jump) => jump.table === table && !hasJump(saves[table], jump));
    const lacksCanary = !saves[table].includes(`:${canary(prefix)} `);
    if (missing.length === 0 && !lacksCanary) continue;
    const declared = [...new Set(missing.map(({ target }) => target))].filter(
      (chain) => !saves[table].includes(`:${chain} `),
    );
    input += [
      `*${table}`,
      ...(lacksCanary ? [`:${canary(prefix)} - [0:0]`] : []),
      ...declared.map((chain) => `:${chain} - [0:0]`),
      ...missing.map(({ source, match, target }) => `-I ${source} ${match} -j ${target}`),
      "COMMIT\n",
    ].join("\n");
  }
  return input;
}

function hasJump(save: string, { source, target }: Jump): boolean {
  return new RegExp(`^-A ${source} .*-j ${target}$`, "m").test(save);
}

/** Removes all of ours from what the saves show: the jumps, then every chain. */
export function planCleanup(prefix: string, saves: Readonly<Record<TableName, string>>): string {
  let input = "";
  for (const table of canaryTables) {
    const jumpsThere = [...saves[table].matchAll(/^-A (\S+) .*-j (\S+)$/gm)]
      .filter(
        ([, source, target]) => target!.startsWith(`${prefix}-`) && isOurs(target!, prefix) && !isOurs(source!, prefix),
      )
      .map(([line]) => line!.replace(/^-A/, "-D"));
    const chains = [...chainsInSave(saves[table], prefix).keys()];
    if (saves[table].includes(`:${canary(prefix)} `)) chains.push(canary(prefix));
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
