// What must be written, as input of iptables-restore. Pure.

import type { ChainRules } from "./rule-set.js";
import { ruleTables, type Write } from "./rule-table.js";

/** From so many chains on a write is cut into pieces where iptables is slow with large ones. */
const largeWrite = 500;
/** Chains a piece. iptables-restore of the nft kind compares each rule with every chain that the piece names, and the
 *  kernel walks all chains of the table at each: this is where both together cost least. */
const chainsPerPiece = 1_100;
const removalsPerPiece = 5_000;

const servicePattern = /-(SEP|SVC|SVL|EXT|FW)-[A-Z2-7]{16}$/;
const ranks = ["SEP", "SVC", "SVL", "EXT", "FW"];

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

/** Several restores, to be run in their order and made one by one. Each leaves rules that work: some Services' chains with
 *  those they lead to, at last the shared chains, and then goes what nothing leads to any more. A small write is one, and so is
 *  any without inPieces: iptables of the legacy kind copies the whole table each time. */
export function* restoreInputs(write: Write, { inPieces }: { readonly inPieces: boolean }): Generator<string, void> {
  const { chains, removals } = write.nat;
  if (!inPieces || chains.size + removals.length < largeWrite) {
    const input = restoreInput(write);
    if (input !== "") yield input;
    return;
  }
  const none = { chains: new Map(), removals: [] };
  const shared: ChainRules = new Map();
  const own: string[] = [];
  for (const [chain, rules] of chains) {
    if (servicePattern.test(chain)) own.push(chain);
    // Services' chains lead to it: it comes before them.
    else if (chain.endsWith("-MARK-MASQ"))
      yield restoreInput({ filter: none, nat: { chains: new Map([[chain, rules]]), removals: [] } });
    else shared.set(chain, rules);
  }
  for (const piece of closedPieces(own, chains)) {
    let input = "*nat\n";
    for (const chain of piece) input += `:${chain} - [0:0]\n${rulesOf(chain, chains.get(chain)!)}`;
    yield `${input}COMMIT\n`;
  }
  const last = restoreInput({ filter: write.filter, nat: { chains: shared, removals: [] } });
  if (last !== "") yield last;
  const callersFirst = [...removals].sort((a, b) => rankOf(b) - rankOf(a));
  for (let i = 0; i < callersFirst.length; i += removalsPerPiece)
    yield restoreInput({
      filter: none,
      nat: { chains: new Map(), removals: callersFirst.slice(i, i + removalsPerPiece) },
    });
}

/** Each piece leads to no chain of a later one. */
function* closedPieces(own: readonly string[], rulesBy: ChainRules): Generator<string[]> {
  const pending = new Set(own);
  let piece: string[] = [];
  const take = (chain: string) => {
    if (!pending.delete(chain)) return;
    for (const rule of rulesBy.get(chain)!) take(rule.slice(rule.lastIndexOf(" ") + 1));
    piece.push(chain);
  };
  // Callees first; names in falling order, for to put one before all others is what that comparison does fastest.
  const inOrder = () => piece.sort((a, b) => rankOf(a) - rankOf(b) || (a < b ? 1 : -1));
  for (const chain of own) {
    take(chain);
    if (piece.length < chainsPerPiece) continue;
    yield inOrder();
    piece = [];
  }
  if (piece.length > 0) yield inOrder();
}

/** Chains lead only to those of a lower rank. */
function rankOf(chain: string): number {
  return ranks.indexOf(servicePattern.exec(chain)?.[1] ?? "");
}

function rulesOf(chain: string, rules: readonly string[]): string {
  let text = "";
  for (const rule of rules) text += `-A ${chain} ${rule}\n`;
  return text;
}
