// What must be written, as input of iptables-restore. Pure.

import type { ChainRules } from "./rule-set.js";
import { ruleTables, type Write } from "./rule-table.js";

/** From so many chains on a write is cut into pieces where iptables is slow with large ones. */
const LARGE_WRITE = 500;
/** Chains a piece: iptables-restore of the nft kind compares each rule with every chain that the piece names. */
const PLAIN_PIECE = 5_000;
const JUMPING_PIECE = 100;

/** One restore for everything: all of it or nothing. Empty when there is nothing to write. */
export function restoreInput(write: Write): string {
  let input = "";
  for (const table of ruleTables) {
    const { chains, removals } = write[table];
    if (chains.size + removals.length === 0) continue;
    input += `*${table}\n`;
    for (const chain of [...chains.keys(), ...removals]) input += `:${chain} - [0:0]\n`;
    for (const [chain, rules] of chains) input += rulesOf(chain, rules);
    for (const chain of removals) input += `-X ${chain}\n`;
    input += "COMMIT\n";
  }
  return input;
}

/** Several restores, to be run in their order. Each leaves rules that work: endpoints come first, then what leads to them,
 *  the shared chains last, and then goes what nothing leads to any more. A small write is one. */
export function restoreInputs(write: Write): string[] {
  const { chains, removals } = write.nat;
  if (chains.size + removals.length < LARGE_WRITE) return [restoreInput(write)].filter((input) => input !== "");
  // Names in falling order: to put one before all others is what that comparison does fastest.
  const names = (pattern: RegExp) =>
    [...chains.keys()]
      .filter((chain) => pattern.test(chain))
      .sort()
      .reverse();
  const endpoints = names(/-SEP-[A-Z2-7]{16}$/);
  const services = [/-SV[CL]-[A-Z2-7]{16}$/, /-EXT-[A-Z2-7]{16}$/, /-FW-[A-Z2-7]{16}$/].flatMap(names);
  const own = new Set([...endpoints, ...services]);
  const marks = [...chains.keys()].filter((chain) => chain.endsWith("-MARK-MASQ"));
  const shared = [...chains.keys()].filter((chain) => !own.has(chain) && !marks.includes(chain));
  const piece = (of: readonly string[]) => {
    let input = "*nat\n";
    for (const chain of of) input += `:${chain} - [0:0]\n${rulesOf(chain, chains.get(chain)!)}`;
    return `${input}COMMIT\n`;
  };
  const pick = (of: readonly string[]): ChainRules => new Map(of.map((chain) => [chain, chains.get(chain)!]));
  const none = { chains: new Map(), removals: [] };
  return [
    restoreInput({ filter: none, nat: { chains: pick(marks), removals: [] } }),
    ...pieces(endpoints, PLAIN_PIECE).map(piece),
    ...pieces(services, JUMPING_PIECE).map(piece),
    restoreInput({ filter: write.filter, nat: { chains: pick(shared), removals: [] } }),
    ...pieces(callersFirst(removals), PLAIN_PIECE).map((of) =>
      restoreInput({ filter: none, nat: { chains: new Map(), removals: of } }),
    ),
  ].filter((input) => input !== "");
}

// A chain cannot be removed while another piece's still leads to it.
function callersFirst(removals: readonly string[]): string[] {
  const order = [/-FW-[A-Z2-7]{16}$/, /-EXT-[A-Z2-7]{16}$/, /-SV[CL]-[A-Z2-7]{16}$/];
  const rank = (chain: string) => {
    const found = order.findIndex((pattern) => pattern.test(chain));
    return found < 0 ? order.length : found;
  };
  return [...removals].sort((a, b) => rank(a) - rank(b));
}

function rulesOf(chain: string, rules: readonly string[]): string {
  let text = "";
  for (const rule of rules) text += `-A ${chain} ${rule}\n`;
  return text;
}

function pieces<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}
