// Tells how deeply a YAML text nests before it is composed: composing recurses, and takes seconds to fail on what nests
// half a million levels. Produces no values.

import { Lexer, Parser } from "yaml";

/** What each level of nesting needs at least one of: a bracket, an entry's indicator, or a line of its own. */
const OPENERS = /[[{\n]|[-?] /g;

/** Whether anything nests deeper than that, give or take one. Linear, and near nothing for texts that cannot. */
export function isYamlTooDeep(text: string, maxDepth: number): boolean {
  if (!hasMore(text, maxDepth)) return false;
  const parser = new Parser();
  // The document and its value stand below the first level.
  const maxStack = maxDepth + 2;
  for (const lexeme of new Lexer().lex(text)) {
    for (const _token of parser.next(lexeme));
    if (parser.stack.length > maxStack) return true;
  }
  return false;
}

function hasMore(text: string, maxOpeners: number): boolean {
  let openers = 0;
  for (const _opener of text.matchAll(OPENERS)) if (++openers > maxOpeners) return true;
  return false;
}
