// What must be written, as input of iptables-restore. Pure.

import { type ChainLines, chainsIn, ruleTables, type TableWrite, type Write } from "./rule-table.js";

/** From so many chains on a write is cut into pieces where iptables is slow with large ones. */
const largeWrite = 500;
/** Chains a piece. iptables-restore of the nft kind compares each rule with every chain that the piece names, and the
 *  kernel walks all chains of the table at each: this is where both together cost least. */
const chainsPerPiece = 1_100;
const removalsPerPiece = 5_000;

const nothing: TableWrite = { shared: new Map(), services: [], removals: [] };

/** One restore for everything: all of it or nothing. Empty when there is nothing to write. */
export function restoreInput(write: Write): string {
  let input = "";
  for (const table of ruleTables) {
    const chains = [...chainsIn(write[table])];
    const { removals } = write[table];
    if (chains.length + removals.length === 0) continue;
    input += `*${table}\n`;
    for (const [chain] of chains) input += declared(chain);
    for (const chain of removals) input += declared(chain);
    for (const [, lines] of chains) input += lines;
    for (const chain of removals) input += `-X ${chain}\n`;
    input += "COMMIT\n";
  }
  return input;
}

/** Several restores, to be run in their order and made one by one. Each leaves rules that work: some Services' chains, at
 *  last the shared ones that lead to them, and then goes what nothing leads to any more. A small write is one, and so is
 *  any without inPieces: iptables of the legacy kind copies the whole table each time. */
export function* restoreInputs(write: Write, { inPieces }: { readonly inPieces: boolean }): Generator<string, void> {
  const { shared, services, removals } = write.nat;
  const size = services.reduce((sum, own) => sum + own.size, removals.length);
  if (!inPieces || size < largeWrite) {
    const input = restoreInput(write);
    if (input !== "") yield input;
    return;
  }
  const isMark = (chain: string) => chain.endsWith("-MARK-MASQ");
  const part = (pick: (chain: string) => boolean) => new Map([...shared].filter(([chain]) => pick(chain)));
  // Services' chains lead to it: it comes before them.
  const mark = restoreInput({ filter: nothing, nat: { ...nothing, shared: part(isMark) } });
  if (mark !== "") yield mark;
  yield* servicePieces(services);
  const nat = { ...nothing, shared: part((chain) => !isMark(chain)) };
  const last = restoreInput({ filter: write.filter, nat });
  if (last !== "") yield last;
  const callersFirst = [...removals].sort((a, b) => rankOf(b) - rankOf(a));
  for (let i = 0; i < callersFirst.length; i += removalsPerPiece)
    yield restoreInput({ filter: nothing, nat: { ...nothing, removals: callersFirst.slice(i, i + removalsPerPiece) } });
}

function* servicePieces(services: readonly ChainLines[]): Generator<string, void> {
  let piece: [chain: string, lines: string][] = [];
  for (const own of services) {
    piece.push(...own);
    if (piece.length < chainsPerPiece) continue;
    yield pieceOf(piece);
    piece = [];
  }
  if (piece.length > 0) yield pieceOf(piece);
}

// What is led to comes first; names in falling order, for to put one before all others is what iptables does fastest.
function pieceOf(chains: [chain: string, lines: string][]): string {
  chains.sort(([a], [b]) => rankOf(a) - rankOf(b) || (a < b ? 1 : -1));
  let input = "*nat\n";
  for (const [chain, lines] of chains) input += declared(chain) + lines;
  return `${input}COMMIT\n`;
}

function declared(chain: string): string {
  return `:${chain} - [0:0]\n`;
}

const ranks = ["SEP", "SVC", "SVL", "EXT", "FW"];

/** Chains lead only to those of a lower rank. "KUBE-SEP-<16 letters>": 1. */
function rankOf(chain: string): number {
  const last = chain.lastIndexOf("-");
  return ranks.indexOf(chain.slice(chain.lastIndexOf("-", last - 1) + 1, last));
}
